import { COUNTER_GET_MISS, COUNTER_GET_OK, count } from "../counters";
import { FLAG_NO_VALUE, FLAG_PEEK, FLAG_WITH_META, STATUS_NOT_FOUND, STATUS_OK } from "../wire";
import { answerMeta, answerStatus, answerValue } from "../answer";
import { entryItem, find, foundEntry } from "../table";
import { has, keyAt, keyLength } from "../request";
import { isAlive } from "../entry";
import { isStub } from "../stub";
import { onHit } from "../policy";
import { wantAnswer } from "../wants";
import { DONE } from "./outcome";

/**
 * Answers with the value of a key. Writes nothing but the item's rank, and with PEEK not even that:
 * it is no use of the item, and is not counted.
 */
export function get(hash: u64): u32 {
  if (!find(hash, keyAt, keyLength)) return miss();
  const item = entryItem(foundEntry);
  if (!isAlive(item)) return miss();
  if (!has(FLAG_PEEK)) {
    onHit(hash, item);
    count(COUNTER_GET_OK);
  }
  if (has(FLAG_NO_VALUE)) answerMeta(STATUS_OK, item);
  else if (isStub(item)) wantAnswer(item);
  else answerValue(STATUS_OK, item, has(FLAG_WITH_META));
  return DONE;
}

function miss(): u32 {
  if (!has(FLAG_PEEK)) count(COUNTER_GET_MISS);
  answerStatus(STATUS_NOT_FOUND);
  return DONE;
}
