/**
 * Lapse: what is left of an item whose time is up, where peers are told of changes.
 *
 * A peer that missed the overwrite of a value may serve that value for good once the new one has
 * expired and nobody has it any more: all that is left is the version up to which the slot has
 * forgotten keys, and that says nothing of this key. So a tombstone takes the item's place, under
 * the item's version: as of two records of one version the tombstone wins anywhere, nobody needs
 * to be told, and it makes no difference which of two peers notices first that the time is up.
 *
 * In a cache most of what there is expires, so these tombstones may be many times as many as those
 * of deleted items. They are kept only while there is room: a lane makes none out of the segments
 * it needs for cleaning, and they are the first to go when somebody has to. Then the slot's
 * forgotten version rises, as it does when an item is evicted.
 *
 * Such a tombstone says what it is by a kind of its own; what a peer was sent of it has another.
 */
import { ITEM_MERGED, ITEM_TOMBSTONE, itemExpiryMs, itemFlags, itemKind } from "./item";
import { FEED_PEERS } from "./feed";
import { H_FEED_ON } from "./layout";
import { discardGrave, draftGrave } from "./draft";
import { isStub } from "./stub";
import { nowMs } from "./version";
import { poolAfter, poolForNew, rankOfNew } from "./policy";
import { replaceEntry } from "./entry";

/** So long a tombstone is kept, in milliseconds: longer than any peer is waited for. */
export const TOMBSTONE_MS: u64 = 24 * 3600 * 1000;

/** The kind of a tombstone that took the place of an expired item; no value has it. */
export const KIND_LAPSED: u32 = 0xff;

/** Whether an item is the tombstone of one that has expired. */
@inline
export function isLapsed(item: u32): bool {
  return (itemFlags(item) & ITEM_TOMBSTONE) != 0 && itemKind(item) == KIND_LAPSED;
}

/**
 * Whether an item that has expired is to be remembered: there are peers, it is no tombstone, and a
 * tombstone of it would not have ended as well.
 */
export function hasLapsed(item: u32): bool {
  if ((atomic.load<u32>(H_FEED_ON) & FEED_PEERS) == 0) return false;
  return (itemFlags(item) & ITEM_TOMBSTONE) == 0 && itemExpiryMs(item) + TOMBSTONE_MS > nowMs;
}

/**
 * Puts a tombstone in the place of an item that has expired and is not cleared; false when none is
 * wanted or there is no room, and then the item has to be removed. True also when the entry has
 * changed: then it is somebody else's.
 */
export function bury(at: u32, entry: u64, hash: u64, item: u32): bool {
  if (!hasLapsed(item)) return false;
  const rank = rankOfNew();
  const pool = isStub(item) ? poolForNew(hash) : poolAfter(item, rank);
  const flags = ITEM_TOMBSTONE | (itemFlags(item) & ITEM_MERGED);
  const until = itemExpiryMs(item) + TOMBSTONE_MS;
  const grave = draftGrave(item, pool, flags, until, KIND_LAPSED, rank);
  if (grave == 0) return false;
  if (!replaceEntry(at, entry, hash, grave, false)) discardGrave(pool, grave);
  return true;
}
