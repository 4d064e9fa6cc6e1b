import { describe, expect, test } from 'vitest';
import { NumberedSets, SETS } from '../../bench/memory/numberedSets.js';
import type { OverheadResult } from '../../bench/memory/overhead.js';
import { halfOf, overheadOf, share, worstOf } from '../../bench/memory/perItem.js';
import {
  memcachedAccount,
  nodeAccount,
  redisAccount,
  residentBytesIn,
  residentBytesOf,
} from '../../bench/memory/readings.js';
import { meetsGoal, memoryJson, overheadRow, overheadTable } from '../../bench/memory/rows.js';

const readings = {
  empty: { items: 0, residentBytes: 50_000, accountedBytes: 9000 },
  half: { items: 1000, residentBytes: 200_000, accountedBytes: 150_000 },
  whole: { items: 2000, residentBytes: 340_000, accountedBytes: 280_000 },
};

describe('bytes per item', () => {
  test('are growth, account and slopes, less key and value', () => {
    expect(overheadOf(readings, 116, 500_000)).toEqual({
      resident: 290_000 / 2000 - 116,
      accounted: 280_000 / 2000 - 116,
      residentSlope: 140 - 116,
      accountedSlope: 130 - 116,
      full: null,
    });
  });

  test('of a full cache are all of its memory by its items', () => {
    const full = { items: 3000, residentBytes: 1, accountedBytes: 1 };
    const overhead = overheadOf({ ...readings, full }, 116, 600_000);
    expect(overhead.full).toBe(200 - 116);
    expect(worstOf(overhead)).toBe(84);
  });

  test('of nothing are an error', () => {
    expect(() => share(10, 0)).toThrow("10 bytes can't be shared by 0 items");
    const { half } = readings;
    expect(() => overheadOf({ ...readings, whole: half }, 1, 1)).toThrow('shared by 0 items');
  });

  test('the worst figure leaves out what was not measured', () => {
    expect(worstOf(overheadOf(readings, 116, 1))).toBe(29);
  });

  test('a half is what fits, at most half of the bound, in whole steps', () => {
    const limits = { fillShare: 0.8, roomBytes: 40, itemsMax: 10_000, step: 16 };
    expect(halfOf(60, 1_000_000, limits)).toBe(4000);
    expect(halfOf(60, 10_000_000, limits)).toBe(4992);
    expect(() => halfOf(60, 1000, limits)).toThrow('too few');
  });
});

describe('readings', () => {
  test('the resident set is in KiB', () => {
    expect(residentBytesIn('Name:\tnode\nVmHWM:\t  9 kB\nVmRSS:\t   1234 kB\n')).toBe(1234 * 1024);
    expect(() => residentBytesIn('Name:\tnode\n')).toThrow("not a process's status");
    expect(residentBytesOf(process.pid)).toBeGreaterThan(10 * 2 ** 20);
  });

  test('a node takes everything but free segments', () => {
    const memory = { storeBytes: 1000, usedBytes: 5, deadBytes: 1 };
    const segments = { total: 9, free: 3, bytes: 100 };
    const account = nodeAccount({ items: { count: 7, bytes: 300 }, memory, segments });
    expect(account).toEqual({ items: 7, accountedBytes: 700 });
  });

  test('Redis takes what it uses beyond its start', () => {
    const info = '$60\r\n# Memory\r\nused_memory:5000\r\nused_memory_startup:900\r\n\r\n';
    expect(redisAccount(info, ':42\r\n')).toEqual({ items: 42, accountedBytes: 4100 });
    expect(() => redisAccount('$-1\r\n', ':42\r\n')).toThrow('its used_memory');
    expect(() => redisAccount(info, '-ERR\r\n')).toThrow('its size');
  });

  test('memcached takes the chunks in use and its hash table', () => {
    const stats = 'STAT curr_items 5\r\nSTAT hash_bytes 1000\r\nEND\r\n';
    const slabs = [1, 2].flatMap((slab) => [
      `STAT ${slab}:chunk_size ${slab * 100}`,
      `STAT ${slab}:used_chunks ${slab + 1}`,
      `STAT ${slab}:free_chunks 50`,
    ]);
    const account = memcachedAccount(stats, `${slabs.join('\r\n')}\r\nEND\r\n`);
    expect(account).toEqual({ items: 5, accountedBytes: 1000 + 2 * 100 + 3 * 200 });
  });
});

describe('numbered SETs', () => {
  const text = (sets: NumberedSets, from: number, bytes: number): string =>
    sets.pool.bytes.toString('latin1', from, from + bytes);

  test('of Redis and memcached are as they are written in their protocols', () => {
    const redis = new NumberedSets('redis', { valueBytes: 8, hasTtl: true });
    redis.renumber(41);
    const first =
      '*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000041\r\n$8\r\naaaaaaaa\r\n$2\r\nEX\r\n$4\r\n3600\r\n';
    expect(text(redis, 0, first.length)).toBe(first);
    expect(text(redis, first.length, first.length)).toBe(first.replace('41', '42'));
    expect(redis.pool.bytes.length).toBe(first.length * SETS);

    const memcached = new NumberedSets('memcached', { valueBytes: 3, hasTtl: false });
    expect(text(memcached, 0, 29)).toBe('ms key:000000000000 3\r\naaa\r\n'.padEnd(29, 'ms '));
    const expiring = new NumberedSets('memcached', { valueBytes: 3, hasTtl: true });
    expect(text(expiring, 0, 27)).toBe('ms key:000000000000 3 T3600');
  });

  test('of Orlop are frames of 64 whose keys can be replaced', () => {
    const sets = new NumberedSets('orlop', { valueBytes: 8, hasTtl: true });
    sets.renumber(7);
    const setBytes = 20 + 8 + 16 + 8;
    const { bytes, starts } = sets.pool;
    expect(starts.length).toBe(SETS / 64 + 1);
    for (const [index, number] of [
      [0, 7],
      [63, 70],
      [64, 71],
      [SETS - 1, SETS + 6],
    ] as const) {
      const frameAt = (starts[Math.floor(index / 64) + 1] ?? 0) - 64 * setBytes;
      const at = frameAt + (index % 64) * setBytes;
      expect(bytes.readUInt32LE(at)).toBe(setBytes);
      expect(bytes[at + 8]).toBe(0x11);
      expect(bytes.readUInt16LE(at + 12)).toBe(1);
      expect(bytes.readBigUInt64LE(at + 20)).toBe(3_600_000n);
      expect(bytes.toString('latin1', at + 28, at + 52)).toBe(
        `key:${String(number).padStart(12, '0')}aaaaaaaa`,
      );
    }
    expect(bytes.readUInt32LE((starts[1] ?? 0) - 64 * setBytes - 4)).toBe(0);
  });
});

describe('the report', () => {
  const result = (valueBytes: number, full: number, system = 'orlop'): OverheadResult => ({
    system: system as 'orlop',
    valueBytes,
    hasTtl: true,
    items: 2000,
    itemsFull: 3000,
    overhead: {
      resident: 30.04,
      accounted: 31.06,
      residentSlope: 29,
      accountedSlope: 28,
      full,
    },
  });

  test('judges every figure of Orlop for values of up to 200 bytes', () => {
    expect(meetsGoal(result(200, 36))).toBe(true);
    expect(meetsGoal(result(200, 36.1))).toBe(false);
    expect(meetsGoal(result(1000, 99))).toBeUndefined();
    expect(meetsGoal(result(8, 99, 'redis'))).toBeUndefined();
  });

  test('is an array of rows, and a table', () => {
    const rows = [overheadRow(result(8, 33))];
    expect(JSON.parse(memoryJson(rows))).toEqual(rows);
    expect(rows[0]).toMatchObject({ residentPerItem: 30, accountedPerItem: 31.1, ttl: true });
    expect(overheadTable([result(8, 40)])).toContain('NOT MET');
  });
});
