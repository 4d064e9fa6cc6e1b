/**
 * Merge: applies a record that carries its version, from the log, a peer or a backup. Idempotent
 * and free of order: the highest version of a key stays, and equal versions have a total order, so
 * that all who see the same records end with the same item.
 */
import { COUNTER_MERGE_ERROR, COUNTER_MERGE_MISS, COUNTER_MERGE_OK, count } from "../counters";
import { FLAG_TOMBSTONE, FLAG_VERSION, STATUS_EXISTS, STATUS_OK } from "../wire";
import {
  ITEM_MERGED, ITEM_TOMBSTONE, expiryFrom, itemExpiryMs, itemFlags, itemKind,
  itemVersion, lifetimeFor,
} from "../item";
import { H_CLEAR_VERSION } from "../layout";
import { answerStatus } from "../answer";
import { expiryMs, field, has, keyAt, keyLength, kind, valueAt, valueLength } from "../request";
import { compareValue, valueLength as lengthOf } from "../entry";
import { noteMerged } from "../version";
import { DEFERRED, DONE } from "./outcome";
import { NO_MEMORY, WROTE, beginWrite, fits, lookUp, present, write } from "./write";

/** Applies the request's record unless something newer is there. */
export function merge(hash: u64): u32 {
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
    if (present != 0 && !isNewer(version, tombstone, present)) return older();
    noteMerged(version);
    const wrote = write(
      hash, keyAt, keyLength, valueAt, valueLength, kind(), tombstone | ITEM_MERGED, version,
      expiryMs(),
    );
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(COUNTER_MERGE_OK);
    answerStatus(STATUS_OK);
    return DONE;
  }
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
  const length = lengthOf(item);
  if (valueLength != length) return valueLength > length;
  return compareValue(valueAt, item, length) > 0;
}
