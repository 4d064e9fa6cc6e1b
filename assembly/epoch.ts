/**
 * Epochs: when memory that readers may still look at can be used again (Fraser, "Practical
 * lock-freedom", 2004; the shape is crossbeam-epoch's).
 *
 * One counter. A thread announces its value before it looks at the table and withdraws it after;
 * while announced it may follow any entry it reads. Who takes a segment out of the table moves the
 * counter on and stamps the segment with the value before. Once every announced value is above the
 * stamp, nobody can hold a pointer into it: a thread that announced later read the table later,
 * when the entries were gone.
 *
 * Announcing is one sequentially consistent store for a group of operations. A thread that dies
 * while announced holds memory back until `takeOver` withdraws it.
 */
import { H_EPOCH, L_EPOCH, laneAt, laneBlock, lanes } from "./layout";

export const UNPINNED: u64 = 0;

@inline
export function pin(): void {
  atomic.store<u64>(laneAt, atomic.load<u64>(H_EPOCH), L_EPOCH);
}

@inline
export function unpin(): void {
  atomic.store<u64>(laneAt, UNPINNED, L_EPOCH);
}

/** Withdraws what a dead thread announced. */
@inline
export function unpinLane(n: u32): void {
  atomic.store<u64>(laneBlock(n), UNPINNED, L_EPOCH);
}

/** Moves the clock on and returns the stamp of what was unlinked just before. */
@inline
export function advance(): u64 {
  return atomic.add<u64>(H_EPOCH, 1);
}

/** What is stamped below this is held by nobody. */
export function safeBefore(): u64 {
  let least = atomic.load<u64>(H_EPOCH);
  for (let n: u32 = 0; n < lanes; n++) {
    const announced = atomic.load<u64>(laneBlock(n), L_EPOCH);
    if (announced != UNPINNED && announced < least) least = announced;
  }
  return least;
}
