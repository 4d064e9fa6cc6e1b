/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak: "FIFO queues are all you need for cache eviction",
 * SOSP'23): new items wait in a small pool (10 %); those hit there, or that come back soon after
 * leaving it (`ghost.ts`), live in the main pool, where each hit is one more round.
 *
 * The queues are the segments of each pool in the order of their ages, so they cost nothing.
 */
import { ITEM_RANK } from "./item";
import { POOL_MAIN, POOL_SMALL } from "./segment";
import { ghostTake } from "./ghost";
import { promotion } from "./layout";

/** The small pool's share of the store, in percent. */
export const SMALL_SHARE_PERCENT: u32 = 10;
export const S3FIFO_RANK_MAX: u32 = 3;

/** The pool of a key that has no entry. */
@inline
export function s3fifoPool(hash: u64): u32 {
  return ghostTake(hash) ? POOL_MAIN : POOL_SMALL;
}

/** Counts a hit; a popular item is not written again. */
@inline
export function s3fifoHit(item: u32): void {
  const rank = u32(load<u8>(item, ITEM_RANK));
  if (rank < S3FIFO_RANK_MAX) store<u8>(item, u8(rank + 1), ITEM_RANK);
}

/** Whether an item met in `pool` stays. */
@inline
export function s3fifoStays(rank: u32, pool: u32): bool {
  return rank >= (pool == POOL_SMALL ? promotion : 1);
}

/** The rank an item that stays begins its next round with. */
@inline
export function s3fifoRankKept(rank: u32, pool: u32): u32 {
  return pool == POOL_SMALL ? 0 : rank - 1;
}
