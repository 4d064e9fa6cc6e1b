/**
 * SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is simpler than LRU", NSDI'24): one queue, one
 * bit that a hit sets, and a hand that goes from the oldest to the newest. What it meets unset
 * goes; what it meets set stays where it is, unset.
 *
 * The queue is the segments of one pool in the order of their ages and the hand is an age. What
 * stays of a segment moves into one of the same age, so it keeps its place in the queue.
 */
import { H_SIEVE_HAND, H_SIEVE_HEAD } from "./layout";
import { ITEM_RANK } from "./item";

/** Ages before the hand come after all others. */
const PASSED: u64 = 1 << 40;

/** Marks an item that was hit; a marked one is not written again. */
@inline
export function sieveHit(item: u32): void {
  if (load<u8>(item, ITEM_RANK) == 0) store<u8>(item, 1, ITEM_RANK);
}

/** The order in which the hand comes to segments, lowest first. */
@inline
export function sieveOrder(age: u64): u64 {
  return age >= atomic.load<u64>(H_SIEVE_HAND) ? age : age + PASSED;
}

/** Moves the hand past a segment that was taken. */
export function sieveMove(age: u64): void {
  atomic.store<u64>(H_SIEVE_HAND, age + 1);
}

/**
 * Whether new items are to be sealed at once, each in a segment of its own: where their number is
 * bounded and the hand has come to the newest, which other threads may be writing. It stays there
 * as long as nobody hits what is new, and evicts it as it comes.
 */
@inline
export function sieveIsAtHead(): bool {
  return atomic.load<u32>(H_SIEVE_HEAD) != 0;
}

/** Notes whether the hand has come to the newest items, or goes back to the oldest. */
export function noteSieveHead(atHead: bool): void {
  if (sieveIsAtHead() != atHead) atomic.store<u32>(H_SIEVE_HEAD, u32(atHead));
}

/** Whether the hand has passed all segments, by the lowest order among them. */
@inline
export function sieveHasPassed(order: u64): bool {
  return order >= PASSED;
}

/** Up to which order segments may be taken together with one of `order`: not across the end. */
@inline
export function sieveLimit(order: u64): u64 {
  return order < PASSED ? PASSED - 1 : u64.MAX_VALUE - 1;
}
