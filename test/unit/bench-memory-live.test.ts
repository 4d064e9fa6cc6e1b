import { afterEach, describe, expect, test } from 'vitest';
import type { LiveResult, SmallResult } from '../../bench/memory/live.js';
import {
  hotKeysOf,
  LARGE_MIX,
  MixedWrites,
  meanBetween,
  SMALL_MIX,
} from '../../bench/memory/mixedWrites.js';
import { reachableIn } from '../../bench/memory/reachable.js';
import {
  besideRow,
  besideTable,
  isLiveEnough,
  isUnharmed,
  liveRow,
  liveTable,
} from '../../bench/memory/rows.js';
import { SmallReads, storeSmall } from '../../bench/memory/smallReads.js';
import { createCache, type SharedCache } from '../../src/embedded/index.js';

let cache: SharedCache | undefined;

afterEach(() => {
  cache?.close();
  cache = undefined;
});

function open(memory: string): SharedCache {
  cache = createCache({ memory, maxThreads: 2 });
  return cache;
}

describe('mixed writes', () => {
  const draws = Array.from({ length: 20_000 }, (_, n) => n);
  const drawn = (seed = 5) => {
    const writes = new MixedWrites(SMALL_MIX, 1000, 0, seed);
    return draws.map(() => writes.next());
  };

  test('repeat themselves for the same seed', () => {
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7)).not.toEqual(drawn(8));
  });

  test('overwrite as many keys and expire as often as the mix says', () => {
    const writes = drawn();
    const share = (some: typeof writes) => some.length / writes.length;
    const hot = writes.filter(({ key }) => Number(key.slice(4)) < 1000);
    expect(share(hot)).toBeCloseTo(SMALL_MIX.overwriteShare, 1);
    expect(new Set(hot.map(({ key }) => key)).size).toBe(1000);
    expect(share(writes.filter(({ ttl }) => ttl !== undefined))).toBeCloseTo(0.5, 1);
    const fresh = writes.filter(({ key }) => Number(key.slice(4)) >= 1000);
    expect(new Set(fresh.map(({ key }) => key)).size).toBe(fresh.length);
  });

  test('are of all sizes between the bounds, small ones more often', () => {
    const sizes = drawn().map(({ valueBytes }) => valueBytes);
    expect(Math.min(...sizes)).toBe(20);
    expect(Math.max(...sizes)).toBeGreaterThan(1900);
    expect(Math.max(...sizes)).toBeLessThan(2000);
    const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
    expect(Math.abs(mean / meanBetween(20, 2000) - 1)).toBeLessThan(0.05);
    expect(sizes.filter((bytes) => bytes < 200).length / sizes.length).toBeCloseTo(0.5, 1);
  });

  test('of two threads share the hot keys and nothing else', () => {
    const [one, other] = [0, 1].map((thread) => {
      const writes = new MixedWrites(LARGE_MIX, 10, thread, 1);
      return new Set(draws.slice(0, 500).map(() => writes.next().key));
    });
    const both = [...(one ?? [])].filter((key) => other?.has(key));
    expect(both.length).toBe(10);
    expect(hotKeysOf(LARGE_MIX, 2 ** 28)).toBeGreaterThan(100);
  });
});

describe('what can be reached', () => {
  test('is what the core counts, header, key and value of each item', async () => {
    const store = open('16mb');
    store.set('short', new Uint8Array(5));
    store.set('a key of some length', new Uint8Array(300_000));
    store.set('gone', new Uint8Array(9));
    store.del('gone');
    const reachable = await reachableIn(store);
    expect(reachable).toEqual({ items: 2, bytes: 2 * 18 + 5 + 5 + 20 + 300_000 });
    expect(store.stats().itemBytes).toBe(reachable.bytes);
  });

  test('is what the core counts after a churn without expiries', async () => {
    const store = open('16mb');
    const mix = { ...SMALL_MIX, ttlShare: 0 };
    const writes = new MixedWrites(mix, hotKeysOf(mix, 2 ** 24), 0, 11);
    for (let n = 0; n < 100_000; n++) {
      const { key, valueBytes } = writes.next();
      store.set(key, new Uint8Array(valueBytes));
    }
    const { items, itemBytes, evicted } = store.stats();
    expect(evicted.policy).toBeGreaterThan(1000);
    expect(await reachableIn(store)).toEqual({ items, bytes: itemBytes });
  });

  test('is not what has expired, even where the core still counts it', async () => {
    const store = open('16mb');
    for (let n = 0; n < 100; n++) store.set(`brief ${n}`, new Uint8Array(50), { ttl: 20 });
    store.set('lasting', new Uint8Array(50), { ttl: '1h' });
    expect(store.stats().items).toBe(101);
    const untilMs = Date.now() + 30;
    while (Date.now() < untilMs);
    expect(store.stats().items).toBe(101);
    expect(await reachableIn(store)).toEqual({ items: 1, bytes: 18 + 7 + 50 });
  });

  test('must be bytes', async () => {
    const store = open('16mb');
    store.set('text', 'text');
    await expect(reachableIn(store)).rejects.toThrow('not bytes');
  });
});

test('small reads count hits, and store what is missing', () => {
  const store = open('16mb');
  storeSmall(store, 100);
  const reads = new SmallReads(store, 100, 3);
  for (let n = 0; n < 20; n++) reads.batch();
  expect([reads.reads, reads.hits, reads.latencies.totalCount]).toEqual([1280, 1280, 20]);
  const first = [...store.scan()].slice(0, 10);
  store.delMany(first);
  for (let n = 0; n < 50; n++) reads.batch();
  expect(reads.reads - reads.hits).toBeGreaterThanOrEqual(10);
  expect(store.stats().items).toBe(100);
});

describe('the report', () => {
  const live = (liveShare: number, mix = SMALL_MIX): LiveResult => ({
    through: 'arena',
    mix,
    memoryBytes: 2 ** 27,
    writtenBytes: 2 ** 31,
    reachable: { items: 10, bytes: 900 },
    segmentBytes: 1000,
    countedBytes: 950,
    liveShare,
  });
  const small = (hitRatio: number): SmallResult => ({ reads: 640, hitRatio, p50Us: 20, p99Us: 90 });

  test('judges the share that is alive', () => {
    expect(isLiveEnough(live(0.9))).toBe(true);
    expect(isLiveEnough(live(0.8999))).toBe(false);
    expect(isLiveEnough(live(0.85, LARGE_MIX))).toBe(true);
    expect(isLiveEnough(live(0.849, LARGE_MIX))).toBe(false);
    expect(liveRow(live(0.9))).toMatchObject({ mix: '20 B to 2 kB', liveShare: 0.9 });
    expect(liveRow(live(0.9)).countedShare).toBe(0.95);
    expect(liveTable([live(0.8)])).toContain('≥ 90.0 % NOT MET');
  });

  test('judges the hits beside large values by those alone', () => {
    const result = (beside: number) => ({
      mix: LARGE_MIX,
      alone: small(0.5),
      beside: small(beside),
    });
    expect(isUnharmed(result(0.49))).toBe(true);
    expect(isUnharmed(result(0.48))).toBe(false);
    expect(besideRow(result(0.4))).toMatchObject({ hitRatioAlone: 0.5, hitRatioBeside: 0.4 });
    expect(besideTable(result(0.4))).toContain('NOT MET');
  });
});
