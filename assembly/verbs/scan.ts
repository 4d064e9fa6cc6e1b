/**
 * Scan: every key, in the order of the table, a bounded piece at a time.
 *
 *   cursor   63               16 15        0
 *            +------------------+----------+
 *            | bucket           | place    |    place: entries of its chain already seen
 *            +------------------+----------+
 *
 * An entry never changes place, so a key that stays for the whole scan is seen whatever happens to
 * the others in between: a chain grows in front, so places it has still to see only move further
 * away. A key removed and set again may be seen twice or, as it was gone, not.
 *
 * With PEEK, for peers, tombstones are seen, too, and each key has its version and its mark
 * (`mark.ts`) behind it.
 */
import {
  ANSWER_CURSOR, ANSWER_HEADER_BYTES, FIELD_BYTES, FLAG_CURSOR, FLAG_LIMIT, FLAG_PEEK,
  SCAN_LIMIT_DEFAULT, SCAN_LIMIT_MAX, STATUS_BAD_REQUEST, STATUS_OK,
} from "../wire";
import { COUNTER_SCAN_ERROR, COUNTER_SCAN_OK, count } from "../counters";
import {
  BUCKET_LINK, ENTRY_BYTES, entryItem, isOfOtherBucket, isTentative, loadEntry, overflowOf,
} from "../table";
import { BUCKET_BYTES, outboxAt_, tableAt, tableBuckets } from "../layout";
import { STATE_LIVE, itemKeyAt, itemKeyLength, itemState, itemVersion, sameBytes } from "../item";
import { answer, answerStatus, answersBytes } from "../answer";
import { field, has, keyAt, keyLength } from "../request";
import { isAlive, isRemembered } from "../entry";
import { markOf } from "../mark";
import { DONE } from "./outcome";

const MARK_BYTES: u32 = 4;
const PLACE_BITS: u64 = 16;
const PLACE_MASK: u64 = 0xffff;
/** Buckets one request looks at, whatever it finds. */
const BUCKETS_MAX: u32 = 8192;
/** Bytes of keys after which a request stops: with one more key they fit a full outbox. */
const BODY_BYTES_AIM: u32 = 176 << 10;

/** The scan in work: where it is, what it has, what it may have. */
let bucket: u32 = 0;
let placeIn: u32 = 0;
let bodyAt: u32 = 0;
let bodyBytes: u32 = 0;
let keysLeft: u32 = 0;

/** Answers with the next keys behind the request's cursor. */
export function scan(): u32 {
  const cursor: u64 = has(FLAG_CURSOR) ? field(FLAG_CURSOR) : 0;
  const limit: u64 = has(FLAG_LIMIT) ? field(FLAG_LIMIT) : u64(SCAN_LIMIT_DEFAULT);
  if ((cursor >> PLACE_BITS) >= u64(tableBuckets) || limit == 0 || limit > u64(SCAN_LIMIT_MAX)) {
    count(COUNTER_SCAN_ERROR);
    answerStatus(STATUS_BAD_REQUEST);
    return DONE;
  }
  bucket = u32(cursor >> PLACE_BITS);
  placeIn = u32(cursor & PLACE_MASK);
  keysLeft = u32(limit);
  bodyBytes = 0;
  // The keys are written where the body will be; the header is put before them at the end.
  bodyAt = answerBody();
  const bucketEnd = min<u32>(bucket + BUCKETS_MAX, tableBuckets);
  while (bucket < bucketEnd && scanChain()) {
    bucket++;
    placeIn = 0;
  }
  const next: u64 = bucket == tableBuckets ? 0 : (u64(bucket) << PLACE_BITS) | u64(placeIn);
  const fieldsAt = answer(STATUS_OK, ANSWER_CURSOR, 0, bodyBytes);
  assert(fieldsAt + FIELD_BYTES <= bodyAt);
  store<u64>(fieldsAt, next);
  memory.copy(fieldsAt + FIELD_BYTES, bodyAt, bodyBytes);
  count(COUNTER_SCAN_OK);
  return DONE;
}

/** Scratch at the end of the outbox's room, behind anything the answer's header can need. */
@inline
function answerBody(): u32 {
  return outboxAt_ + answersBytes() + 64 + ANSWER_HEADER_BYTES + FIELD_BYTES;
}

/** Appends the live keys of the chain from `placeIn` on; false when there is enough. */
function scanChain(): bool {
  const home = tableAt + bucket * BUCKET_BYTES;
  let from = home;
  let place: u32 = 0;
  do {
    const end = from + BUCKET_LINK;
    for (let at = from; at < end; at += ENTRY_BYTES, place++) {
      if (place < placeIn) continue;
      if (keysLeft == 0 || bodyBytes >= BODY_BYTES_AIM) {
        placeIn = place;
        return false;
      }
      append(loadEntry(at), home, from);
    }
    from = overflowOf(from);
  } while (from);
  return true;
}

/**
 * Appends the key of an entry, if it is live and begins with the request's prefix. An overflow
 * bucket may hold keys of other buckets, which come with those.
 */
function append(entry: u64, home: u32, from: u32): void {
  if (entry == 0) return;
  const item = entryItem(entry);
  if (isOfOtherBucket(item, from, home)) return;
  if (isTentative(entry) && itemState(item) != STATE_LIVE) return;
  const length = itemKeyLength(item);
  if (length < keyLength || !sameBytes(itemKeyAt(item), keyAt, keyLength)) return;
  if (has(FLAG_PEEK) ? !isRemembered(item) : !isAlive(item)) return;
  const to = bodyAt + bodyBytes;
  store<u16>(to, u16(length));
  memory.copy(to + 2, itemKeyAt(item), length);
  bodyBytes += 2 + length;
  keysLeft--;
  if (!has(FLAG_PEEK)) return;
  store<u64>(to + 2 + length, itemVersion(item));
  store<u32>(to + 2 + length + FIELD_BYTES, markOf(item));
  bodyBytes += FIELD_BYTES + MARK_BYTES;
}
