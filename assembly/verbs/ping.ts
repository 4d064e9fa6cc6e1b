import { ANSWER_HAS_VALUE, STATUS_OK } from "../wire";
import { COUNTER_PING_OK, count } from "../counters";
import { answer } from "../answer";
import { kind, valueAt, valueLength } from "../request";
import { DONE } from "./outcome";

/** Answers with the request's own body. */
export function ping(): u32 {
  count(COUNTER_PING_OK);
  memory.copy(answer(STATUS_OK, ANSWER_HAS_VALUE, kind(), valueLength), valueAt, valueLength);
  return DONE;
}
