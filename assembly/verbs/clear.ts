import { COUNTER_CLEAR_OK, count } from "../counters";
import { STATUS_OK } from "../wire";
import { answerStatus } from "../answer";
import { clearAll } from "../version";
import { prepareClear, publishClear } from "../feed";
import { DEFERRED, DONE } from "./outcome";

/** Removes everything at once: whatever is not above the clear's version is dead from now on. */
export function clear(): u32 {
  if (!prepareClear()) return DEFERRED;
  publishClear(clearAll());
  count(COUNTER_CLEAR_OK);
  answerStatus(STATUS_OK);
  return DONE;
}
