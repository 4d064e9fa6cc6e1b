import { COUNTER_SET_ERROR, COUNTER_SET_MISS, COUNTER_SET_OK, count } from "../counters";
import {
  FLAG_IF_ABSENT, FLAG_IF_PRESENT, FLAG_KEEP_TTL, FLAG_RETURN_OLD, FLAG_VERSION, FLAG_WITH_META,
  STATUS_NOT_FOUND, STATUS_OK, STATUS_VERSION_MISMATCH,
} from "../wire";
import { answerStatus, answerWrite } from "../answer";
import { expiryMs, has, keyAt, keyLength, kind, valueAt, valueLength } from "../request";
import { ITEM_LOCATED, itemExpiryMs } from "../item";
import { isStub } from "../stub";
import { DEFERRED, DONE } from "./outcome";
import { awaitValue } from "./await";
import {
  NO_MEMORY, WROTE, beginWrite, current, fits, lookUp, lookUpBlindly, nextVersion, write, written,
} from "./write";
import { checkConditions } from "./condition";

/** Flags that make it matter what there is. */
const ASKS: u32 = FLAG_VERSION | FLAG_IF_ABSENT | FLAG_IF_PRESENT | FLAG_KEEP_TTL | FLAG_RETURN_OLD;

/** Sets a key's value, under the conditions the request carries. */
export function set(hash: u64): u32 {
  const fit = fits(keyLength, valueLength);
  if (fit != STATUS_OK) {
    count(COUNTER_SET_ERROR);
    answerStatus(fit);
    return DONE;
  }
  beginWrite();
  let blindly = !has(ASKS);
  while (true) {
    if (blindly) lookUpBlindly(hash, keyAt, keyLength);
    else lookUp(hash, keyAt, keyLength);
    blindly = false;
    const old = current;
    if (old != 0 && has(FLAG_RETURN_OLD) && isStub(old)) return awaitValue(old);
    const status = checkConditions(old);
    if (status != STATUS_OK) return refuse(status, old);
    const expiry = has(FLAG_KEEP_TTL) && old != 0 ? itemExpiryMs(old) : expiryMs();
    const version = nextVersion(hash);
    const wrote = write(
      hash, keyAt, keyLength, valueAt, valueLength, kind(), ITEM_LOCATED, version, expiry,
    );
    if (wrote == NO_MEMORY) return DEFERRED;
    if (wrote != WROTE) continue;
    count(COUNTER_SET_OK);
    answerWrite(STATUS_OK, written, has(FLAG_WITH_META), has(FLAG_RETURN_OLD) ? old : 0);
    return DONE;
  }
}

function refuse(status: u32, old: u32): u32 {
  count(COUNTER_SET_MISS);
  const returned = has(FLAG_RETURN_OLD) ? old : 0;
  const meta = status == STATUS_VERSION_MISMATCH
    || (has(FLAG_WITH_META) && status != STATUS_NOT_FOUND);
  answerWrite(status, old, meta, returned);
  return DONE;
}
