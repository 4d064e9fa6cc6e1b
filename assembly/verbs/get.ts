import { COUNTER_GET_MISS, COUNTER_GET_OK, count } from "../counters";
import {
  ANSWER_CURSOR, ANSWER_VERSION, FIELD_BYTES, FLAG_NO_VALUE, FLAG_PEEK, FLAG_WITH_META,
  STATUS_NOT_FOUND, STATUS_OK,
} from "../wire";
import { answer, answerMeta, answerStatus, answerValue } from "../answer";
import { entryItem, find, findSeen, foundEntry } from "../table";
import { has, keyAt, keyLength } from "../request";
import { isAlive } from "../entry";
import { isStub } from "../stub";
import { clearVersion } from "../version";
import { forgottenVersion } from "../forgotten";
import { itemVersion } from "../item";
import { onHit } from "../policy";
import { wantAnswer } from "../wants";
import { DONE } from "./outcome";

/**
 * Answers with the value of a key. Writes nothing but the item's rank, and with PEEK not even that:
 * it is no use of the item, and is not counted.
 */
export function get(hash: u64): u32 {
  if (!findSeen(hash, keyAt, keyLength) && !find(hash, keyAt, keyLength)) return miss(hash, 0);
  const item = entryItem(foundEntry);
  if (!isAlive(item)) return miss(hash, item);
  if (!has(FLAG_PEEK)) {
    // A value that has to be read is new to the policy, once it is in memory again.
    if (!isStub(item)) onHit(hash, item);
    count(COUNTER_GET_OK);
  }
  if (has(FLAG_NO_VALUE)) answerMeta(STATUS_OK, item);
  else if (isStub(item)) wantAnswer(item);
  else answerValue(STATUS_OK, item, has(FLAG_WITH_META));
  return DONE;
}

/** Answers that the key is not there; `item` is what is left of it, or 0. */
function miss(hash: u64, item: u32): u32 {
  if (!has(FLAG_PEEK)) count(COUNTER_GET_MISS);
  else if (has(FLAG_WITH_META)) return tellOfAbsence(hash, item);
  answerStatus(STATUS_NOT_FOUND);
  return DONE;
}

/**
 * Tells a peer what is known of a key that is not there: the version under which it was removed or
 * has expired, if that is still remembered, and up to which version such keys are forgotten here.
 */
function tellOfAbsence(hash: u64, item: u32): u32 {
  const flags = item == 0 ? ANSWER_CURSOR : ANSWER_VERSION | ANSWER_CURSOR;
  let at = answer(STATUS_NOT_FOUND, flags, 0, 0);
  if (item != 0) {
    store<u64>(at, itemVersion(item));
    at += FIELD_BYTES;
  }
  store<u64>(at, max<u64>(forgottenVersion(hash, keyAt, keyLength), clearVersion));
  return DONE;
}
