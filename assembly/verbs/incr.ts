import { COUNTER_INCR_ERROR, COUNTER_INCR_MISS, COUNTER_INCR_OK, count } from "../counters";
import {
  ENCODING_UTF8, FLAG_DELTA, FLAG_IF_PRESENT, FLAG_INITIAL, FLAG_WITH_META, STATUS_NOT_A_NUMBER,
  STATUS_NOT_FOUND, STATUS_OK, STATUS_OVERFLOW,
} from "../wire";
import { NUMBER_TEXT_MAX, parseNumber, parsed, sumOverflows, writeNumber } from "../number";
import { answerStatus, answerValue } from "../answer";
import { expiryMs, field, has, keyAt, keyLength } from "../request";
import { itemExpiryMs, itemInlineAt } from "../item";
import { L_TEXT, laneAt } from "../layout";
import { isPaged, valueLength } from "../entry";
import { isStub } from "../stub";
import { DEFERRED, DONE } from "./outcome";
import {
  NO_MEMORY, WROTE, beginWrite, current, fits, lookUp, nextVersion, write, written,
} from "./write";

/** Adds to a counter, made when it is not there; its expiry stays what it was when it was made. */
export function incr(hash: u64): u32 {
  const fit = fits(keyLength, NUMBER_TEXT_MAX);
  if (fit != STATUS_OK) return refuse(fit);
  const delta: i64 = has(FLAG_DELTA) ? i64(field(FLAG_DELTA)) : 1;
  beginWrite();
  while (true) {
    lookUp(hash, keyAt, keyLength);
    if (current == 0 && has(FLAG_IF_PRESENT)) {
      count(COUNTER_INCR_MISS);
      answerStatus(STATUS_NOT_FOUND);
      return DONE;
    }
    if (!readCounter(current)) return refuse(STATUS_NOT_A_NUMBER);
    if (sumOverflows(parsed, delta)) return refuse(STATUS_OVERFLOW);
    const text = laneAt + L_TEXT;
    const length = writeNumber(text, parsed + delta);
    const expiry = current != 0 ? itemExpiryMs(current) : expiryMs();
    const version = nextVersion(hash);
    const wrote = write(
      hash, keyAt, keyLength, text, length, ENCODING_UTF8, 0, version, expiry,
    );
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(COUNTER_INCR_OK);
    answerValue(STATUS_OK, written, has(FLAG_WITH_META));
    return DONE;
  }
}

/** Reads the counter that `item` holds, or the initial value when there is none, into `parsed`. */
function readCounter(item: u32): bool {
  // The value of a stub is longer than any number.
  if (item != 0 && isStub(item)) return false;
  if (item != 0) return !isPaged(item) && parseNumber(itemInlineAt(item), valueLength(item));
  const initial: i64 = has(FLAG_INITIAL) ? i64(field(FLAG_INITIAL)) : 0;
  return parseNumber(laneAt + L_TEXT, writeNumber(laneAt + L_TEXT, initial));
}

function refuse(status: u32): u32 {
  count(COUNTER_INCR_ERROR);
  answerStatus(status);
  return DONE;
}
