import { markGone } from "../item";
import { COUNTER_DELETE_MISS, COUNTER_DELETE_OK, count } from "../counters";
import {
  FLAG_RETURN_OLD, FLAG_WITH_META, STATUS_NOT_FOUND, STATUS_OK, STATUS_VERSION_MISMATCH,
} from "../wire";
import { answerStatus, answerWrite } from "../answer";
import { dropRecord, isFeeding, prepareRemoval, publishRecord } from "../feed";
import { has, keyAt, keyLength } from "../request";
import { isStub } from "../stub";
import { removeEntry } from "../entry";
import { raiseFloor, versionAfter, versionOfInsert } from "../version";
import { DEFERRED, DONE } from "./outcome";
import { awaitValue } from "./await";
import { checkConditions } from "./condition";
import { current, entryAt, entryWord, lookUp, present } from "./write";

/** The key is there after all. */
const FOUND: u32 = 2;

/** Removes a key. The removal has a version of its own, which the floor remembers. */
export function remove(hash: u64): u32 {
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
