import { describe, expect, test } from 'vitest';
import { Hauls, type SourceState } from '../../../src/rebalance/hauls.js';
import { Meter } from '../../../src/rebalance/meter.js';
import type { Move } from '../../../src/rebalance/moves.js';
import { HandTimers } from '../net/support/handTimers.js';

function move(slot: number, sources: readonly string[]): Move {
  return { stretch: { kind: 'slot', slot }, sources, target: 'd' };
}

const moves = [move(1, ['a', 'b', 'c']), move(2, ['a', 'b', 'c']), move(3, ['b'])];

function states(others: Readonly<Record<string, SourceState>> = {}) {
  return (source: string): SourceState => others[source] ?? 'ready';
}

describe('a new owner', () => {
  test('hauls from each old one, once, and then has everything', () => {
    const hauls = new Hauls(moves);
    const order: string[] = [];
    for (let haul = hauls.next(states()); haul !== undefined; haul = hauls.next(states())) {
      expect(hauls.progress(states()).done).toBeLessThan(3);
      order.push(`${haul.source} ${haul.stretches.length}`);
      hauls.completed(haul);
    }
    expect(order).toEqual(['b 3', 'a 2', 'c 2']);
    expect(hauls.progress(states())).toMatchObject({ total: 3, done: 3, stuck: 0 });
  });

  test('waits for those who do not know yet where their changes go', () => {
    const hauls = new Hauls(moves);
    const behind = states({ a: 'behind', b: 'behind', c: 'behind' });
    expect(hauls.next(behind)).toBeUndefined();
    expect(hauls.progress(behind)).toMatchObject({ done: 0, stuck: 3 });
    const one = states({ a: 'behind' });
    for (let haul = hauls.next(one); haul !== undefined; haul = hauls.next(one)) {
      hauls.completed(haul);
    }
    expect(hauls.progress(one)).toMatchObject({ done: 1 });
  });

  test('does without those who are away once it has heard a majority, and not before', () => {
    const hauls = new Hauls([move(1, ['a', 'b', 'c'])]);
    const alone = states({ b: 'away', c: 'away' });
    const first = hauls.next(alone);
    expect(first?.source).toBe('a');
    if (first !== undefined) hauls.completed(first);
    expect(hauls.progress(alone)).toMatchObject({ done: 0, stuck: 1 });
    const two = states({ c: 'away' });
    const second = hauls.next(two);
    if (second !== undefined) hauls.completed(second);
    expect(hauls.progress(two)).toMatchObject({ done: 1, stuck: 0 });
  });

  test.each(['away', 'gone'] as const)(
    'asks the others again when one is %s before it was heard',
    (lost) => {
      // What that one had told another owner lately may have come there behind the haul.
      const hauls = new Hauls([move(1, ['a', 'b', 'c'])]);
      const behind = states({ c: 'behind' });
      for (let haul = hauls.next(behind); haul !== undefined; haul = hauls.next(behind)) {
        hauls.completed(haul);
      }
      const without = states({ c: lost });
      expect(hauls.progress(without)).toMatchObject({ done: 0, stuck: 0 });
      const again: string[] = [];
      for (let haul = hauls.next(without); haul !== undefined; haul = hauls.next(without)) {
        again.push(haul.source);
        hauls.completed(haul);
      }
      expect(again).toEqual(['a', 'b']);
      expect(hauls.progress(without)).toMatchObject({ done: 1 });
    },
  );

  test('does not count what was under way when an old owner was lost', () => {
    const hauls = new Hauls([move(1, ['a', 'b', 'c']), move(2, ['a', 'b'])]);
    const begun = hauls.next(states({ b: 'behind', c: 'behind' }));
    expect(begun?.source).toBe('a');
    const without = states({ b: 'behind', c: 'away' });
    expect(hauls.progress(without)).toMatchObject({ done: 0 });
    if (begun !== undefined) hauls.completed(begun);
    // Only what the lost one had a part in.
    expect(hauls.next(without)).toMatchObject({
      source: 'a',
      stretches: [{ kind: 'slot', slot: 1 }],
    });
  });

  test('needs nothing again when one is lost that it has heard', () => {
    const hauls = new Hauls([move(1, ['a', 'b', 'c'])]);
    for (let haul = hauls.next(states()); haul !== undefined; haul = hauls.next(states())) {
      hauls.completed(haul);
    }
    expect(hauls.progress(states({ c: 'away' }))).toMatchObject({ done: 1 });
    expect(hauls.next(states({ c: 'away' }))).toBeUndefined();
  });

  test('does not wait for those who were taken out', () => {
    const hauls = new Hauls([move(1, ['a', 'b', 'c']), move(2, ['b'])]);
    const gone = states({ b: 'gone', c: 'gone' });
    expect(hauls.progress(gone)).toMatchObject({ done: 1 });
    const haul = hauls.next(gone);
    if (haul !== undefined) hauls.completed(haul);
    expect(hauls.progress(gone)).toMatchObject({ done: 2 });
  });

  test('keeps what it has when there is more to come, and counts on', () => {
    const hauls = new Hauls(moves);
    hauls.moved(10, 1000);
    const haul = hauls.next(states());
    if (haul !== undefined) hauls.completed(haul);
    const later = new Hauls([...moves.slice(1), move(4, ['b'])], hauls);
    later.moved(1, 10);
    expect(later.progress(states())).toEqual({
      total: 3,
      done: 1,
      stuck: 0,
      bytes: 1010,
      items: 11,
    });
    const next = later.next(states({ a: 'away', c: 'away' }));
    expect(next).toMatchObject({
      source: 'b',
      // What others had told it lately before they were lost is asked for again.
      stretches: [
        { kind: 'slot', slot: 2 },
        { kind: 'slot', slot: 4 },
      ],
    });
  });

  test('hauls ranges by where they begin and end', () => {
    const range = (from: string, to: string | undefined): Move => ({
      stretch: {
        kind: 'range',
        from: new TextEncoder().encode(from),
        to: to === undefined ? undefined : new TextEncoder().encode(to),
      },
      sources: ['a'],
      target: 'd',
    });
    const hauls = new Hauls([range('', 'g'), range('g', undefined)]);
    const haul = hauls.next(states());
    if (haul !== undefined) hauls.completed(haul);
    expect(hauls.progress(states()).done).toBe(2);
    // One of them is divided: its halves count as others.
    const divided = new Hauls([range('', 'c'), range('c', 'g'), range('g', undefined)], hauls);
    expect(divided.progress(states()).done).toBe(1);
  });
});

describe('a meter', () => {
  test('lets no more through than it may, on average', () => {
    const clock = new HandTimers();
    const meter = new Meter(1000, clock);
    let [bytes, waitedMs] = [0, 0];
    for (let page = 0; page < 50; page++) {
      const pauseMs = meter.pauseAfter(200);
      bytes += 200;
      waitedMs += pauseMs;
      clock.pass(pauseMs);
    }
    expect(waitedMs).toBe(bytes - 1000);
    clock.pass(100_000);
    expect(meter.pauseAfter(1000)).toBe(0);
    expect(meter.pauseAfter(500)).toBe(500);
    meter.setRate(100);
    clock.pass(5_000);
    expect([meter.bytesPerSecond, meter.pauseAfter(100)]).toEqual([100, 1_000]);
  });
});
