/**
 * Stubs: what is left in memory of an item whose value only the log on disk has.
 *
 * Where there is a tier, an item with a value of `tierLeast` bytes and more has room for a
 * *location* behind it: where in the log the record of this very version lies. The log's thread
 * fills it in once it has written the record. When a cleaner evicts such an item it leaves a stub:
 *
 *   item   | header, LOCATED | key | value                | location u64 |
 *   stub   | header, LOCATED | key | length of value u32  | location u64 |
 *
 * A stub is an item like any other, with the version, the expiry, the kind and the key of the one
 * it stands for, put into its place by the same compare-and-swap. So what is there, at which
 * version and until when, is known without the disk, and whatever writes, removes, expires or
 * clears the key does to a stub what it does to an item. Only who wants the value has to wait
 * (`wants.ts`); the host reads it and brings it back, if the stub is still there (`verbs/tier.ts`).
 * A smaller index would have to leave out keys and versions, and then could not say what a write
 * over it follows, what a scan has to name, or whether what it leads to was overwritten since.
 *
 *   location   63              32 31             0
 *              +-----------------+----------------+
 *              | log file        | block >> 3     |   0: not known
 *              +-----------------+----------------+
 *
 * Locations are stored and loaded plainly, beside those who copy the item: one that is torn or lost
 * leads nowhere, as what is read is checked against key and version, and the value is a miss.
 *
 * Stubs have segments of their own, a pool beside small and main, where the oldest go first once
 * they are more than their share of the store, or stand for more on disk than they may.
 */
import {
  ITEM_LIFETIME, ITEM_LOCATED, ITEM_MERGED, ITEM_PAGED, STATE_LIVE, STATE_PENDING, expiryFrom,
  itemBytesFor, itemFlags, itemInlineAt, itemInlineLength, itemKeyAt, itemKeyLength, itemKind,
  itemVersion, writeItemHeader,
} from "./item";
import {
  COUNTER_STUBS_ADDED, COUNTER_STUBS_REMOVED, COUNTER_STUB_BYTES_ADDED, COUNTER_STUB_BYTES_REMOVED,
  COUNTER_TIER_LEFT, count, countBy, countItems, countLeft,
} from "./counters";
import { CURSOR_STUB, allocate, completeItem, takeBack } from "./allocator";
import { RECORD_HEADER_BYTES } from "./feed";
import { removeEntry, replaceEntry, valueLength } from "./entry";
import { tierLeast, tierMib } from "./layout";

export const LOCATION_BYTES: u32 = 8;
/** What a stub has in the place of the value. */
export const STUB_INLINE_BYTES: u32 = 4;
export const LOCATION_NONE: u64 = 0;
export const LOCATION_FILE_SHIFT: u64 = 32;
export const LOCATION_BLOCK_SHIFT: u64 = 3;
/** Stubs may take this share of all segments. */
export const STUB_SHARE_PERCENT: u32 = 60;

/** Whether only the disk has the value of an item. */
@inline
export function isStub(item: u32): bool {
  return tierLeast != 0 && (itemFlags(item) & (ITEM_LOCATED | ITEM_PAGED)) == ITEM_LOCATED
    && itemInlineLength(item) == STUB_INLINE_BYTES;
}

/** Where an item that is LOCATED has its location. */
@inline
function locationAt(item: u32): u32 {
  return item + itemBytesFor(itemKeyLength(item), itemInlineLength(item));
}

/** Where the value of an item lies on disk; LOCATION_NONE when that is not known. */
@inline
export function itemLocation(item: u32): u64 {
  return itemFlags(item) & ITEM_LOCATED ? load<u64>(locationAt(item)) : LOCATION_NONE;
}

/** Whether the value of an item is going to be on disk, and is not known to be yet. */
export function awaitsDisk(item: u32): bool {
  return tierLeast != 0 && (itemFlags(item) & ITEM_LOCATED) != 0
    && load<u64>(locationAt(item)) == LOCATION_NONE;
}

/** Notes where the value of an item that is LOCATED lies on disk. */
@inline
export function setLocation(item: u32, location: u64): void {
  store<u64>(locationAt(item), location);
}

/** The length of the value that a stub stands for. */
@inline
export function stubLength(stub: u32): u32 {
  return load<u32>(itemInlineAt(stub));
}

/** The bytes of the record on disk. */
@inline
function stubRecordBytes(stub: u32): u64 {
  return u64((RECORD_HEADER_BYTES + itemKeyLength(stub) + stubLength(stub) + 7) & ~7);
}

/** Settles the accounts of a stub that entered the table. */
export function stubEntered(stub: u32): void {
  count(COUNTER_STUBS_ADDED);
  countBy(COUNTER_STUB_BYTES_ADDED, stubRecordBytes(stub));
}

/** Settles the accounts of a stub that left the table. */
export function stubLeft(stub: u32): void {
  count(COUNTER_STUBS_REMOVED);
  countBy(COUNTER_STUB_BYTES_REMOVED, stubRecordBytes(stub));
}

/** About how many stubs there are. */
export function countStubs(): u64 {
  return countLeft(COUNTER_STUBS_ADDED, COUNTER_STUBS_REMOVED);
}

/** About how many items there are whose value is in memory. */
export function countHeld(): u64 {
  const items = countItems();
  return tierLeast == 0 ? items : items - min<u64>(items, countStubs());
}

/** Whether stubs stand for more on disk than they may. */
export function tierIsFull(): bool {
  if (tierMib == 0) return false;
  return countLeft(COUNTER_STUB_BYTES_ADDED, COUNTER_STUB_BYTES_REMOVED) > u64(tierMib) << 20;
}

/** Builds a stub; 0 when there is no memory at the moment. A pending one is for `insertItem`. */
export function draftStub(
  version: u64, lifetime: u32, merged: u32, pending: bool, keyAt: u32, keyLength: u32, kind: u32,
  length: u32, location: u64,
): u32 {
  const bytes = itemBytesFor(keyLength, STUB_INLINE_BYTES) + LOCATION_BYTES;
  const stub = allocate(CURSOR_STUB, bytes, 0, 0);
  if (stub == 0) return 0;
  const state = (pending ? STATE_PENDING : STATE_LIVE) | ITEM_LOCATED | merged;
  writeItemHeader(stub, version, lifetime, state, keyLength, STUB_INLINE_BYTES, kind, 0);
  memory.copy(itemKeyAt(stub), keyAt, keyLength);
  store<u32>(itemInlineAt(stub), length);
  setLocation(stub, location);
  completeItem(CURSOR_STUB, expiryFrom(version, lifetime));
  return stub;
}

/** Builds the stub of an item; 0 when its value is not on disk, or there is no memory. */
function draftStubOf(item: u32): u32 {
  const location = itemLocation(item);
  if (location == LOCATION_NONE || isStub(item)) return 0;
  return draftStub(
    itemVersion(item), load<u32>(item, ITEM_LIFETIME), itemFlags(item) & ITEM_MERGED, false,
    itemKeyAt(item), itemKeyLength(item), itemKind(item), valueLength(item), location,
  );
}

/**
 * Takes an item out of memory: leaves a stub if its value is on disk, and else removes the entry.
 * False when the entry has changed.
 */
export function letGo(at: u32, entry: u64, hash: u64, item: u32): bool {
  const stub = tierLeast != 0 ? draftStubOf(item) : 0;
  if (stub == 0) return removeEntry(at, entry, hash, itemVersion(item));
  if (!replaceEntry(at, entry, hash, stub, false)) {
    takeBack(CURSOR_STUB, stub);
    return false;
  }
  count(COUNTER_TIER_LEFT);
  return true;
}
