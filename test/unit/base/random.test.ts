import { describe, expect, it } from 'vitest';
import { seededRandom, systemRandom } from '../../../src/base/random.js';

describe('systemRandom', () => {
  it('fills more bytes than the platform gives at once', () => {
    const bytes = systemRandom.bytes(200_000);
    expect(bytes.length).toBe(200_000);
    // Each of the 256 values turns up about 781 times; a part left empty would make zeros stand
    // out.
    const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
    expect(zeros).toBeGreaterThan(500);
    expect(zeros).toBeLessThan(1_100);
  });

  it('stays below the limit and reaches every number under it', () => {
    const seen = new Set(Array.from({ length: 1_000 }, () => systemRandom.below(6)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('seededRandom', () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 100 }, () => random.below(1_000_000));
  };

  it('repeats itself for the same seed, and differs for another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('spreads evenly', () => {
    const random = seededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const slot = Math.floor(random.fraction() * 10);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(9_600);
    expect(Math.max(...counts)).toBeLessThan(10_400);
  });
});
