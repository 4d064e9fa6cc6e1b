import { ITEM_TOMBSTONE, markGone } from "../item";
import { COUNTER_DELETE_MISS, COUNTER_DELETE_OK, count } from "../counters";
import {
  FLAG_RETURN_OLD, FLAG_WITH_META, STATUS_NOT_FOUND, STATUS_OK, STATUS_VERSION_MISMATCH,
} from "../wire";
import { answerStatus, answerWrite } from "../answer";
import { dropRecord, isFeeding, isPeering, prepareRemoval, publishRecord } from "../feed";
import { has, keyAt, keyLength } from "../request";
import { TOMBSTONE_MS } from "../lapse";
import { isStub } from "../stub";
import { removeEntry } from "../entry";
import { nowMs, raiseFloor, versionAfter, versionOfInsert } from "../version";
import { DEFERRED, DONE } from "./outcome";
import { awaitValue } from "./await";
import { checkConditions } from "./condition";
import {
  NO_MEMORY, WROTE, beginWrite, current, entryAt, entryWord, lookUp, nextVersion, present, write,
} from "./write";

/** The key is there after all. */
const FOUND: u32 = 2;

/**
 * Removes a key. The removal has a version of its own, which the floor remembers; where there are
 * peers, a tombstone does, so that what a peer tells of the key later is known to be older.
 */
export function remove(hash: u64): u32 {
  if (isPeering()) return removeAmongPeers(hash);
  while (true) {
    lookUp(hash, keyAt, keyLength);
    const old = current;
    if (old == 0) {
      if (present == 0 && isFeeding()) {
        const told = tellOfAbsence(hash);
        if (told == DEFERRED) return DEFERRED;
        if (told == FOUND) continue;
      }
      count(COUNTER_DELETE_MISS);
      answerStatus(STATUS_NOT_FOUND);
      return DONE;
    }
    if (has(FLAG_RETURN_OLD) && isStub(old)) return awaitValue(old);
    if (checkConditions(old) != STATUS_OK) {
      count(COUNTER_DELETE_MISS);
      answerWrite(STATUS_VERSION_MISMATCH, old, true, has(FLAG_RETURN_OLD) ? old : 0);
      return DONE;
    }
    const version = versionAfter(old);
    if (!prepareRemoval(keyAt, keyLength, version)) return DEFERRED;
    if (!removeEntry(entryAt(), entryWord(), hash, version)) {
      dropRecord();
      continue;
    }
    markGone(old);
    publishRecord();
    count(COUNTER_DELETE_OK);
    answerWrite(STATUS_OK, old, has(FLAG_WITH_META), has(FLAG_RETURN_OLD) ? old : 0);
    return DONE;
  }
}

/** Puts a tombstone in the place of the key, also of one that is not there: a peer may have it. */
function removeAmongPeers(hash: u64): u32 {
  beginWrite();
  while (true) {
    lookUp(hash, keyAt, keyLength);
    const old = current;
    if (old != 0 && has(FLAG_RETURN_OLD) && isStub(old)) return awaitValue(old);
    const status = checkConditions(old);
    if (status != STATUS_OK) {
      count(COUNTER_DELETE_MISS);
      if (old == 0) answerStatus(status);
      else answerWrite(status, old, true, has(FLAG_RETURN_OLD) ? old : 0);
      return DONE;
    }
    const until = nowMs + TOMBSTONE_MS;
    const wrote = write(
      hash, keyAt, keyLength, 0, 0, 0, ITEM_TOMBSTONE, nextVersion(hash), until,
    );
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(old == 0 ? COUNTER_DELETE_MISS : COUNTER_DELETE_OK);
    if (old == 0) answerStatus(STATUS_NOT_FOUND);
    else answerWrite(STATUS_OK, old, has(FLAG_WITH_META), has(FLAG_RETURN_OLD) ? old : 0);
    return DONE;
  }
}

/**
 * Tells the feed that a key is gone which is not there. It may have been evicted: the log and
 * others still have it, and would bring back what somebody was told is gone. The floor is raised
 * first, so that whoever inserts the key from now on comes after the removal; whoever was faster is
 * found by looking again.
 */
function tellOfAbsence(hash: u64): u32 {
  const version = versionOfInsert(hash);
  if (!prepareRemoval(keyAt, keyLength, version)) return DEFERRED;
  raiseFloor(hash, version);
  lookUp(hash, keyAt, keyLength);
  if (present != 0) {
    dropRecord();
    return FOUND;
  }
  publishRecord();
  return DONE;
}
