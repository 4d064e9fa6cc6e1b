import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { LISTENERS } from './support/listeners.js';
import { startServer, type TestServer } from './support/server.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Comparing a megabyte byte by byte with `toEqual` takes seconds. */
const same = (a: unknown, b: Uint8Array): boolean =>
  a instanceof Uint8Array && Buffer.compare(a, b) === 0;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(LISTENERS)('the client against a node ($name)', ({ flags }) => {
  let server: TestServer;
  let cache: Client;

  beforeAll(async () => {
    server = await startServer({ flags: [...flags, '--max-value', '1mb'] });
    cache = connect(server.url);
  });
  beforeEach(() => cache.clear());
  afterAll(async () => {
    await cache.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('gives back what it stored, in every type', async () => {
    const values = {
      text: 'hello, 語 😀',
      empty: '',
      bytes: Uint8Array.of(0, 1, 255),
      nothing: null,
      number: 1.5,
      big: 2n ** 60n,
      date: new Date(0),
      nested: { list: [1, 'two', { three: [null, true] }], bytes: Uint8Array.of(7) },
    };
    for (const [key, value] of Object.entries(values)) {
      expect(await cache.set(key, value)).toBe(true);
      expect(await cache.get(key)).toEqual(value);
    }
    expect(await cache.get('missing')).toBeUndefined();
    expect(await cache.getWithMeta('missing')).toBeUndefined();
  });

  test('takes keys of any bytes', async () => {
    const key = Uint8Array.from({ length: 256 }, (_, i) => i);
    await cache.set(key, 'all bytes');
    await cache.set('k'.repeat(65_535), 'long');
    expect(await cache.get(key)).toBe('all bytes');
    expect(await cache.get('k'.repeat(65_535))).toBe('long');
    expect((await all(cache.scanBytes())).map((found) => found.length).sort()).toEqual([
      256, 65_535,
    ]);
    expect(await cache.del(key)).toBe(true);
    expect(await cache.del(key)).toBe(false);
  });

  test('lets values expire, and not', async () => {
    await cache.set('brief', 'v', { ttl: 60 });
    await cache.set('moment', 'v', { expiresAt: Date.now() + 60 });
    await cache.set('kept', 'old', { ttl: '10m' });
    await cache.set('kept', 'new', { keepTtl: true });
    await cache.set('touched', 'v', { ttl: 60 });
    expect(await cache.touch('touched', 'never')).toBe(true);
    expect(await cache.touch('missing', 1000)).toBe(false);
    const kept = await cache.getWithMeta('kept');
    expect(kept).toMatchObject({ value: 'new' });
    expect(kept?.ttlMs).toBeGreaterThan(590_000);
    expect((await cache.getWithMeta('touched'))?.ttlMs).toBeUndefined();
    await sleep(100);
    const left = await cache.getMany(['brief', 'moment', 'kept', 'touched']);
    expect(left).toEqual([undefined, undefined, 'new', 'v']);
  });

  test('keeps conditions', async () => {
    expect(await cache.set('k', 1, { ifPresent: true })).toBe(false);
    expect(await cache.set('k', 1, { ifAbsent: true })).toBe(true);
    expect(await cache.set('k', 2, { ifAbsent: true })).toBe(false);
    const first = await cache.getWithMeta('k');
    const second = await cache.setWithMeta('k', 2, { ifVersion: first?.version, returnOld: true });
    expect(second).toMatchObject({ stored: true, refusal: undefined, old: 1 });
    expect(second.version).toBeGreaterThan(first?.version ?? 0n);
    const late = await cache.setWithMeta('k', 3, { ifVersion: first?.version, returnOld: true });
    expect(late).toEqual({
      stored: false,
      refusal: 'version',
      version: second.version,
      ttlMs: undefined,
      old: 2,
    });
    expect(await cache.del('k', { ifVersion: first?.version })).toBe(false);
    expect(await cache.touch('k', '1m', { ifVersion: first?.version })).toBe(false);
    const removed = await cache.delWithMeta('k', { ifVersion: second.version, returnOld: true });
    expect(removed).toMatchObject({ deleted: true, old: 2 });
    expect(await cache.delWithMeta('k')).toMatchObject({ deleted: false, refusal: 'absent' });
    expect(await cache.setWithMeta('k', 3, { ifVersion: 1n })).toMatchObject({ refusal: 'absent' });
  });

  test('counts', async () => {
    expect(await cache.incr('n')).toBe(1);
    expect(await cache.incr('n', 41)).toBe(42);
    expect(await cache.decr('n', 2)).toBe(40);
    expect(await cache.incr('from', -1, { initial: 10, ttl: '1m' })).toBe(9);
    expect((await cache.getWithMeta('from'))?.ttlMs).toBeGreaterThan(50_000);
    expect(await cache.incr('missing', 1, { ifPresent: true })).toBeUndefined();
    expect(await cache.incr('n', 2n ** 62n)).toBe(2n ** 62n + 40n);
    await expect(cache.incr('n')).rejects.toMatchObject({
      code: 'UNSAFE_INTEGER',
      value: 2n ** 62n + 41n,
    });
    await expect(cache.incr('n', 2n ** 62n)).rejects.toMatchObject({ code: 'OVERFLOW' });
    await cache.set('text', 'no number');
    await expect(cache.incr('text')).rejects.toMatchObject({ code: 'NOT_A_NUMBER' });
    expect(await cache.get('n')).toBe(String(2n ** 62n + 41n));
  });

  test('handles many keys at once', async () => {
    const entries = Array.from({ length: 50_000 }, (_, i) => [`many:${i}`, `value ${i}`] as const);
    expect(await cache.setMany(entries)).toBe(entries.length);
    const keys = entries.map(([key]) => key);
    expect(await cache.getMany([...keys, 'missing'])).toEqual([
      ...entries.map(([, value]) => value),
      undefined,
    ]);
    expect(await cache.delMany([...keys.slice(0, 100), 'missing'])).toBe(100);
    const scanned = new Set(await all(cache.scan({ prefix: 'many:', pageSize: 1000 })));
    expect(scanned.size).toBe(entries.length - 100);
  });

  test('sees every key that stays while others come and go', async () => {
    await cache.setMany(Array.from({ length: 3000 }, (_, i) => [`stay:${i}`, i] as const));
    const seen = new Set<string>();
    let round = 0;
    for await (const key of cache.scan({ prefix: 'stay:', pageSize: 50 })) {
      seen.add(key);
      if (seen.size % 100 === 0) await cache.set(`come:${round++}`, round);
      if (seen.size % 150 === 0) await cache.del(`come:${round - 1}`);
    }
    expect(seen.size).toBe(3000);
    await cache.clear();
    expect(await all(cache.scan())).toEqual([]);
  });

  test('sends large values, and refuses larger ones without losing the connection', async () => {
    const limit = 1024 * 1024;
    const value = Uint8Array.from({ length: limit }, (_, i) => i * 31);
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(300_000));
    const writes = texts.map((text, i) => cache.set(`large:${i}`, text));
    expect(await Promise.all([cache.set('limit', value), ...writes])).not.toContain(false);
    expect(same(await cache.get('limit'), value)).toBe(true);
    expect(await cache.getMany(texts.map((_, i) => `large:${i}`))).toEqual(texts);
    const beside = cache.get('limit');
    await expect(cache.set('over', new Uint8Array(limit + 1))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      outcome: 'none',
    });
    expect(same(await beside, value)).toBe(true);
  });

  test('pings', async () => {
    expect(await cache.ping()).toBeLessThan(5000);
    await expect(cache.get('k', { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('agrees with a Map, whatever is called in whatever order', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.tuple(fc.constant('set' as const), key, fc.jsonValue()),
      fc.tuple(fc.constant('add' as const), key, fc.jsonValue()),
      fc.tuple(fc.constant('del' as const), key, fc.constant(null)),
      fc.tuple(fc.constant('get' as const), key, fc.constant(null)),
    );
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        fc.pre(!JSON.stringify(steps).includes('__proto__'));
        await cache.clear();
        const model = new Map<string, unknown>();
        const pending: [promise: Promise<unknown>, wanted: unknown][] = [];
        for (const [what, name, value] of steps) {
          const had = model.has(name);
          if (what === 'set' || (what === 'add' && !had)) model.set(name, plain(value));
          if (what === 'set') pending.push([cache.set(name, value), true]);
          if (what === 'add') pending.push([cache.set(name, value, { ifAbsent: true }), !had]);
          if (what === 'del') pending.push([cache.del(name), model.delete(name)]);
          if (what === 'get') pending.push([cache.get(name), model.get(name)]);
        }
        const results = await Promise.all(pending.map(([promise]) => promise));
        expect(results.map((r) => JSON.stringify(r))).toEqual(
          pending.map(([, wanted]) => JSON.stringify(wanted)),
        );
      }),
      { numRuns: 60 },
    );
  });
});
