/**
 * Merge: applies a record that carries its version, from the log, a peer or a backup. Idempotent
 * and free of order: the highest version of a key stays, and equal versions have a total order, so
 * that all who see the same records end with the same item.
 */
import { COUNTER_MERGE_ERROR, COUNTER_MERGE_MISS, COUNTER_MERGE_OK, count } from "../counters";
import {
  FLAG_IF_PRESENT, FLAG_LOCATION, FLAG_NO_VALUE, FLAG_TOMBSTONE, FLAG_VERSION, STATUS_EXISTS,
  STATUS_OK,
} from "../wire";
import {
  ITEM_LOCATED, ITEM_MERGED, ITEM_TOMBSTONE, expiryFrom, itemExpiryMs, itemFlags, itemKind,
  itemVersion, lifetimeFor,
} from "../item";
import { H_CLEAR_VERSION } from "../layout";
import { answerStatus } from "../answer";
import { expiryMs, field, has, keyAt, keyLength, kind, valueAt, valueLength } from "../request";
import { compareValue, valueLength as lengthOf } from "../entry";
import { noteMerged } from "../version";
import { isStub, setLocation, stubLength } from "../stub";
import { DEFERRED, DONE } from "./outcome";
import { NO_MEMORY, WROTE, beginWrite, fits, lookUp, present, write, written } from "./write";
import { awaitValue } from "./await";
import { mergePlace, writeStub } from "./tier";

/** Applies the request's record unless something newer is there. */
export function merge(hash: u64): u32 {
  if (has(FLAG_IF_PRESENT)) return mergePlace(hash);
  const fit = fits(keyLength, valueLength);
  if (fit != STATUS_OK) {
    count(COUNTER_MERGE_ERROR);
    answerStatus(fit);
    return DONE;
  }
  const version = field(FLAG_VERSION);
  const tombstone: u32 = has(FLAG_TOMBSTONE) ? ITEM_TOMBSTONE : 0;
  beginWrite();
  while (true) {
    lookUp(hash, keyAt, keyLength);
    if (version <= atomic.load<u64>(H_CLEAR_VERSION)) return older();
    if (present != 0 && isTieWithStub(version, tombstone, present)) {
      // What lies on disk at the same place is the same.
      return has(FLAG_LOCATION) ? older() : awaitValue(present);
    }
    if (present != 0 && !isNewer(version, tombstone, present)) return older();
    noteMerged(version);
    const wrote = writeMerged(hash, version, tombstone);
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(COUNTER_MERGE_OK);
    answerStatus(STATUS_OK);
    return DONE;
  }
}

/**
 * Publishes the request's record. One that takes the place of another with the same version has no
 * location: the log has two of that version, and nothing could tell which one is meant.
 */
function writeMerged(hash: u64, version: u64, tombstone: u32): u32 {
  if (has(FLAG_NO_VALUE)) return writeStub(hash, version);
  const unique = present == 0 || itemVersion(present) != version;
  const flags = tombstone | ITEM_MERGED | (unique ? ITEM_LOCATED : 0);
  const wrote = write(
    hash, keyAt, keyLength, valueAt, valueLength, kind(), flags, version, expiryMs(),
  );
  if (wrote == WROTE && has(FLAG_LOCATION) && itemFlags(written) & ITEM_LOCATED) {
    setLocation(written, field(FLAG_LOCATION));
  }
  return wrote;
}

/** Whether only the value could tell the order of the record and a stub of the same version. */
function isTieWithStub(version: u64, tombstone: u32, item: u32): bool {
  if (tombstone != 0 || !isStub(item) || itemVersion(item) != version) return false;
  const expiry = expiryFrom(version, lifetimeFor(version, expiryMs()));
  return expiry == itemExpiryMs(item) && kind() == itemKind(item)
    && valueLength == stubLength(item);
}

function older(): u32 {
  count(COUNTER_MERGE_MISS);
  answerStatus(STATUS_EXISTS);
  return DONE;
}

/** Whether the request's record comes after `item`. */
function isNewer(version: u64, tombstone: u32, item: u32): bool {
  const there = itemVersion(item);
  if (version != there) return version > there;
  const buried = itemFlags(item) & ITEM_TOMBSTONE;
  if (tombstone != buried) return tombstone != 0;
  const expiry = expiryFrom(version, lifetimeFor(version, expiryMs()));
  const expiryThere = itemExpiryMs(item);
  if (expiry != expiryThere) return expiry > expiryThere;
  if (kind() != itemKind(item)) return kind() > itemKind(item);
  const length = isStub(item) ? stubLength(item) : lengthOf(item);
  if (valueLength != length) return valueLength > length;
  return compareValue(valueAt, item, length) > 0;
}
