import { describe, expect, test } from 'vitest';
import { churn, draw, fill, permutation } from '../../bench/draws.js';
import {
  checkValue,
  KEY_BYTES,
  keyText,
  VALUE_BYTES,
  writeKey,
  writeValue,
} from '../../bench/workload.js';
import { zeta, zipfRanks } from '../../bench/zipf.js';
import { seededRandom } from '../../src/base/random.js';

describe('zipf', () => {
  const count = 1000;
  const skew = 0.99;

  function sharesOf(draws: number): Float64Array {
    const rank = zipfRanks(count, skew, seededRandom(3));
    const seen = new Float64Array(count);
    for (let i = 0; i < draws; i++) {
      const drawn = rank();
      seen[drawn] = (seen[drawn] ?? 0) + 1 / draws;
    }
    return seen;
  }

  test('sums the weights of all ranks', () => {
    expect(zeta(1, skew)).toBe(1);
    expect(zeta(3, 0.5)).toBeCloseTo(1 + Math.SQRT1_2 + 1 / Math.sqrt(3), 12);
  });

  test('draws the ranks as often as their weights say', () => {
    const shares = sharesOf(200_000);
    const total = zeta(count, skew);
    expect(shares[0]).toBeCloseTo(1 / total, 2);
    expect(shares[1]).toBeCloseTo(0.5 ** skew / total, 2);
    for (const top of [10, 100]) {
      const seen = shares.subarray(0, top).reduce((sum, share) => sum + share, 0);
      expect(seen).toBeCloseTo(zeta(top, skew) / total, 1);
    }
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  test('refuses skews at which its formula does not hold', () => {
    expect(() => zipfRanks(count, 1, seededRandom(1))).toThrow(RangeError);
    expect(() => zipfRanks(count, 0, seededRandom(1))).toThrow(RangeError);
  });
});

describe('draws', () => {
  test('a uniform draw asks for every key once, in the order of its seed', () => {
    const { keys } = draw(1000, 'uniform', 0, 5);
    expect([...keys].sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect(keys).not.toEqual(permutation(1000, 6));
    expect(keys).toEqual(permutation(1000, 5));
  });

  test('a zipf draw repeats popular keys and stays below the count', () => {
    const { keys } = draw(1000, 'zipf', 0, 5);
    expect(new Set(keys).size).toBeLessThan(700);
    expect(Math.max(...keys)).toBeLessThan(1000);
  });

  test('as many requests are writes as asked for', () => {
    const writes = (share: number) =>
      draw(10_000, 'uniform', share, 5).sets.reduce((sum, set) => sum + set, 0);
    expect(writes(0)).toBe(0);
    expect(writes(1)).toBe(10_000);
    expect(Math.abs(writes(0.1) - 1000)).toBeLessThan(150);
  });

  test('filling writes a range of keys in order', () => {
    expect(fill(3, 6)).toEqual({ keys: Uint32Array.of(3, 4, 5), sets: Uint8Array.of(1, 1, 1) });
  });
});

describe('keys and values', () => {
  test('a key is sixteen bytes of text', () => {
    const bytes = new Uint8Array(KEY_BYTES + 2);
    writeKey(bytes, 1, 4_294_967_295);
    expect(Buffer.from(bytes.subarray(1, 1 + KEY_BYTES)).toString()).toBe('key:004294967295');
    expect(keyText(4_294_967_295)).toBe('key:004294967295');
  });

  test('a value repeats its key and is recognised byte for byte', () => {
    const bytes = new Uint8Array(VALUE_BYTES);
    writeValue(bytes, 0, 42);
    expect(Buffer.from(bytes).toString()).toBe(keyText(42).repeat(7).slice(0, VALUE_BYTES));
    expect(() => checkValue(bytes, 0, 42)).not.toThrow();
    expect(() => checkValue(bytes, 0, 43)).toThrow('key:000000000043 answered another value');
    bytes[VALUE_BYTES - 1] = 0;
    expect(() => checkValue(bytes, 0, 42)).toThrow('another value');
  });
});

describe('churn', () => {
  test('writes fresh keys one after the other, and keys that were written not long before', () => {
    const { keys, sets } = churn({ from: 1000, writes: 400, overwrites: 0.5, recent: 50 }, 7);
    expect(sets.every((set) => set === 1)).toBe(true);
    let next = 1000;
    let overwrites = 0;
    for (const key of keys) {
      if (key === next) next++;
      else {
        overwrites++;
        expect(key).toBeLessThan(next);
        expect(key).toBeGreaterThanOrEqual(next - 50);
      }
    }
    expect([next, overwrites]).toEqual([1200, 200]);
    expect(churn({ from: 0, writes: 3, overwrites: 1, recent: 50 }, 7).keys[0]).toBe(0);
  });
});
