import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { sleep, systemTimers } from '../../../src/base/timers.js';

describe('systemTimers', () => {
  it('waits at least as long as it was told', async () => {
    const startMs = systemClock.monotonicMs();
    await sleep(systemTimers, 20);
    // Node's timers count whole milliseconds, and may be up to one early by the finer clock.
    expect(systemClock.monotonicMs() - startMs).toBeGreaterThanOrEqual(19);
  });

  it('does not run what was called off', async () => {
    let runs = 0;
    const once = systemTimers.after(5, () => runs++);
    const again = systemTimers.every(5, () => runs++);
    once.cancel();
    again.cancel();
    await sleep(systemTimers, 30);
    expect(runs).toBe(0);
  });

  it('repeats until it is called off', async () => {
    let runs = 0;
    await new Promise<void>((resolve) => {
      const timer = systemTimers.every(1, () => {
        runs += 1;
        if (runs < 3) return;
        timer.cancel();
        resolve();
      });
    });
    await sleep(systemTimers, 10);
    expect(runs).toBe(3);
  });

  it('runs soon, but not at once', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      systemTimers.soon(() => {
        order.push('soon');
        resolve();
      });
      order.push('now');
    });
    expect(order).toEqual(['now', 'soon']);
  });
});

describe('systemClock', () => {
  it('tells Unix time', () => {
    expect(systemClock.nowMs()).toBeGreaterThan(Date.UTC(2024, 0));
  });
});
