import { COUNTER_CLEAR_OK, count } from "../counters";
import { STATUS_OK } from "../wire";
import { answerStatus } from "../answer";
import { clearUpTo, versionOfClear } from "../version";
import { prepareClear, publishRecord, writeClear } from "../feed";
import { DEFERRED, DONE } from "./outcome";

/** Removes everything at once: whatever is not above the clear's version is dead from now on. */
export function clear(): u32 {
  if (!prepareClear()) return DEFERRED;
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
