import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/base/clock.js';
import {
  ClosedError,
  CounterOverflowError,
  createCache,
  InputError,
  InvalidArgumentError,
  NotANumberError,
  type SharedCache,
  TooLargeError,
  UnsafeIntegerError,
} from '../../src/embedded/index.js';

const START_MS = 1_750_000_000_000;
const MIB = 1024 * 1024;

let nowMs = START_MS;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };

let cache: SharedCache;

afterEach(() => cache.close());

describe.each([1, 3])('a cache in process, of %i arenas', (arenas) => {
  beforeEach(() => {
    nowMs = START_MS;
    cache = createCache({ memory: '32mb', arenas, maxValue: '1mb', maxThreads: 2 }, { clock });
  });

  test('gives back what was set, with its type', () => {
    const values = [
      'text',
      '',
      'ünïcödé 鍵 🔑',
      Uint8Array.from([0, 255, 128]),
      new Uint8Array(0),
      0,
      -1.5,
      12n ** 15n,
      true,
      null,
      [1, 'two', [3]],
      { a: { b: [null, { c: 'd' }] } },
      new Date(START_MS),
      new Set([1, 2]),
    ];
    values.forEach((value, index) => {
      expect(cache.set(`key ${index}`, value)).toBe(true);
    });
    values.forEach((value, index) => {
      expect(cache.get(`key ${index}`)).toEqual(value);
    });
    expect(cache.get('nothing')).toBeUndefined();
  });

  test('keeps a copy: later changes on either side do not show', () => {
    const bytes = Uint8Array.from([1, 2, 3]);
    cache.set('bytes', bytes);
    bytes[0] = 9;
    const got = cache.get<Uint8Array>('bytes') as Uint8Array;
    expect(got).toEqual(Uint8Array.from([1, 2, 3]));
    got[1] = 9;
    expect(cache.get('bytes')).toEqual(Uint8Array.from([1, 2, 3]));
    expect(got.buffer).toBeInstanceOf(ArrayBuffer);
    cache.set('nested', { bytes: Uint8Array.from([4]) });
    const nested = cache.get<{ bytes: Uint8Array }>('nested');
    cache.set('nested', { bytes: Uint8Array.from([5]) });
    expect(nested?.bytes[0]).toBe(4);
  });

  test('takes keys as text and as bytes', () => {
    cache.set('ü', 'text');
    expect(cache.get(new TextEncoder().encode('ü'))).toBe('text');
    cache.set(Uint8Array.from([255]), 'bytes');
    expect(cache.get(Uint8Array.from([255]))).toBe('bytes');
    expect([...cache.scanBytes()].map((key) => key.length).sort()).toEqual([1, 2]);
  });

  test('expires, touches and keeps', () => {
    cache.set('key', 'v', { ttl: '10s' });
    nowMs += 9_999;
    expect(cache.getWithMeta('key')).toMatchObject({ value: 'v', ttlMs: 1 });
    expect(cache.touch('key', '1m')).toBe(true);
    nowMs += 59_999;
    expect(cache.get('key')).toBe('v');
    expect(cache.set('key', 'w', { keepTtl: true })).toBe(true);
    nowMs += 1;
    expect(cache.get('key')).toBeUndefined();
    expect(cache.touch('key', 10)).toBe(false);
    cache.set('dated', 'v', { expiresAt: new Date(nowMs + 50) });
    expect(cache.touch('dated', 'never')).toBe(true);
    nowMs += 10 ** 12;
    expect(cache.get('dated')).toBe('v');
  });

  test('stores under conditions and says why not', () => {
    expect(cache.set('key', 1, { ifPresent: true })).toBe(false);
    expect(cache.set('key', 1, { ifAbsent: true })).toBe(true);
    expect(cache.set('key', 2, { ifAbsent: true })).toBe(false);
    const { version = 0n } = cache.getWithMeta('key') ?? {};
    expect(cache.set('key', 2, { ifVersion: version - 1n })).toBe(false);
    const result = cache.setWithMeta('key', 2, { ifVersion: version, returnOld: true });
    expect(result).toMatchObject({ stored: true, refusal: undefined, old: 1 });
    const refused = cache.setWithMeta('key', 3, { ifVersion: version });
    expect(refused).toMatchObject({ stored: false, refusal: 'version', version: result.version });
    expect(cache.del('key', { ifVersion: version })).toBe(false);
    expect(cache.delWithMeta('key', { returnOld: true })).toMatchObject({ deleted: true, old: 2 });
    expect(cache.delWithMeta('key')).toMatchObject({ deleted: false, refusal: 'absent' });
  });

  test('counts in numbers and bigints', () => {
    expect(cache.incr('n')).toBe(1);
    expect(cache.incr('n', 41)).toBe(42);
    expect(cache.decr('n', 2n)).toBe(40n);
    expect(cache.decr('n')).toBe(39);
    expect(cache.incr('m', 5, { initial: 100, ttl: '1s' })).toBe(105);
    nowMs += 1000;
    expect(cache.incr('m', 1, { ifPresent: true })).toBeUndefined();
    cache.set('n', String(2n ** 62n));
    expect(() => cache.incr('n')).toThrow(UnsafeIntegerError);
    expect(cache.incr('n', 1n)).toBe(2n ** 62n + 2n);
    expect(() => cache.incr('n', 2n ** 62n + 2n ** 61n)).toThrow(CounterOverflowError);
    cache.set('word', 'w');
    expect(() => cache.incr('word')).toThrow(NotANumberError);
  });

  test('does many things at once, in order', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `key ${index}`);
    expect(cache.setMany(keys.map((key, index) => [key, index]))).toBe(10_000);
    expect(cache.getMany(keys)).toEqual(keys.map((_, index) => index));
    expect(cache.getMany(['key 5', 'no', 'key 3'])).toEqual([5, undefined, 3]);
    expect(
      cache.setMany(
        new Map([
          ['key 1', 'x'],
          ['new', 'x'],
        ]),
        { ifAbsent: true },
      ),
    ).toBe(1);
    expect(cache.delMany(['key 1', 'no', 'new'])).toBe(2);
    expect(cache.getMany([])).toEqual([]);
    expect([...cache.scan({ pageSize: 10 })].length).toBe(9_999);
  });

  test('reads many large values, more than an outbox holds', () => {
    const large = (index: number) => new Uint8Array(900_000).fill(index);
    for (let index = 0; index < 10; index++) cache.set(`large ${index}`, large(index));
    const keys = Array.from({ length: 10 }, (_, index) => `large ${index}`);
    const values = cache.getMany<Uint8Array>(keys);
    expect(
      values.map((value, index) => Buffer.compare(value ?? new Uint8Array(0), large(index))),
    ).toEqual(keys.map(() => 0));
  });

  test('one failure among many does not stop the others', () => {
    const tooLarge = new Uint8Array(MIB + 1);
    const farTooLarge = new Uint8Array(4 * MIB);
    expect(() =>
      cache.setMany([
        ['a', 1],
        ['b', tooLarge],
        ['c', farTooLarge],
        ['d', 2],
      ]),
    ).toThrow(TooLargeError);
    expect(cache.getMany(['a', 'b', 'c', 'd'])).toEqual([1, undefined, undefined, 2]);
    expect(() => cache.set('e', farTooLarge)).toThrow(TooLargeError);
    expect(() => cache.set('k'.repeat(65_536), 1)).toThrow(InvalidArgumentError);
    expect(cache.get('a')).toBe(1);
  });

  test('scans by prefix and clears', () => {
    for (let index = 0; index < 500; index++)
      cache.set(`${index % 2 ? 'odd' : 'even'} ${index}`, 1);
    expect([...cache.scan({ prefix: 'odd' })].length).toBe(250);
    for (const key of cache.scan()) cache.del(key);
    expect([...cache.scan()]).toEqual([]);
    cache.set('key', 1);
    cache.clear();
    expect(cache.get('key')).toBeUndefined();
  });

  test('tells what it holds', () => {
    cache.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    cache.getMany(['a', 'b', 'c']);
    expect(cache.stats()).toMatchObject({ items: 2, hits: 2, misses: 1 });
  });

  test('refuses arguments that make no sense', () => {
    expect(() => cache.get('')).toThrow(InvalidArgumentError);
    expect(() => cache.set('key', undefined)).toThrow(InvalidArgumentError);
    expect(() => cache.set('key', () => 1)).toThrow(InvalidArgumentError);
    expect(() => cache.set('key', 1, { ttl: 0 })).toThrow(InvalidArgumentError);
    expect(() => cache.set('key', 1, { ttl: 5, keepTtl: true })).toThrow(InvalidArgumentError);
    expect(() => cache.incr('key', 1.5)).toThrow(InvalidArgumentError);
    expect(() => createCache({ memory: 'lots' })).toThrow(InputError);
    expect(() => createCache({ memory: '1mb' })).toThrow(/at least/);
    expect(() => createCache({ memory: '5gb', arenas: 1 })).toThrow(/at most/);
    expect(() => createCache({ memory: '1tb' })).toThrow(/at most/);
    expect(() => createCache({ maxThreads: 0 })).toThrow(InputError);
  });

  test('evicts when it is full', () => {
    for (let index = 0; index < 60_000; index++) cache.set(`key ${index}`, 'v'.repeat(1000));
    const { evicted, items } = cache.stats();
    expect(evicted.policy).toBeGreaterThan(20_000);
    expect(items).toBeGreaterThan(20_000);
  });

  test('is closed for good', () => {
    cache.close();
    cache.close();
    expect(() => cache.get('key')).toThrow(ClosedError);
    expect(() => cache.getMany(['key'])).toThrow(ClosedError);
    expect(() => cache.handle()).toThrow(ClosedError);
  });
});

test('a cache of 9gb is several arenas, and takes no memory that it does not use', () => {
  const large = createCache({ memory: '9gb', maxThreads: 2 }, { clock });
  const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`);
  expect(large.setMany(keys.map((key, index) => [key, index]))).toBe(300);
  expect(large.getMany(keys)).toEqual(keys.map((_, index) => index));
  expect([...large.scan()].sort()).toEqual([...keys].sort());
  expect(large.stats()).toMatchObject({ items: 300, memory: { storeBytes: 9 * 1024 * MIB } });
  large.clear();
  expect(large.getMany(keys).every((value) => value === undefined)).toBe(true);
  large.close();
  expect(process.memoryUsage.rss()).toBeLessThan(2 * 1024 * MIB);
});
