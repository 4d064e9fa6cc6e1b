/**
 * Policies decide what survives. Segments, table and arena are the same under each; a policy is
 * asked where a new item goes, told of a hit, and asked for a verdict when a cleaner meets an item.
 *
 *   fifo     one pool; nothing survives
 *   s3fifo   Yang, Zhang, Qiu, Yue, Vinayak: "FIFO queues are all you need for cache eviction"
 *            (SOSP'23): new items wait in a small pool (10 %); those hit there, or that come back
 *            soon after leaving it, live in the main pool, where each hit is one more round.
 */
import { policy, promotion } from "./layout";
import { ITEM_RANK } from "./item";
import { POOL_MAIN, POOL_SMALL } from "./segment";
import { ghostAdd, ghostTake } from "./ghost";

export const POLICY_FIFO: u32 = 0;
export const POLICY_S3FIFO: u32 = 1;
export const POLICIES: u32 = 2;

/** The small pool's share of the store, in percent. */
export const SMALL_SHARE_PERCENT: u32 = 10;
const RANK_MAX: u32 = 3;

export const VERDICT_EVICT: u32 = 0;
export const VERDICT_KEEP: u32 = 1;

@inline
export function itemRank(item: u32): u32 {
  return u32(load<u8>(item, ITEM_RANK));
}

/** The pool of a key that has no entry. */
@inline
export function poolForNew(hash: u64): u32 {
  return policy == POLICY_S3FIFO && !ghostTake(hash) ? POOL_SMALL : POOL_MAIN;
}

/** The rank of an item that was hit; a popular one is not written again. */
@inline
export function onHit(item: u32): void {
  if (policy != POLICY_S3FIFO) return;
  const rank = itemRank(item);
  if (rank < RANK_MAX) store<u8>(item, u8(rank + 1), ITEM_RANK);
}

/** The rank of the item that replaces `item`: an overwrite keeps its place and counts as a hit. */
@inline
export function rankAfter(item: u32): u32 {
  return policy == POLICY_S3FIFO ? min<u32>(itemRank(item) + 1, RANK_MAX) : 0;
}

/** Whether a cleaner keeps an item it meets in `pool`. */
@inline
export function verdict(item: u32, pool: u32): u32 {
  if (policy != POLICY_S3FIFO) return VERDICT_EVICT;
  const rank = itemRank(item);
  return rank >= (pool == POOL_SMALL ? promotion : 1) ? VERDICT_KEEP : VERDICT_EVICT;
}

/** The rank a kept item starts its next round with. */
@inline
export function rankKept(item: u32, pool: u32): u32 {
  return pool == POOL_SMALL ? 0 : itemRank(item) - 1;
}

/** Whether what leaves `pool` is remembered by the ghost. */
@inline
export function isHaunted(pool: u32): bool {
  return policy == POLICY_S3FIFO && pool == POOL_SMALL;
}

/** Told of each item that left `pool` by eviction. */
@inline
export function onEvicted(hash: u64, pool: u32): void {
  if (isHaunted(pool)) ghostAdd(hash);
}
