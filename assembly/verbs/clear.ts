/**
 * Clear: whatever is not above the clear's version is dead from now on.
 *
 * With a version it is the record of a clear, from the log, a peer or the arena next door, and is
 * merged: nothing happens if it is not above the last clear. Its answer tells the last version that
 * the clock of a thread allows. As long as that is below the record's, no thread can be about to
 * write above it what it read below it.
 */
import { ANSWER_VERSION, FLAG_VERSION, STATUS_EXISTS, STATUS_OK } from "../wire";
import { COUNTER_CLEAR_MISS, COUNTER_CLEAR_OK, count } from "../counters";
import { answer, answerStatus } from "../answer";
import { clearUpTo, latestClock, versionOfClear } from "../version";
import { dropRecord, prepareClear, publishRecord, writeClear } from "../feed";
import { field, has } from "../request";
import { H_CLEAR_VERSION } from "../layout";
import { DEFERRED, DONE } from "./outcome";

/** Removes everything at once. */
export function clear(): u32 {
  if (!prepareClear()) return DEFERRED;
  if (has(FLAG_VERSION)) return mergeClear(field(FLAG_VERSION));
  while (true) {
    const version = versionOfClear();
    writeClear(version);
    if (clearUpTo(version)) break;
  }
  publishRecord();
  count(COUNTER_CLEAR_OK);
  answerStatus(STATUS_OK);
  return DONE;
}

function mergeClear(version: u64): u32 {
  if (version <= atomic.load<u64>(H_CLEAR_VERSION)) {
    dropRecord();
    count(COUNTER_CLEAR_MISS);
    return answerClock(STATUS_EXISTS);
  }
  writeClear(version);
  clearUpTo(version);
  publishRecord();
  count(COUNTER_CLEAR_OK);
  return answerClock(STATUS_OK);
}

function answerClock(status: u32): u32 {
  store<u64>(answer(status, ANSWER_VERSION, 0, 0), latestClock());
  return DONE;
}
