import { COUNTER_TOUCH_MISS, COUNTER_TOUCH_OK, count } from "../counters";
import { FLAG_WITH_META, STATUS_NOT_FOUND, STATUS_OK, STATUS_VERSION_MISMATCH } from "../wire";
import { answerStatus, answerWrite } from "../answer";
import { expiryMs, has, keyAt, keyLength } from "../request";
import { isStub } from "../stub";
import { DEFERRED, DONE } from "./outcome";
import { awaitValue } from "./await";
import {
  NO_MEMORY, WROTE, beginWrite, current, lookUp, nextVersion, rewrite, written,
} from "./write";
import { checkConditions } from "./condition";

/** Gives a key another expiry, or none. */
export function touch(hash: u64): u32 {
  beginWrite();
  while (true) {
    lookUp(hash, keyAt, keyLength);
    if (current == 0) {
      count(COUNTER_TOUCH_MISS);
      answerStatus(STATUS_NOT_FOUND);
      return DONE;
    }
    if (checkConditions(current) != STATUS_OK) {
      count(COUNTER_TOUCH_MISS);
      answerWrite(STATUS_VERSION_MISMATCH, current, true, 0);
      return DONE;
    }
    if (isStub(current)) return awaitValue(current);
    const wrote = rewrite(hash, nextVersion(hash), expiryMs());
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(COUNTER_TOUCH_OK);
    answerWrite(STATUS_OK, written, has(FLAG_WITH_META), 0);
    return DONE;
  }
}
