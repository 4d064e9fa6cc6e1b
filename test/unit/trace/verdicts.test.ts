import { describe, expect, test } from 'vitest';
import { itemsFor, parseCapacity } from '../../../bench/trace/capacity.js';
import type { Landmarks, Point, TraceRow } from '../../../bench/trace/point.js';
import { pointTable } from '../../../bench/trace/pointTable.js';
import { bestOf, isFaithful, verdicts } from '../../../bench/trace/verdicts.js';

const REQUESTS = 10_000;
const PLACE = 'web with room for 2000';
const OVER_BEST = 's3fifo over the best:';
const LANDMARKS: Landmarks = { opt: 1000, pureLfu: 3000, lru: 2100, s3fifoAtTwo: 1990 };

function row(policy: TraceRow['policy'], misses: number, more: Partial<TraceRow> = {}): TraceRow {
  const capacity = 2000;
  return {
    policy,
    threads: 1,
    capacity,
    requests: REQUESTS,
    misses,
    referenceMisses: 2000,
    ...more,
  };
}

function pointOf(rows: readonly TraceRow[], expiries?: Uint32Array): Point {
  const keys = new Uint32Array(REQUESTS);
  const stream = { name: 'web', keys, keyCount: 20_000, expiries };
  const capacity = rows[0]?.capacity ?? 0;
  return { stream, capacity, landmarks: LANDMARKS, rows, otherEvictions: 0 };
}

describe('verdicts', () => {
  test('a replay is faithful within two percent, within five where few items have room', () => {
    expect(isFaithful(row('lru', 2040), false)).toBe(true);
    expect(isFaithful(row('lru', 2041), false)).toBe(false);
    expect(isFaithful(row('lru', 1959), false)).toBe(false);
    expect(isFaithful(row('lru', 2100, { capacity: 999 }), false)).toBe(true);
    expect(isFaithful(row('lru', 2100, { capacity: 1000 }), false)).toBe(false);
    expect(isFaithful(row('lru', 2101, { capacity: 999 }), false)).toBe(false);
  });

  test('where items expire fewer misses are never unfaithful', () => {
    expect(isFaithful(row('lru', 1000), true)).toBe(true);
    expect(isFaithful(row('lru', 2041), true)).toBe(false);
  });

  test('the best of a table is any replay or reference but the optimum', () => {
    expect(bestOf([row('lru', 2040), row('fifo', 2050)], LANDMARKS)).toBe(1990);
    expect(bestOf([row('lru', 1985)], LANDMARKS)).toBe(1985);
    expect(bestOf([row('lru', 2500, { referenceMisses: 1800 })], LANDMARKS)).toBe(1800);
  });

  test('each policy, the worst excess and the mean saving of the default are judged', () => {
    const points = [
      pointOf([row('s3fifo', 2010), row('s3fifo', 2090, { threads: 2 }), row('lru', 2000)]),
      pointOf([row('s3fifo', 1990), row('lru', 2030)]),
    ];
    expect(verdicts(points)).toEqual([
      's3fifo: within 2 % (5 % below 1000) NOT MET at 2 of 3',
      `  ${PLACE}, 2 thr: +4.50 %`,
      'lru: within 2 % (5 % below 1000) met at 2 of 2',
      `${OVER_BEST} +5.0 % at most (${PLACE}, 2 thr), never more than 3 % NOT MET`,
      's3fifo beside an exact LRU: 3.3 % fewer misses in the mean, at least 4 % NOT MET',
    ]);
    expect(verdicts([pointOf([row('s3fifo', 1990)])]).slice(1)).toEqual([
      `${OVER_BEST} +0.0 % at most (${PLACE}, 1 thr), never more than 3 % met`,
      's3fifo beside an exact LRU: 5.2 % fewer misses in the mean, at least 4 % met',
    ]);
  });

  test('more misses than LRU are called so', () => {
    expect(verdicts([pointOf([row('s3fifo', 2121)])]).at(-1)).toBe(
      's3fifo beside an exact LRU: 1.0 % more misses in the mean, at least 4 % NOT MET',
    );
  });

  test('the default is not judged where it was not replayed', () => {
    expect(verdicts([pointOf([row('lru', 2000)])])).toEqual([
      'lru: within 2 % (5 % below 1000) met at 1 of 1',
    ]);
  });

  test('the table names what is beyond the bound', () => {
    const rows = [row('lru', 2010), row('lru', 2100, { threads: 2 })];
    const shown = pointTable(pointOf(rows));
    expect(shown).toContain('web: 10000 requests of 20000 keys, room for 2000 (10.0 %)');
    expect(shown).toMatch(/lru +│ +2000 │ 0\.2000 │ +2010 │ 0\.2010 │ +\+0\.50 %/);
    expect(shown).toContain('+5.00 % *');
    expect(shown).toMatch(/optimum +│ +1000 │/);
    expect(pointTable(pointOf([row('lru', 2010)]))).not.toContain('*');
  });
});

describe('capacities', () => {
  test('are items or a share of the keys, at least one item', () => {
    expect(itemsFor(parseCapacity('1000'), 20_484)).toBe(1000);
    expect(itemsFor(parseCapacity('1%'), 20_484)).toBe(204);
    expect(itemsFor(parseCapacity('10%'), 13_756)).toBe(1375);
    expect(itemsFor(parseCapacity('29%'), 100)).toBe(29);
    expect(itemsFor(parseCapacity('0.5%'), 20_000)).toBe(100);
    expect(itemsFor(parseCapacity('1%'), 10)).toBe(1);
    expect(itemsFor(parseCapacity('100%'), 77)).toBe(77);
  });

  test.each(['0', '0%', '-1', '101%', '1.5', 'ten', '', '%', '99999999999', '2147483648'])(
    '"%s" is refused',
    (text) => {
      expect(() => parseCapacity(text)).toThrow(/capacity/);
    },
  );
});
