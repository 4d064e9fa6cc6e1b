import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { verdict } from '../../bench/goals.js';
import {
  distribution,
  LatencyCounts,
  merged,
  newLatencies,
  percentileUs,
  TICKS_PER_MS,
} from '../../bench/latencies.js';
import { turns } from '../../bench/loadTest.js';
import { cpuSecondsIn, cpuSecondsOf } from '../../bench/processCpu.js';
import { median, type Row, rateText, rowsJson, table, usText } from '../../bench/report.js';

const row: Row = {
  system: 'orlop',
  scenario: 'load depth 1',
  opsPerSecond: 144_000.49,
  p50Us: 318.94,
  p99Us: 866.26,
  p999Us: null,
  cpuUsPerOp: 6.19051,
  driverCpu: 0.83333,
};

describe('report', () => {
  test('the JSON is an array with exactly the promised fields', () => {
    const parsed: unknown = JSON.parse(rowsJson([row, row]));
    const written = {
      system: 'orlop',
      scenario: 'load depth 1',
      opsPerSecond: 144_000,
      p50Us: 318.9,
      p99Us: 866.3,
      p999Us: null,
      cpuUsPerOp: 6.1905,
      driverCpu: 0.833,
    };
    expect(parsed).toEqual([written, written]);
  });

  test('no rows are an empty array', () => {
    expect(JSON.parse(rowsJson([]))).toEqual([]);
  });

  test('medians of odd, even and no figures', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow('no median of nothing');
  });

  test('figures for people', () => {
    expect(rateText(8_534_000)).toBe('8.53 M/s');
    expect(rateText(144_400)).toBe('144 k/s');
    expect(rateText(12)).toBe('12 /s');
    expect(usText(1.256)).toBe('1.26');
    expect(usText(4321.4)).toBe('4321');
    expect(usText(null)).toBe('–');
    expect(table(['name', 'rate'], [['one', '2']])).toContain('│ one  │    2 │');
    expect(verdict(false, '≥ 2')).toBe('≥ 2 NOT MET');
  });
});

describe('latencies', () => {
  test('survive the way between two processes and add up', () => {
    const fast = newLatencies();
    fast.recordValueWithCount(TICKS_PER_MS, 99);
    const slow = newLatencies();
    slow.recordValue(50 * TICKS_PER_MS);
    const sum = merged([encodeIntoCompressedBase64(fast), encodeIntoCompressedBase64(slow)]);
    expect(sum.totalCount).toBe(100);
    expect(percentileUs(sum, 50)).toBeCloseTo(1000, -1);
    expect(percentileUs(sum, 100)).toBeCloseTo(50_000, -2);
    expect(distribution(sum)).toContain('Percentile');
  });

  test('counted one by one are those of a histogram', () => {
    const counts = new LatencyCounts();
    counts.record(3, 1000);
    counts.clear();
    const told = newLatencies();
    for (const [ms, count] of [
      [0, 1],
      [0.3129, 7],
      [26.2, 5],
      [26.3, 4],
      [70_000, 2],
    ] as const) {
      counts.record(ms, count);
      told.recordValueWithCount(Math.min(60_000, ms) * TICKS_PER_MS, count);
    }
    expect(distribution(counts.histogram())).toBe(distribution(told));
  });
});

describe('processor time', () => {
  test('is read behind a name that holds spaces and brackets', () => {
    const stat = '42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 4 0 100';
    expect(cpuSecondsIn(stat)).toBe(4);
    expect(() => cpuSecondsIn('42 (a) S 1')).toThrow("not a process's stat");
  });

  test('of this very process grows as it works', () => {
    const { user, system } = process.cpuUsage();
    expect(Math.abs(cpuSecondsOf(process.pid) - (user + system) / 1e6)).toBeLessThan(0.2);
  });
});

test('systems take turns scenario by scenario', () => {
  const order = turns([{ system: 'orlop' }, { system: 'redis' }]);
  expect(order.map(([{ system }, { name }]) => `${system} ${name}`)).toEqual([
    'orlop depth 1',
    'redis depth 1',
    'orlop depth 16',
    'redis depth 16',
    'orlop depth 64',
    'redis depth 64',
    'orlop frames of 64',
  ]);
});
