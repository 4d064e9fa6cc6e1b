/**
 * Zipf-distributed ranks by the method of Gray et al. ("Quickly generating billion-record synthetic
 * databases", SIGMOD 1994), the one YCSB uses: rank r is drawn with a chance proportional to
 * 1 / (r + 1)^skew. The sum over all ranks is computed once; a draw costs one power.
 */
import type { Random } from '../src/base/random.js';

/** The sum of 1 / r^skew for r from 1 to `count`. */
export function zeta(count: number, skew: number): number {
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) sum += 1 / rank ** skew;
  return sum;
}

/**
 * A source of ranks 0..count-1, rank 0 the most popular; `skew` lies between 0 and 1, both
 * excluded.
 */
export function zipfRanks(count: number, skew: number, random: Random): () => number {
  if (!(skew > 0 && skew < 1)) throw new RangeError('the skew must lie between 0 and 1');
  const total = zeta(count, skew);
  const alpha = 1 / (1 - skew);
  const eta = (1 - (2 / count) ** (1 - skew)) / (1 - zeta(2, skew) / total);
  const secondBelow = 1 + 0.5 ** skew;
  return () => {
    const fraction = random.fraction();
    const share = fraction * total;
    if (share < 1) return 0;
    if (share < secondBelow) return 1;
    return Math.min(count - 1, Math.floor(count * (eta * fraction - eta + 1) ** alpha));
  };
}
