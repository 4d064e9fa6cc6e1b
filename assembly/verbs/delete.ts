import { markGone } from "../item";
import { COUNTER_DELETE_MISS, COUNTER_DELETE_OK, count } from "../counters";
import {
  FLAG_RETURN_OLD, FLAG_WITH_META, STATUS_NOT_FOUND, STATUS_OK, STATUS_VERSION_MISMATCH,
} from "../wire";
import { answerStatus, answerWrite } from "../answer";
import { dropRecord, prepareRemoval, publishRecord } from "../feed";
import { has, keyAt, keyLength } from "../request";
import { isStub } from "../stub";
import { removeEntry } from "../entry";
import { versionAfter } from "../version";
import { DEFERRED, DONE } from "./outcome";
import { awaitValue } from "./await";
import { checkConditions } from "./condition";
import { current, entryAt, entryWord, lookUp } from "./write";

/** Removes a key. The removal has a version of its own, which the floor remembers. */
export function remove(hash: u64): u32 {
  while (true) {
    lookUp(hash, keyAt, keyLength);
    const old = current;
    if (old == 0) {
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
