import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { loadsFrom, loadsIn, reportsOf, toldLoads } from '../../../src/rebalance/loads.js';
import { middleOf, shortestBetween, type Weighed } from '../../../src/rebalance/middle.js';
import {
  AUTOMATIC_RANGES_MAX,
  heatPressure,
  type RangeReport,
  splitOf,
} from '../../../src/rebalance/splits.js';
import { compareKeys } from '../../../src/ring/configuration.js';
import { replayLine, seed } from '../../model/support/seed.js';

const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const limits = { maxBytes: 1000, hotRequestsPerSecond: 100, threshold: 0.5 };

const report = (changes: Partial<RangeReport>): RangeReport => ({
  from: key(''),
  bytes: 10,
  requestsPerSecond: 10,
  middle: key('m'),
  hotMiddle: key('n'),
  ...changes,
});

describe('splits', () => {
  test('divide the largest range in the middle of its bytes', () => {
    const large = report({ from: key('user:1'), bytes: 1500, middle: key('user:2') });
    const larger = report({ from: key('user:3'), bytes: 2500, middle: key('user:7') });
    const split = splitOf([report({}), large, larger], 3, limits);
    expect(split).toEqual({ from: key('user:7'), why: 'size' });
    expect(splitOf([report({}), report({ bytes: 1000 })], 3, limits)).toBeUndefined();
  });

  test('divide what gets more than its share in the middle of its requests', () => {
    const hot = report({ from: key('h'), requestsPerSecond: 600, hotMiddle: key('ho') });
    const others = ['p', 'q'].map((from) => report({ from: key(from), requestsPerSecond: 300 }));
    expect(heatPressure(hot, 1200, 3, limits)).toBe(1);
    expect(splitOf([hot, ...others], 3, limits)).toBeUndefined();
    expect(splitOf([hot, ...others], 4, limits)).toEqual({ from: key('ho'), why: 'heat' });
    const few = others.map((one) => ({ ...one, requestsPerSecond: 1 }));
    expect(splitOf([report({ requestsPerSecond: 99 }), ...few], 4, limits)).toBeUndefined();
    const never = { ...limits, hotRequestsPerSecond: Number.POSITIVE_INFINITY };
    expect(splitOf([hot, ...others], 4, never)).toBeUndefined();
  });

  test('leave alone what has no middle', () => {
    const none = { middle: undefined, hotMiddle: undefined };
    expect(splitOf([report({ bytes: 5000, ...none })], 3, limits)).toBeUndefined();
    const single = report({ from: key('m'), bytes: 5000 });
    expect(splitOf([single], 3, limits)).toBeUndefined();
    const long = report({ bytes: 5000, middle: new Uint8Array(200).fill(9) });
    expect(splitOf([long], 3, limits)).toBeUndefined();
    // It would divide the next one.
    const other = report({ bytes: 5000, middle: key('p') });
    expect(splitOf([other, report({ from: key('p') })], 3, limits)).toBeUndefined();
  });

  test('leave some ranges for operators', () => {
    const many = Array.from({ length: AUTOMATIC_RANGES_MAX }, (_, n) => {
      const from = Uint8Array.of(n >> 8, n & 255);
      return report({ from, middle: Uint8Array.of(...from, 1), bytes: 5000 });
    });
    expect(splitOf(many.slice(1), 3, limits)).toBeDefined();
    expect(splitOf(many, 3, limits)).toBeUndefined();
  });

  test('need no more of a key than tells it from the one before', () => {
    expect(shortestBetween(key(''), key('abc'))).toEqual(key('a'));
    expect(shortestBetween(key('ab'), key('abcd'))).toEqual(key('abc'));
    expect(shortestBetween(key('abx'), key('ac'))).toEqual(key('ac'));
  });
});

describe('the middle', () => {
  const weighed = (...some: [string, number][]): Weighed[] =>
    some.map(([name, weight]) => ({ key: key(name), weight }));

  test('has half of the weight on either side', () => {
    const keys = Array.from({ length: 100 }, (_, n) => `user:${String(n).padStart(3, '0')}`);
    const even = keys.map((name): [string, number] => [name, 1]);
    expect(text(middleOf(weighed(...even)))).toBe('user:05');
    // Heavy keys come first, so the middle is among them.
    const skewed = keys.map((name, n): [string, number] => [name, n < 10 ? 100 : 1]);
    expect(text(middleOf(weighed(...skewed)))).toBe('user:005');
  });

  test('is none where one key has nearly everything', () => {
    expect(middleOf(weighed(['a', 1], ['b', 98], ['c', 1]))).toBeUndefined();
    expect(middleOf(weighed(['b', 5], ['b', 5]))).toBeUndefined();
    expect(middleOf([])).toBeUndefined();
    expect(text(middleOf(weighed(['a', 20], ['b', 75], ['c', 5])))).toBe('b');
  });

  test('divides any sample into parts that are there, in any order', () => {
    const random = seededRandom(seed);
    for (let round = 0; round < 300; round++) {
      const sample = Array.from({ length: 2 + random.below(60) }, () => ({
        key: random.bytes(1 + random.below(4)).map((byte) => byte % 5),
        weight: 1 + random.below(20),
      }));
      const middle = middleOf(sample);
      if (middle === undefined) continue;
      const total = sample.reduce((sum, { weight }) => sum + weight, 0);
      const left = sample.filter((one) => compareKeys(one.key, middle) < 0);
      const share = left.reduce((sum, { weight }) => sum + weight, 0) / total;
      const heaviest = Math.max(
        ...sample.map(({ key: one }) =>
          sample.reduce((sum, other) => {
            return compareKeys(one, other.key) === 0 ? sum + other.weight : sum;
          }, 0),
        ),
      );
      const right = Math.abs(share - 0.5) <= heaviest / total && share >= 0.1 && share <= 0.9;
      if (!right) expect.fail(`${share}; ${replayLine('test/unit/rebalance/splits.test.ts')}`);
    }
  });
});

describe('loads', () => {
  const ranges = ['', 'g', 'p'].map((from, id) => ({ id, from: key(from) }));

  test('come from samples of keys, values and requests', () => {
    const keys = ['a1', 'a2', 'a3', 'a4', 'h1', 'h2'].map(key);
    const values = [
      { key: key('a1'), weight: 100 },
      { key: key('h1'), weight: 1000 },
      { key: key('h2'), weight: 3000 },
    ];
    const requests = ['a1', 'a4', 'a4', 'q'].map((name) => ({ key: key(name), weight: 50 }));
    // One key in ten is in the sample.
    const loads = loadsFrom(ranges, { keys, values, items: 60 }, requests, 2000);
    expect(loads.map((load) => [load.id, load.bytes, load.requestsPerSecond])).toEqual([
      [0, 40 * 102, 75],
      [1, 20 * 2002, 0],
      [2, 0, 25],
    ]);
    expect(loads.map(({ middle, hotMiddle }) => [text(middle), text(hotMiddle)])).toEqual([
      ['a3', 'a4'],
      ['h2', ''],
      ['', ''],
    ]);
  });

  test('of several nodes are put together', () => {
    const of = (id: number, bytes: number, requestsPerSecond: number, middle: string) => {
      return { id, bytes, requestsPerSecond, middle: key(middle), hotMiddle: key(`${middle}!`) };
    };
    const nodes = [
      { number: 7, ranges: [of(0, 10, 5, 'b'), of(1, 10, 9, 'h')] },
      { number: 7, ranges: [of(0, 30, 2, 'c'), of(9, 99, 99, 'z')] },
    ];
    const all = nodes.map((node) => loadsIn(JSON.parse(JSON.stringify(toldLoads(node)))));
    expect(all).toMatchObject(nodes.map(({ number }) => ({ number })));
    const reports = reportsOf(
      ranges,
      all.filter((one) => one !== undefined),
    );
    const shown = reports.map((one) => [one.bytes, one.requestsPerSecond, text(one.middle)]);
    expect(shown).toEqual([
      [30, 7, 'c'],
      [10, 9, 'h'],
      [0, 0, ''],
    ]);
    expect(text(reports[0]?.hotMiddle)).toBe('b!');
  });

  test('of very many ranges fit into a message between nodes', () => {
    const middle = new Uint8Array(128).fill(7);
    const loads = Array.from({ length: 1024 }, (_, id) => {
      return { id, bytes: 2 ** 40 - id, requestsPerSecond: 1e6 + id, middle, hotMiddle: middle };
    });
    const told = JSON.stringify(toldLoads({ number: 1e6, ranges: loads }));
    expect(told.length).toBeLessThan(200_000);
    const back = loadsIn(JSON.parse(told))?.ranges ?? [];
    expect(back.length).toBe(1024);
    expect(back[0]?.middle).toEqual(middle);
    expect(back[500]?.middle).toBeUndefined();
    expect(back[1023]?.hotMiddle).toEqual(middle);
  });

  test.each([
    undefined,
    null,
    {},
    { number: -1, ranges: [] },
    { number: 1, ranges: [{}] },
    { number: 1, ranges: [[1, 2]] },
    { number: 1, ranges: [[1, 'x', 3, null, null]] },
  ])('that make no sense are none: %j', (answer) => {
    expect(loadsIn(answer)).toBeUndefined();
  });
});
