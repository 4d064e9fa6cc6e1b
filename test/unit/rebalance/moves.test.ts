import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { SLOTS } from '../../../src/base/slot.js';
import { imbalanceOf, type Move, movesBetween } from '../../../src/rebalance/moves.js';
import { Schedule, type Stream } from '../../../src/rebalance/schedule.js';
import {
  pressureOf,
  type RangeReport,
  shortestBetween,
  splitOf,
} from '../../../src/rebalance/splits.js';
import { loadsOf, ownersOf, placementOf } from '../../../src/ring/placement.js';
import { equalNodes, layout, member } from '../ring/support/clusters.js';

const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const nodes = ['a', 'b', 'c', 'd'].map((id) => member(id));

describe('moves', () => {
  test('bring each new owner what it owns, from one that has it, and nothing else', () => {
    const [before, after] = [layout(nodes.slice(0, 3), 2), layout(nodes, 2)];
    const moves = movesBetween(before, after, 'hash');
    const [from, to] = [placementOf(before, 'hash'), placementOf(after, 'hash')];
    const held = Array.from({ length: SLOTS }, (_, slot) =>
      ownersOf(from, slot).map(({ id }) => id),
    );
    for (const { stretch, sources, target } of moves) {
      const slot = stretch.kind === 'slot' ? stretch.slot : -1;
      expect(held[slot]).toEqual(sources);
      expect(sources).not.toContain(target);
      held[slot]?.push(target);
    }
    held.forEach((ids, slot) => {
      expect(ids).toEqual(expect.arrayContaining(ownersOf(to, slot).map(({ id }) => id)));
    });
    expect(moves.length).toBeLessThanOrEqual(1.3 * (loadsOf(to)[3] as number));
  });

  test('of nothing are none', () => {
    expect(movesBetween(layout(nodes, 3), layout(nodes, 3), 'hash')).toEqual([]);
  });

  test('of ranges are cut where either layout is', () => {
    const ranges = ['', 'g', 'p'].map((from, id) => ({ id, from: key(from) }));
    const before = { ...layout(nodes, 1), ranges };
    const split = [ranges[0], { id: 3, from: key('c') }, ...ranges.slice(1)];
    const after = { ...layout(nodes.slice(0, 2), 1), ranges: split as typeof ranges };
    const moves = movesBetween(before, after, 'range');
    const cuts = ['', 'c', 'g', 'p'];
    expect(moves.length).toBeGreaterThan(0);
    for (const { stretch, target } of moves) {
      if (stretch.kind !== 'range') throw new Error('a slot among ranges');
      const at = cuts.indexOf(new TextDecoder().decode(stretch.from));
      expect(at).toBeGreaterThanOrEqual(0);
      expect(stretch.to).toEqual(at === 3 ? undefined : key(cuts[at + 1] as string));
      expect(['a', 'b']).toContain(target);
    }
  });

  test('are worth it when somebody holds too much', () => {
    const placement = placementOf(layout(nodes, 1), 'hash');
    expect(imbalanceOf(placement, () => 1)).toBeLessThan(0.1);
    const heavy = ownersOf(placement, 0)[0];
    const sizes = (slot: number): number => (ownersOf(placement, slot)[0] === heavy ? 2 : 1);
    expect(imbalanceOf(placement, sizes)).toBeGreaterThan(0.5);
    expect(imbalanceOf(placement, () => 0)).toBe(0);
  });
});

describe('a schedule', () => {
  const pace = { streamsPerNode: 2, bytesPerSecond: 1000 };
  const isAlive = (): boolean => true;
  const moves = movesBetween(layout(equalNodes(seededRandom(3), 4), 2), layout(nodes, 2), 'hash');

  test('runs everything once, never more than so many streams at a node', () => {
    const random = seededRandom(4);
    const schedule = new Schedule(moves, pace, 0);
    const running: Stream[] = [];
    const done = new Set<Move>();
    for (let nowMs = 0; !schedule.finished; nowMs += 1000) {
      running.push(...schedule.next(nowMs, isAlive));
      const counts = new Map<string, number>();
      for (const { source, move } of running) {
        for (const id of [source, move.target]) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
      expect(schedule.progress.running).toBe(running.length);
      const [{ move }] = running.splice(random.below(running.length), 1) as [Stream];
      const arrived = random.below(4) > 0;
      schedule.ended(move, arrived);
      expect(done.has(move)).toBe(false);
      if (arrived) done.add(move);
      if (done.size > 200) break;
    }
    expect(done.size).toBe(201);
    expect(schedule.progress).toMatchObject({ total: moves.length, done: 201, stuck: 0 });
  });

  test('waits when more bytes have moved than are allowed', () => {
    const schedule = new Schedule(moves, pace, 0);
    const [first] = schedule.next(0, isAlive);
    schedule.moved(3000);
    schedule.ended(first?.move as Move, true);
    expect(schedule.next(1000, isAlive)).toEqual([]);
    expect(schedule.next(1999, isAlive)).toEqual([]);
    expect(schedule.next(2100, isAlive).length).toBeGreaterThan(0);
    expect(schedule.progress.bytes).toBe(3000);
  });

  test('begins with what has the fewest owners alive, and leaves what has none', () => {
    const stretch = { kind: 'slot', slot: 1 } as const;
    const safe = { stretch, sources: ['a', 'b'], target: 'x' };
    const endangered = { stretch, sources: ['a', 'gone'], target: 'y' };
    const lost = { stretch, sources: ['gone'], target: 'z' };
    const schedule = new Schedule([safe, lost, endangered], { ...pace, streamsPerNode: 1 }, 0);
    const begun = schedule.next(0, (id) => id !== 'gone');
    expect(begun).toEqual([
      { move: endangered, source: 'a' },
      { move: safe, source: 'b' },
    ]);
    expect(schedule.progress.stuck).toBe(1);
    expect(schedule.next(1, isAlive).map(({ move }) => move)).toEqual([lost]);
  });
});

describe('splits', () => {
  const limits = { maxBytes: 1000, hotRequestsPerSecond: 100, threshold: 0.5 };
  const report = (changes: Partial<RangeReport>): RangeReport => ({
    from: key(''),
    bytes: 10,
    requestsPerSecond: 10,
    middle: key('middle'),
    ...changes,
  });

  test('divide the largest range, at the shortest key that does', () => {
    const large = report({ from: key('user:1'), bytes: 1500, middle: key('user:2000') });
    const larger = report({ from: key('user:3'), bytes: 2500, middle: key('user:7000') });
    expect(splitOf([report({}), large, larger], 3, limits)).toEqual(key('user:7'));
    expect(splitOf([report({}), report({ bytes: 1000 })], 3, limits)).toBeUndefined();
  });

  test('divide what gets more than its share of the requests', () => {
    const hot = report({ from: key('h'), requestsPerSecond: 600, middle: key('hot') });
    const others = [report({ requestsPerSecond: 300 }), report({ requestsPerSecond: 300 })];
    expect(pressureOf(hot, 1200, 3, limits)).toBe(1);
    expect(splitOf([hot, ...others], 3, limits)).toBeUndefined();
    expect(splitOf([hot, ...others], 4, limits)).toEqual(key('ho'));
    const few = others.map((one) => ({ ...one, requestsPerSecond: 1 }));
    expect(splitOf([report({ requestsPerSecond: 99 }), ...few], 4, limits)).toBeUndefined();
  });

  test('leave alone what has no middle', () => {
    expect(splitOf([report({ bytes: 5000, middle: undefined })], 3, limits)).toBeUndefined();
    const single = report({ from: key('k'), bytes: 5000, middle: key('k') });
    expect(splitOf([single], 3, limits)).toBeUndefined();
  });

  test('need no more of a key than tells it from the one before', () => {
    expect(shortestBetween(key(''), key('abc'))).toEqual(key('a'));
    expect(shortestBetween(key('ab'), key('abcd'))).toEqual(key('abc'));
    expect(shortestBetween(key('abx'), key('ac'))).toEqual(key('ac'));
  });
});
