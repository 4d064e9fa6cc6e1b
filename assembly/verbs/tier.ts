/**
 * What the host asks of an item whose value lies on disk: merges with a location, and only if the
 * item of that key and version is there. None of them changes what readers are told of the key, so
 * none has a record.
 *
 *   locate     IF_PRESENT NO_VALUE     the value of this version lies there
 *   promote    IF_PRESENT, a value     what was read there, to be back in memory
 *   drop       IF_PRESENT TOMBSTONE    nothing can be read there any more
 *
 * And without IF_PRESENT, with NO_VALUE and the length in the place of the value, what recovery
 * knows of a key whose value it leaves on disk.
 */
import {
  COUNTER_MERGE_MISS, COUNTER_MERGE_OK, COUNTER_TIER_DROPPED, COUNTER_TIER_PROMOTED, count,
} from "../counters";
import {
  FLAG_LOCATION, FLAG_NO_VALUE, FLAG_TOMBSTONE, FLAG_VERSION, STATUS_NOT_FOUND, STATUS_OK,
} from "../wire";
import {
  ITEM_LOCATED, ITEM_MERGED, ITEM_TOMBSTONE, itemExpiryMs, itemFlags, itemKind, itemVersion,
  lifetimeFor,
} from "../item";
import { expiryMs, field, has, keyAt, keyLength, kind, valueAt, valueLength } from "../request";
import { discardDraft, draftItem } from "../draft";
import { draftStub, isStub, itemLocation, setLocation, stubLength } from "../stub";
import { CURSOR_STUB, takeBack } from "../allocator";
import { answerStatus } from "../answer";
import { insertItem } from "../insert";
import { loadEntry } from "../table";
import { onWritten, poolForNew, rankOfNew } from "../policy";
import { removeEntry, replaceEntry } from "../entry";
import { DEFERRED, DONE } from "./outcome";
import {
  LOST, NO_MEMORY, WROTE, current, entryAt, entryWord, fits, lookUp, present,
} from "./write";

/** Runs a merge with a location and IF_PRESENT. */
export function mergePlace(hash: u64): u32 {
  if (has(FLAG_NO_VALUE)) return locate(hash);
  return has(FLAG_TOMBSTONE) ? drop(hash) : promote(hash);
}

function ended(ok: bool): u32 {
  count(ok ? COUNTER_MERGE_OK : COUNTER_MERGE_MISS);
  answerStatus(ok ? STATUS_OK : STATUS_NOT_FOUND);
  return DONE;
}

/** Whether the item of the key has the request's version, and room for a location. */
@inline
function isMeant(item: u32): bool {
  return item != 0 && itemVersion(item) == field(FLAG_VERSION)
    && (itemFlags(item) & (ITEM_LOCATED | ITEM_TOMBSTONE)) == ITEM_LOCATED;
}

/** Whether it is a stub that leads where the request says. */
@inline
function isStubMeant(item: u32): bool {
  return isMeant(item) && isStub(item) && itemLocation(item) == field(FLAG_LOCATION);
}

/** Notes where a value lies; a copy that a cleaner makes meanwhile is sought again. */
function locate(hash: u64): u32 {
  while (true) {
    lookUp(hash, keyAt, keyLength);
    if (!isMeant(present)) return ended(false);
    setLocation(present, field(FLAG_LOCATION));
    if (loadEntry(entryAt()) == entryWord()) return ended(true);
  }
}

/** Brings a value back; its item is new to the policy, as that of a key that was evicted. */
function promote(hash: u64): u32 {
  if (fits(keyLength, valueLength) != STATUS_OK) return ended(false);
  const pool = poolForNew(hash);
  while (true) {
    lookUp(hash, keyAt, keyLength);
    const stub = current;
    if (!isStubMeant(stub) || stubLength(stub) != valueLength) return ended(false);
    const flags = ITEM_LOCATED | (itemFlags(stub) & ITEM_MERGED);
    const item = draftItem(
      pool, itemVersion(stub), itemExpiryMs(stub), flags, false, keyAt, keyLength, valueAt,
      valueLength, itemKind(stub), rankOfNew(),
    );
    if (item == 0) return DEFERRED;
    setLocation(item, field(FLAG_LOCATION));
    if (!replaceEntry(entryAt(), entryWord(), hash, item, false)) {
      discardDraft(item, true);
      continue;
    }
    onWritten(hash, true);
    count(COUNTER_TIER_PROMOTED);
    return ended(true);
  }
}

/** Removes a stub that leads nowhere. */
function drop(hash: u64): u32 {
  while (true) {
    lookUp(hash, keyAt, keyLength);
    if (!isStubMeant(present)) return ended(false);
    if (!removeEntry(entryAt(), entryWord(), hash, itemVersion(present))) continue;
    count(COUNTER_TIER_DROPPED);
    return ended(true);
  }
}

/** Publishes a stub for the key looked up; as `write`, and without a record. */
export function writeStub(hash: u64, version: u64): u32 {
  const pending = present == 0;
  const lifetime = lifetimeFor(version, expiryMs());
  const stub = draftStub(
    version, lifetime, ITEM_MERGED, pending, keyAt, keyLength, kind(), load<u32>(valueAt),
    field(FLAG_LOCATION),
  );
  if (stub == 0) return NO_MEMORY;
  if (pending) return insertItem(hash, stub) ? WROTE : LOST;
  if (replaceEntry(entryAt(), entryWord(), hash, stub, false)) return WROTE;
  takeBack(CURSOR_STUB, stub);
  return LOST;
}
