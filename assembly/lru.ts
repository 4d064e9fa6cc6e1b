/**
 * LRU: what was used least recently goes first. Items bear a stamp of their last use (`recency.ts`)
 * and the oldest of a sample goes, beside the oldest that earlier samples left over (`sample.ts`):
 * the way of Redis, with a finer clock and a larger sample, so that hardly anything tells it from a
 * list in exact order.
 */
import { ITEM_RANK } from "./item";
import { AGE_MAX, ageOfStamp, heedAge, holdAge, learnAge, stampUse } from "./recency";

export const LRU_SAMPLE: u32 = 24;

/** Stamps an item that was hit. */
@inline
export function lruHit(item: u32): void {
  const stamp = stampUse();
  if (u32(load<u8>(item, ITEM_RANK)) != stamp) store<u8>(item, u8(stamp), ITEM_RANK);
}

/** How long an item may stay beside others: the one with the least goes first. */
@inline
export function lruStanding(item: u32): u32 {
  const age = holdAge(item);
  heedAge(age);
  return AGE_MAX - age;
}

/** Told of the rank an item had that is evicted. */
@inline
export function lruEvicted(rank: u32): void {
  learnAge(ageOfStamp(rank));
}
