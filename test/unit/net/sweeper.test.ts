import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/base/clock.js';
import { Sweeper } from '../../../src/net/sweeper.js';
import { FLAG_TTL, OP_SET } from '../../../src/protocol/wire.js';
import { frameOf } from '../../e2e/support/rawSocket.js';
import { Loop } from './support/loop.js';

const KEYS = 8000;

function filled(ttlMs: number): Loop {
  const loop = new Loop();
  const party = loop.party();
  for (let id = 0; id < KEYS; id++) {
    const value = 'x';
    const request = { id, opcode: OP_SET, flags: FLAG_TTL, ttlMs, key: `key ${id}`, value };
    loop.gather.submit(party, frameOf(request));
  }
  loop.timers.settle();
  expect(loop.store.stats().items).toBe(KEYS);
  return loop;
}

function sweeperOf(loop: Loop, clock: Clock = loop.timers): Sweeper {
  return new Sweeper(loop.lane, clock, loop.timers, (error) => loop.failures.push(error));
}

describe('the sweeper', () => {
  test('removes what has expired within about ten seconds, and nothing else', () => {
    const loop = filled(20_000);
    sweeperOf(loop).start();
    loop.timers.pass(15_000);
    expect(loop.store.stats().items).toBe(KEYS);
    loop.timers.pass(5_000 + 12_000);
    const { items, expired } = loop.store.stats();
    expect([items, expired]).toEqual([0, KEYS]);
    expect(loop.failures).toEqual([]);
  });

  test('comes back sooner where much has expired', () => {
    const loop = filled(1000);
    loop.timers.pass(2000);
    sweeperOf(loop).start();
    loop.timers.pass(3000);
    expect(loop.store.stats().expired).toBeGreaterThan(KEYS / 2);
  });

  test('stops when it is told to', () => {
    const loop = filled(1000);
    loop.timers.pass(2000);
    const sweeper = sweeperOf(loop);
    sweeper.start();
    sweeper.stop();
    loop.timers.pass(20_000);
    expect(loop.store.stats().expired).toBe(0);
  });

  test('does not take longer than its slice, however large the table is', () => {
    const loop = filled(1000);
    loop.timers.pass(2000);
    let looks = 0;
    const hurried: Clock = {
      nowMs: () => loop.timers.nowMs(),
      monotonicMs: () => looks++,
    };
    const { expired } = loop.store.stats();
    sweeperOf(loop, hurried).slice();
    expect(looks).toBe(2);
    expect(loop.store.stats().expired - expired).toBeLessThan(KEYS);
  });

  test('reports a failure instead of throwing it', () => {
    const loop = filled(1000);
    loop.lane.sweep = () => {
      throw new Error('trap');
    };
    sweeperOf(loop).start();
    loop.timers.pass(1000);
    expect(loop.failures).toEqual([new Error('trap')]);
  });
});
