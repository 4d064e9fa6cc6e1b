/**
 * Which partition a key belongs to: its slot, or the range that it lies in. Ranges order keys by
 * their bytes, so those of one range are neighbours, and a hot or large one can be divided.
 */
import { slotOf } from '../base/slot.js';
import { compareKeys, type KeyRange, type Layout, type Partitioner } from './configuration.js';

/** The index of the range that has `key`: the last one that begins at or before it. */
export function rangeOf(ranges: readonly KeyRange[], key: Uint8Array): number {
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (compareKeys((ranges[middle] as KeyRange).from, key) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The partition of the key that is in `bytes` from `at` up to `end`: 0 and up. */
export function partitionOf(
  layout: Layout,
  partitioner: Partitioner,
  bytes: Uint8Array,
  at = 0,
  end = bytes.length,
): number {
  if (partitioner === 'hash') return slotOf(bytes, at, end);
  return rangeOf(layout.ranges, bytes.subarray(at, end));
}
