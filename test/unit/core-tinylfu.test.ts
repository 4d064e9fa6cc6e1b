import { expect, test } from 'vitest';
import type { Arena } from '../../src/arena/arena.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Policy } from '../../src/config/config.js';
import { describeBuilds, type Open } from '../model/support/builds.js';
import { MIB, type Rig } from '../model/support/rig.js';
import { seed } from '../model/support/seed.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';
import { zipf } from '../model/support/zipf.js';
import { countedRegions, rankedRegions, sketchCounts, windowShare } from './support/regions.js';

const ITEMS = 400;
const BOUNDED = { memoryBytes: MIB, segmentBytes: 4096, maxItems: ITEMS };

/** Reads through: what is not there is written. Returns how many of the requests hit. */
function hitsOf(rig: Rig, keys: Iterable<number>): number {
  let hits = 0;
  for (const key of keys) {
    if (rig.one({ op: OP.GET, key: `key ${key}` }).status === STATUS.OK) hits++;
    else rig.one({ op: OP.SET, key: `key ${key}`, value: 'v'.repeat(60) });
  }
  return hits;
}

function* take(count: number, next: (index: number) => number): Generator<number> {
  for (let index = 0; index < count; index++) yield next(index);
}

function hitsUnder(open: Open, policy: Policy, keys: Iterable<number>): number {
  return hitsOf(open({ ...BOUNDED, policy }), keys);
}

/** Does one thing at random with one of `keys` keys. */
function anything(rig: Rig, random: Random, keys: number): void {
  const key = `key ${random.below(keys)}`;
  const value = 'x'.repeat(random.below(random.below(30) === 0 ? 6000 : 200));
  const ttl = { flags: FLAG.TTL, ttlMs: 1 + random.below(3000) };
  rig.nowMs += random.below(3);
  const dice = random.below(100);
  if (dice < 45) rig.get(key);
  else if (dice < 70) rig.one({ op: OP.SET, key, value });
  else if (dice < 80) rig.one({ op: OP.SET, key, value, ...ttl });
  else if (dice < 88) rig.one({ op: OP.TOUCH, key, ...ttl });
  else if (dice < 93) rig.delete(key);
  else if (dice < 99) rig.firstLane.sweep(rig.nowMs, 16);
  else if (random.below(400) === 0) rig.clear();
}

/** The regions by count and by rank, which have to be the same, and all items in one of them. */
function expectExactRegions(arena: Arena): void {
  const [out, ...regions] = countedRegions(arena);
  expect([0, ...regions]).toEqual(rankedRegions(arena));
  expect(out).toBe(0);
  expect(regions.reduce((sum, items) => sum + items, 0)).toBe(arena.stats().items);
}

describeBuilds('tinylfu', (open) => {
  test.each([300, undefined])('counts who is in which region (at most %s items)', (maxItems) => {
    const memory = { memoryBytes: 900_000, segmentBytes: 4096, lanes: 2 };
    const first = open({ ...memory, policy: 'tinylfu', maxItems });
    const random = seededRandom(seed);
    const second = first.beside(1);
    for (let index = 0; index < 40_000; index++) {
      const rig = random.below(3) === 0 ? second : first;
      rig.nowMs = Math.max(first.nowMs, second.nowMs);
      anything(rig, random, 12_000);
      if (index % 4000 === 0) expectExactRegions(first.arena);
    }
    expectExactRegions(first.arena);
    expect(first.arena.stats().evicted.policy).toBeGreaterThan(200);
  });

  test('has a window of a hundredth and protects four fifths of the rest at most', () => {
    const rig = open({ ...BOUNDED, policy: 'tinylfu' });
    const draw = zipf(2000, 0.9, seededRandom(seed));
    // Less than the ten requests for each item after which the window begins to climb.
    hitsOf(rig, take(ITEMS * 9, draw));
    expect(windowShare(rig.arena)).toBe(0);
    const [, window, probation, protected_] = countedRegions(rig.arena);
    expect(window).toBe(ITEMS / 100);
    expect(protected_).toBeLessThanOrEqual(0.8 * 0.99 * ITEMS + 16);
    expect(probation).toBeGreaterThanOrEqual(0.2 * 0.99 * ITEMS - 16);
  });

  test('counts a key in one counter of each quarter of a block, up to fifteen', () => {
    const rig = open({ ...BOUNDED, policy: 'tinylfu' });
    rig.set('key', 'v');
    for (let reads = 0; reads < 6; reads++) rig.get('key');
    const counts = sketchCounts(rig.arena);
    expect(counts.map(({ quarter, count }) => [quarter, count])).toEqual([
      [0, 7],
      [1, 7],
      [2, 7],
      [3, 7],
    ]);
    expect(new Set(counts.map(({ block }) => block)).size).toBe(1);
    for (let reads = 0; reads < 20; reads++) rig.get('key');
    expect(sketchCounts(rig.arena).map(({ count }) => count)).toEqual([15, 15, 15, 15]);
  });

  test('halves all counters when ten requests for each item were counted', () => {
    const rig = open({ ...BOUNDED, maxItems: 100, policy: 'tinylfu' });
    const sum = () => sketchCounts(rig.arena).reduce((all, { count }) => all + count, 0);
    let most = 0;
    let before = 0;
    let index = 0;
    for (; sum() >= before && index < 2000; index++) {
      before = sum();
      most = Math.max(most, before);
      rig.set(`key ${index}`, 'v');
    }
    expect(index).toBeGreaterThan(990);
    expect(index).toBeLessThan(1010);
    expect(sum()).toBeLessThan(most * 0.55);
  });

  test('keeps most of a loop a little larger than the cache, of which lru keeps nothing', () => {
    const keys = Math.round(ITEMS * 1.25);
    const loop = () => take(keys * 40, (index) => index % keys);
    expect(hitsUnder(open, 'lru', loop())).toBeLessThan(keys * 40 * 0.02);
    expect(hitsUnder(open, 'tinylfu', loop())).toBeGreaterThan(keys * 40 * 0.6);
  });

  test('is not disturbed by keys that are asked for once', () => {
    const stream = (scans: boolean) => {
      const draw = zipf(4000, 0.9, seededRandom(seed));
      return take(40_000, (index) => (scans && index % 2000 < 800 ? 10_000 + index : draw()));
    };
    const scans = 40_000 * 0.4;
    const quiet = hitsUnder(open, 'tinylfu', stream(false)) / 40_000;
    const through = hitsUnder(open, 'tinylfu', stream(true)) / (40_000 - scans);
    expect(through).toBeGreaterThan(quiet * 0.94);
    const plain = hitsUnder(open, 'lru', stream(true)) / (40_000 - scans);
    expect(through).toBeGreaterThan(plain * 1.15);
  });

  test('lets the window grow where what is new is wanted, more than where it is not', () => {
    const recent = open({ ...BOUNDED, policy: 'tinylfu' });
    // A key is asked for often for a while, then never again.
    const random = seededRandom(seed);
    hitsOf(
      recent,
      take(150_000, (index) => Math.floor(index / 8) - random.below(ITEMS)),
    );
    expect(windowShare(recent.arena)).toBeGreaterThan(0.3);
    const popular = open({ ...BOUNDED, policy: 'tinylfu' });
    hitsOf(popular, take(150_000, zipf(5000, 1, seededRandom(seed))));
    expect(windowShare(popular.arena)).toBeLessThan(windowShare(recent.arena));
  });
});
