/** Where a range is divided so that about half of what a sample of its keys stands for moves. */
import { compareKeys, MAX_SPLIT_BYTES } from '../ring/configuration.js';

/** A key, and how much it stands for. */
export interface Weighed {
  readonly key: Uint8Array;
  readonly weight: number;
}

/**
 * The lighter half has at least so much of the weight. One key that gets nearly all requests can't
 * be divided, and taking its neighbours away would cool nothing.
 */
const LEAST_SHARE = 0.1;

/** The shortest key that is above `low` and not above `high`: a split point needs no more. */
export function shortestBetween(low: Uint8Array, high: Uint8Array): Uint8Array {
  let shared = 0;
  while (shared < low.length && low[shared] === high[shared]) shared += 1;
  return high.slice(0, shared + 1);
}

/** The split point with about half of the weight on either side; nothing when there is none. */
export function middleOf(sample: readonly Weighed[]): Uint8Array | undefined {
  const sorted = [...sample].sort((a, b) => compareKeys(a.key, b.key));
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let least = total * LEAST_SHARE;
  let left = 0;
  let middle: Uint8Array | undefined;
  sorted.forEach(({ key, weight }, at) => {
    const before = sorted[at - 1]?.key;
    const lighter = Math.min(left, total - left);
    left += weight;
    if (before === undefined || lighter < least || compareKeys(before, key) === 0) return;
    const point = shortestBetween(before, key);
    if (point.length > MAX_SPLIT_BYTES || (lighter === least && middle !== undefined)) return;
    least = lighter;
    middle = point;
  });
  return middle;
}
