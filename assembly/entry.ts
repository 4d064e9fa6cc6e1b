/**
 * What happens to an entry: it is replaced, removed or moved, each by one compare-and-swap, and
 * whoever wins settles the accounts of the item that left.
 */
import {
  ITEM_LIFETIME, ITEM_PAGED, ITEM_RANK, ITEM_TOMBSTONE, LIFETIME_NONE, itemBytes, itemExpiryMs,
  itemFlags, itemHeaderBytes, itemInlineAt, itemInlineLength, itemKeyAt, itemKeyLength,
  itemVersion, markGone, segmentOfItem,
} from "./item";
import {
  COUNTER_BYTES_ADDED, COUNTER_BYTES_REMOVED, COUNTER_CLEARED, COUNTER_EXPIRED,
  COUNTER_ITEMS_ADDED, COUNTER_ITEMS_REMOVED, COUNTER_TOMBSTONES_ADDED, COUNTER_TOMBSTONES_REMOVED,
  count, countBy,
} from "./counters";
import { L_LEAVING, laneAt, laneBlock, pageBytes } from "./layout";
import { POOL_MAIN, addDead, segmentWord, wordPool } from "./segment";
import { joinRegion, quitRegion } from "./regions";
import { hasRegions } from "./policy";
import {
  PAGE_LIST_HEADER, listSamePages, ownPages, pagedLength, retirePages, weighPages,
} from "./pages";
import { clearVersion, nowMs, raiseFloor } from "./version";
import { entryItem, entryOf, find, foundEntry, swapEntry } from "./table";
import { forget } from "./forgotten";
import { hasLapsed } from "./lapse";
import { hashOfItem } from "./hash";
import { isStub, stubEntered, stubLeft } from "./stub";

@inline
export function isPaged(item: u32): bool {
  return (itemFlags(item) & ITEM_PAGED) != 0;
}

/** The length of an item's value, wherever it lies. */
@inline
export function valueLength(item: u32): u32 {
  return isPaged(item) ? pagedLength(item) : itemInlineLength(item);
}

/** The pool an item is weighed with: always one where segments go from pool to pool. */
@inline
export function poolOfItem(item: u32): u32 {
  if (hasRegions()) return POOL_MAIN;
  return wordPool(segmentWord(segmentOfItem(item)));
}

/** The order of the `length` bytes at `at` and an item's value of that length, as memcmp's. */
export function compareValue(at: u32, item: u32, length: u32): i32 {
  if (!isPaged(item)) return memory.compare(at, itemInlineAt(item), length);
  let page = itemInlineAt(item) + PAGE_LIST_HEADER;
  for (let done: u32 = 0; done < length; done += pageBytes) {
    const part = min<u32>(pageBytes, length - done);
    const order = memory.compare(at + done, load<u32>(page), part);
    if (order != 0) return order;
    page += 4;
  }
  return 0;
}

@inline
function weight(item: u32): u64 {
  return u64(itemHeaderBytes(item) + itemKeyLength(item)) + valueLength(item);
}

@inline
export function isExpired(item: u32): bool {
  return load<u32>(item, ITEM_LIFETIME) != LIFETIME_NONE && itemExpiryMs(item) <= nowMs;
}

@inline
export function isCleared(item: u32): bool {
  return itemVersion(item) <= clearVersion;
}

/** Whether a reader finds the item: neither expired, nor cleared, nor a tombstone. */
@inline
export function isAlive(item: u32): bool {
  return !isCleared(item) && !isTombstone(item) && !isExpired(item);
}

/** Whether the item counts towards what a node has: for readers, or as a tombstone from now on. */
@inline
export function isRemembered(item: u32): bool {
  return !isCleared(item) && (!isExpired(item) || hasLapsed(item));
}

@inline
function isTombstone(item: u32): bool {
  return (itemFlags(item) & ITEM_TOMBSTONE) != 0;
}

/** Counts why an item that readers no longer found has left. */
@inline
function countEnd(item: u32): void {
  if (isCleared(item)) count(COUNTER_CLEARED);
  else if (!isTombstone(item) && isExpired(item)) count(COUNTER_EXPIRED);
}

/** Settles the accounts of an item that entered the table with `rank`; others may change it. */
export function entered(item: u32, rank: u32): void {
  countBy(COUNTER_BYTES_ADDED, weight(item));
  count(COUNTER_ITEMS_ADDED);
  if (isTombstone(item)) count(COUNTER_TOMBSTONES_ADDED);
  if (isStub(item)) stubEntered(item);
  if (hasRegions()) joinRegion(rank);
  if (!isPaged(item)) return;
  weighPages(itemInlineAt(item), poolOfItem(item));
  ownPages(itemInlineAt(item));
}

/**
 * Notes that the pages of an item are about to go with it, or that they are gone (0): if this
 * thread dies in between, nobody else knows of them.
 */
@inline
function noteLeaving(item: u32): void {
  store<u32>(laneAt, item, L_LEAVING);
}

/** Settles the accounts of an item that left the table; its pages stay when `keepPages`. */
function left(item: u32, keepPages: bool): void {
  countBy(COUNTER_BYTES_REMOVED, weight(item));
  count(COUNTER_ITEMS_REMOVED);
  if (isTombstone(item)) count(COUNTER_TOMBSTONES_REMOVED);
  if (isStub(item)) stubLeft(item);
  if (hasRegions()) quitRegion(item);
  if (isPaged(item) && !keepPages) retirePages(itemInlineAt(item), poolOfItem(item));
  addDead(segmentOfItem(item), itemBytes(item));
}

/**
 * Puts `item` in the place of `entry`. When it lists the same pages as the item before, say so.
 */
export function replaceEntry(at: u32, entry: u64, hash: u64, item: u32, samePages: bool): bool {
  const rank = u32(load<u8>(item, ITEM_RANK));
  const old = entryItem(entry);
  const retires = !samePages && isPaged(old);
  if (retires) noteLeaving(old);
  if (!swapEntry(at, entry, entryOf(hash, item))) {
    if (retires) noteLeaving(0);
    return false;
  }
  countEnd(old);
  if (samePages) {
    countBy(COUNTER_BYTES_ADDED, weight(item));
    count(COUNTER_ITEMS_ADDED);
    if (hasRegions()) joinRegion(rank);
    if (isPaged(item)) ownPages(itemInlineAt(item));
  } else entered(item, rank);
  left(old, samePages);
  if (retires) noteLeaving(0);
  markGone(old);
  return true;
}

/**
 * Removes an entry, raising the floor to `version` first. The item is not marked as gone: a
 * cleaner, which removes most, is about to leave its segment, and a mark would be written back.
 */
export function removeEntry(at: u32, entry: u64, hash: u64, version: u64): bool {
  forget(entryItem(entry));
  return dropEntry(at, entry, hash, version);
}

/** The same for what is not forgotten, but somebody else's. */
export function dropEntry(at: u32, entry: u64, hash: u64, version: u64): bool {
  raiseFloor(hash, version);
  const item = entryItem(entry);
  const retires = isPaged(item);
  if (retires) noteLeaving(item);
  const removed = swapEntry(at, entry, 0);
  if (removed) left(item, false);
  if (retires) noteLeaving(0);
  return removed;
}

/** Removes the entry of an item that readers no longer find. */
export function removeEnded(at: u32, entry: u64, hash: u64): bool {
  const item = entryItem(entry);
  if (!removeEntry(at, entry, hash, itemVersion(item))) return false;
  countEnd(item);
  return true;
}

/** Points an entry at a copy of its item elsewhere. */
export function moveEntry(at: u32, entry: u64, hash: u64, copy: u32): bool {
  const rank = u32(load<u8>(copy, ITEM_RANK));
  if (!swapEntry(at, entry, entryOf(hash, copy))) return false;
  const old = entryItem(entry);
  if (hasRegions()) {
    joinRegion(rank);
    quitRegion(old);
  }
  if (isPaged(copy)) ownPages(itemInlineAt(copy));
  addDead(segmentOfItem(old), itemBytes(old));
  return true;
}

/**
 * Retires the pages of an item that lane `n`, now dead, took out of the table; unless it did not,
 * or the item in its place lists them too.
 */
export function recoverLeaving(n: u32): void {
  const item = load<u32>(laneBlock(n), L_LEAVING);
  if (item == 0) return;
  store<u32>(laneBlock(n), 0, L_LEAVING);
  if (find(hashOfItem(item), itemKeyAt(item), itemKeyLength(item))) {
    const there = entryItem(foundEntry);
    if (isPaged(there) && listSamePages(itemInlineAt(there), itemInlineAt(item))) return;
  }
  retirePages(itemInlineAt(item), poolOfItem(item));
}
