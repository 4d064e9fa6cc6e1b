/**
 * The one way a value enters the table: build the item, write its record, publish it over the entry
 * there is or into a free one, publish the record.
 */
import {
  FITS, KEY_TOO_LONG, discardDraft, draftCopy, draftItem, fitsArena, releaseDraftPages,
} from "../draft";
import { STATUS_NO_SPACE, STATUS_OK, STATUS_TOO_LARGE } from "../wire";
import { dropRecord, fitsFeed, prepareItem, publishRecord } from "../feed";
import { entryItem, findForWrite, findSeen, foundAt, foundEntry, seemsAbsent } from "../table";
import { isAlive, replaceEntry } from "../entry";
import { insertItem } from "../insert";
import { isStub } from "../stub";
import { itemsMax, valueBytesMax } from "../layout";
import { makeRoom } from "../room";
import { onAdded, onWritten, poolAfter, poolForNew, rankAfter, rankOfNew } from "../policy";
import { readFloor, versionAfter, versionOfInsert } from "../version";

export const WROTE: u32 = 0;
/** Somebody else changed the key in between: look again. */
export const LOST: u32 = 1;
/** No memory, or no room in the feed; nothing was changed. */
export const NO_MEMORY: u32 = 2;

/** The entry of the key in work, as `lookUp` found it. */
let at: u32 = 0;
let entry: u64 = 0;
/** The item there, alive or not; 0 when there is no entry. */
export let present: u32 = 0;
/** The item there if readers find it, else 0. */
export let current: u32 = 0;
/** The item the last `write` or `rewrite` published. */
export let written: u32 = 0;
/** The pool chosen for a key without an entry; the ghost is asked once. */
let chosenPool: i32 = -1;

/** Forgets the key of the last operation. */
@inline
export function beginWrite(): void {
  chosenPool = -1;
}

/** Looks the key up for a write. */
export function lookUp(hash: u64, keyAt: u32, keyLength: u32): void {
  present = 0;
  current = 0;
  if (!findSeen(hash, keyAt, keyLength) && !findForWrite(hash, keyAt, keyLength)) return;
  at = foundAt;
  entry = foundEntry;
  present = entryItem(entry);
  readFloor(present, hash);
  if (isAlive(present)) current = present;
}

/**
 * As `lookUp`, for a write that does not ask what there is: of a key that was seen to have no entry
 * when its group was touched nothing is read again. If one has come since, the insert loses against
 * it. Where a new key makes another one leave, it is looked up all the same.
 */
@inline
export function lookUpBlindly(hash: u64, keyAt: u32, keyLength: u32): void {
  if (itemsMax != 0 || !seemsAbsent()) {
    lookUp(hash, keyAt, keyLength);
    return;
  }
  present = 0;
  current = 0;
}

/** Whether this arena and its feed can hold the item at all, as a status. */
export function fits(keyLength: u32, length: u32): u32 {
  if (length > valueBytesMax) return STATUS_TOO_LARGE;
  const fit = fitsArena(keyLength, length);
  if (fit == KEY_TOO_LONG) return STATUS_TOO_LARGE;
  return fit == FITS && fitsFeed(keyLength, length) ? STATUS_OK : STATUS_NO_SPACE;
}

/** The version the next write of the key looked up takes. */
@inline
export function nextVersion(hash: u64): u64 {
  return present != 0 ? versionAfter(present) : versionOfInsert(hash);
}

@inline
function poolFor(hash: u64, rank: u32): u32 {
  if (present != 0 && !isStub(present)) return poolAfter(present, rank);
  if (chosenPool < 0) chosenPool = i32(poolForNew(hash));
  return u32(chosenPool);
}

/** Publishes a value for the key looked up. */
export function write(
  hash: u64, keyAt: u32, keyLength: u32, valueAt: u32, length: u32, kind: u32, flags: u32,
  version: u64, expiryMs: u64,
): u32 {
  const pending = present == 0;
  const rank = current != 0 && !isStub(current) ? rankAfter(current) : rankOfNew();
  if (pending && itemsMax != 0) makeRoom();
  const item = draftItem(
    poolFor(hash, rank), version, expiryMs, flags, pending, keyAt, keyLength, valueAt, length, kind,
    rank,
  );
  if (item == 0) return NO_MEMORY;
  if (!prepareItem(item)) {
    discardDraft(item, true);
    return NO_MEMORY;
  }
  if (pending) {
    if (!insertItem(hash, item)) {
      releaseDraftPages(item);
      dropRecord();
      return LOST;
    }
    if (itemsMax != 0) onAdded();
  } else if (!replaceEntry(at, entry, hash, item, false)) {
    discardDraft(item, true);
    dropRecord();
    return LOST;
  }
  publishRecord();
  written = item;
  onWritten(hash, current == 0);
  return WROTE;
}

/** Publishes the value there is under another expiry; the key looked up is alive. */
export function rewrite(hash: u64, version: u64, expiryMs: u64): u32 {
  const rank = rankAfter(current);
  const item = draftCopy(current, poolFor(hash, rank), version, expiryMs, rank);
  if (item == 0) return NO_MEMORY;
  if (!prepareItem(item)) {
    discardDraft(item, false);
    return NO_MEMORY;
  }
  if (!replaceEntry(at, entry, hash, item, true)) {
    discardDraft(item, false);
    dropRecord();
    return LOST;
  }
  publishRecord();
  written = item;
  onWritten(hash, false);
  return WROTE;
}

/** Where the key looked up stands, for a removal. */
@inline
export function entryAt(): u32 {
  return at;
}

@inline
export function entryWord(): u64 {
  return entry;
}
