import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { LISTENERS } from '../e2e/support/listeners.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach } from './support/place.js';

/** Two thirds of them have no room in memory. */
const KEYS = 24_000;
const MEMORY = ['--memory', '32mb', '--max-value', '1mb', '--data-file-size', '4mb'];

const place = placeForEach();
let server: TestServer;
afterEach(async () => {
  await server.stop('SIGKILL');
});

const start = async (...flags: string[]): Promise<void> => {
  server = await startServer({
    flags: ['--data-dir', place.log, '--tier', 'ssd:256mb', ...MEMORY, ...flags],
  });
};

const valueFor = (n: number, round = 0): string => `${n}:${round}:`.padEnd(3000, `${n} `);

async function using<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = connect(server.url, { timeoutMs: 10_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Stores some keys, and waits until the log has them: else memory may evict them before that. */
async function store(client: Client, from: number, count: number, round = 0): Promise<void> {
  const before = (await stats()).log.records;
  const keys = Array.from({ length: count }, (_, n) => from + n);
  await client.setMany(keys.map((n) => [`key ${n}`, valueFor(n, round)]));
  for (;;) {
    const { records } = (await stats()).log;
    if (records >= before + count) return;
    await wait(5);
  }
}

async function fill(client: Client): Promise<void> {
  for (let from = 0; from < KEYS; from += 500) await store(client, from, 500);
}

/** What the folder holds, in bytes. */
function folderBytes(): number {
  const sizes = readdirSync(place.log).map((name) => {
    return statSync(join(place.log, name), { throwIfNoEntry: false })?.size ?? 0;
  });
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

interface TierStats {
  readonly items: number;
  readonly found: number;
  readonly lost: number;
  readonly promoted: number;
  readonly reads: number;
}

interface Stats {
  readonly tier: TierStats;
  readonly items: { readonly count: number };
  readonly log: { readonly records: number };
}

async function stats(): Promise<Stats> {
  return (await (await fetch(`${server.httpUrl}/v1/stats`)).json()) as never;
}

/** How many of the keys are there; each that is there has the right value. */
async function count(client: Client, from = 0, to = KEYS, round = 0): Promise<number> {
  let found = 0;
  for (let at = from; at < to; at += 250) {
    const keys = Array.from({ length: Math.min(250, to - at) }, (_, n) => `key ${at + n}`);
    for (const [n, value] of (await client.getMany(keys)).entries()) {
      if (value === undefined) continue;
      expect(value).toBe(valueFor(at + n, round));
      found++;
    }
  }
  return found;
}

describe.each(LISTENERS)('a tier ($name)', ({ flags }) => {
  it('reads values back that memory evicted, and is right about each verb', async () => {
    await start(...flags, ...MEMORY);
    await using(async (client) => {
      await fill(client);
      expect((await stats()).tier.items).toBeGreaterThan(KEYS / 4);
      expect(await count(client)).toBeGreaterThan(KEYS * 0.9);
      const { tier } = await stats();
      expect(tier.found).toBeGreaterThan(KEYS / 4);
      expect(tier.promoted).toBeGreaterThan(KEYS / 8);
      expect(tier.lost).toBe(0);

      // The first keys are on disk once more after all others were read.
      const seen = await client.getWithMeta('key 5');
      expect(seen?.value).toBe(valueFor(5));
      expect(await client.set('key 10', 'new')).toBe(true);
      expect(await client.get('key 10')).toBe('new');
      expect(await client.set('key 11', 'x', { ifAbsent: true })).toBe(false);
      expect(await client.get('key 11')).toBe(valueFor(11));
      expect(await client.set('key 12', 'y', { ifVersion: 12n })).toBe(false);
      expect(await client.set('key 13', 'z', { ifPresent: true })).toBe(true);
      const old = await client.setWithMeta('key 14', 'newer', { returnOld: true });
      expect(old.old).toBe(valueFor(14));
      expect(await client.del('key 15')).toBe(true);
      expect(await client.get('key 15')).toBeUndefined();
      expect((await client.delWithMeta('key 16', { returnOld: true })).old).toBe(valueFor(16));
      expect(await client.touch('key 17', '1s')).toBe(true);
      expect(await client.get('key 17')).toBe(valueFor(17));
      expect(await client.touch('key 18', '1h')).toBe(true);
      expect((await client.getWithMeta('key 18'))?.ttlMs).toBeGreaterThan(3_500_000);
      await expect(client.incr('key 19')).rejects.toMatchObject({ code: 'NOT_A_NUMBER' });
      const keys = new Set<string>();
      for await (const key of client.scan({ prefix: 'key 2' })) keys.add(key);
      expect(keys.size).toBeGreaterThan(4444 * 0.9);
      await wait(1100);
      expect(await client.get('key 17')).toBeUndefined();
      await client.clear();
      expect(await count(client)).toBe(0);
    });
  });
});

describe('a tier', () => {
  it('is there again after a restart and after a crash, also for several arenas', async () => {
    await start('--arenas', '2');
    await using(fill);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await wait(1500);
      await server.stop(signal);
      await start();
      await using(async (client) => {
        expect(await count(client)).toBeGreaterThan(KEYS * 0.9);
        expect((await stats()).tier.found).toBeGreaterThan(KEYS / 4);
        await client.del('key 3');
        expect(await client.get('key 3')).toBeUndefined();
      });
    }
  });

  it('never answers with what it should not, whatever becomes of its files', async () => {
    await start();
    await using(async (client) => {
      await fill(client);
      const files = readdirSync(place.log)
        .filter((name) => name.endsWith('.orlop'))
        .sort();
      const [first = '', second = ''] = files;
      rmSync(join(place.log, first));
      const bytes = readFileSync(join(place.log, second));
      for (let at = 300; at < bytes.length; at += 777) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      writeFileSync(join(place.log, second), bytes);
      const found = await count(client);
      expect(found).toBeGreaterThan(KEYS / 2);
      expect(found).toBeLessThan(KEYS - 1500);
      expect((await stats()).tier.lost).toBeGreaterThan(1000);
      // What was lost can be written anew.
      expect(await client.set('key 0', valueFor(0, 1))).toBe(true);
      expect(await client.get('key 0')).toBe(valueFor(0, 1));
      const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
      expect(metrics).toMatch(/^orlop_tier_lost_total [1-9]/m);
      expect(metrics).toMatch(/^orlop_tier_read_duration_seconds_count [1-9]/m);
    });
  });

  it.each(['lru', 'lfu', 'tinylfu', 'sieve', 'fifo'])('works with %s', async (policy) => {
    await start('--policy', policy);
    await using(async (client) => {
      await fill(client);
      expect(await count(client)).toBeGreaterThan(KEYS * 0.9);
      const { tier } = await stats();
      expect(tier.found).toBeGreaterThan(KEYS / 4);
      expect(tier.lost).toBe(0);
    });
  });

  it('is backed up without anything coming back into memory', async () => {
    await start();
    await using(fill);
    const before = (await stats()).tier;
    const file = join(place.log, '..', 'all.orlop');
    const made = await orlop(['backup', file, '--url', server.url, '--json']);
    expect(JSON.parse(made.stdout).items).toBeGreaterThan(KEYS * 0.9);
    const { tier } = await stats();
    expect(tier.found - before.found).toBeGreaterThan(KEYS / 4);
    expect([tier.promoted, tier.items]).toEqual([before.promoted, before.items]);
  });

  it('keeps the folder within its size and what the log of the memory may have', async () => {
    const [sizeBytes, memoryBytes] = [32 * 2 ** 20, 16 * 2 ** 20];
    await start('--tier', 'ssd:32mb', '--memory', '16mb');
    let most = 0;
    await using(async (client) => {
      for (let round = 0; round < 3; round++) {
        for (let from = 0; from < KEYS / 2; from += 250) {
          await store(client, from, 250, round);
          most = Math.max(most, folderBytes());
        }
      }
      await expect
        .poll(folderBytes, { timeout: 60_000 })
        .toBeLessThan(0.9 * sizeBytes + 2.5 * memoryBytes + 8 * 2 ** 20);
      // What was written last is there, up to three fifths of the size and what memory holds.
      const last = Math.floor((0.5 * sizeBytes) / 3100);
      expect(await count(client, KEYS / 2 - last, KEYS / 2, 2)).toBeGreaterThan(last * 0.9);
    });
    expect(most).toBeLessThan(2 * (sizeBytes + 2.5 * memoryBytes));
  });

  it('is refused without a folder', async () => {
    const refused = await orlop(['serve', '--port', '0', '--tier', 'ssd:1gb']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('data-dir');
    await start();
  });
});
