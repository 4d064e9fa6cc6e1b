/**
 * Execution: the requests of one turn of the host's event loop, in groups of up to 64.
 *
 * Taken one by one, each request waits for memory twice, once for its bucket and once for
 * its item, and nothing is done meanwhile. So a group goes through five passes:
 *   1. decode: find the requests and hash their keys
 *   2. touch each bucket: nothing but loads, so that the processor has them all under way at once
 *   3. look for each key's candidate entry in its bucket, now near
 *   4. touch each candidate item, again nothing but loads; where a bucket had none, its overflow
 *      bucket, and then passes 3 and 4 again for those, bucket by bucket
 *   5. run each request, looking its key up again, first where its candidate was
 * Hashing between the loads of pass 2 would fill the processor's window and lose the gain.
 *
 *   inbox    frames, padded to 8:  0 connection u32 | 4 length u32 | 8 grants u32
 *                                  12 arrival u32, ms | requests
 *
 * A thread is announced (`epoch.ts`) only inside `execute`, anew for each group. What a group
 * cannot do for want of memory it leaves for the next call, and the frame behind it waits.
 */
import { BUSY_AFTER_MS, CLOSE_MALFORMED, STATUS_BAD_REQUEST, STATUS_BUSY } from "./wire";
import { COUNTER_BUSY, COUNTER_DEFERRED, COUNTER_UNKNOWN, count } from "./counters";
import {
  answerMalformed, answerTo, askToClose, closeMessage, openOutbox, outboxFull,
} from "./answer";
import { DONE as VERB_DONE, ON_DISK } from "./verbs/outcome";
import {
  GROUP, SLOT_BUCKET, SLOT_ENTRY, SLOT_FRAME, SLOT_GHOST, SLOT_HASH, decodeInto, freeFor, slotAt,
  touchGroup,
} from "./group";
import { alignUp, inboxAt_, tableAt } from "./layout";
import { beginGroup, endGroup } from "./policy";
import { seeAt } from "./table";
import { refuse, run, waitedMs } from "./verbs/run";
import { isWellFramed, opcodeAt, readRequest, requestSize } from "./request";
import { nowMs, readClearVersion, setClock } from "./version";
import { draftHeldAt, forgetHeld } from "./draft";
import { keepMoreFree } from "./segment";
import { pin, safeBefore, unpin } from "./epoch";
import { readFeeding } from "./feed";
import { readRefusal } from "./refusal";
import { restock, tend } from "./cleaner";
import { beginWants, wantsFull } from "./wants";

export const DONE: u32 = 0;
export const MORE: u32 = 1;
export const WAIT: u32 = 2;

export const FRAME_HEADER_BYTES: u32 = 16;
const FRAME_LENGTH: u32 = 4;
const FRAME_GRANTS: u32 = 8;
const FRAME_ARRIVAL: u32 = 12;

/** The frame in work, 0 = none, and the next of its requests. */
let frameAt: u32 = 0;
let cursor: u32 = 0;
/** Whether the last group stopped at a deferred request rather than at a full outbox. */
let deferred: bool = false;
/** Whether that request waits for a value from the disk. */
let onDisk: bool = false;
/** What held the memory that the last `execute` waited for, 0 = nothing did; and its clock. */
let heldAt: u64 = 0;
let heldMs: u64 = 0;
/** Where the answers end. */
let answersEnd: u32 = 0;

@inline
function frameEnd(frame: u32): u32 {
  return frame + FRAME_HEADER_BYTES + load<u32>(frame, FRAME_LENGTH);
}

/**
 * Runs what is in the inbox up to `inboxEnd`, at the host's clock `now` (Unix ms). Returns DONE;
 * MORE when the outbox is full, to be called again once it is drained; or WAIT when memory is held
 * by other threads, the feed's consumer is behind or a value has to come from the disk, to be
 * called again in a later turn. What is wanted from the disk is in the list of `wants.ts`.
 */
export function execute(inboxEnd: u32, now: f64): u32 {
  setClock(u64(now));
  openOutbox();
  beginWants();
  if (isStillHeld()) {
    answersEnd = closeMessage();
    return WAIT;
  }
  pin();
  const result = runGroups(inboxEnd);
  unpin();
  answersEnd = closeMessage();
  return result;
}

/**
 * Whether what the last call waited for is certainly not there yet. Hosts ask again at once, and
 * are told so without a look at the requests, as long as no epoch has passed and for a millisecond
 * at the most.
 */
@inline
function isStillHeld(): bool {
  return heldAt != 0 && nowMs == heldMs && safeBefore() == heldAt;
}

/** Notes that the call ends because other threads hold memory. */
function waitHeld(): u32 {
  if (draftHeldAt != heldAt) keepMoreFree();
  heldAt = draftHeldAt;
  heldMs = nowMs;
  return WAIT;
}

function runGroups(inboxEnd: u32): u32 {
  let tries: u32 = 0;
  while (true) {
    readClearVersion();
    readFeeding();
    readRefusal();
    forgetHeld();
    beginGroup();
    const n = decodeGroup(inboxEnd);
    if (n == 0) {
      frameAt = 0;
      return DONE;
    }
    touchGroup(n);
    const ran = runGroup(n);
    endGroup(ran);
    pin();
    if (ran == n) {
      tries = 0;
      tend();
      continue;
    }
    if (!deferred) return MORE;
    if (onDisk) return WAIT;
    if (draftHeldAt != 0 && safeBefore() == draftHeldAt) return waitHeld();
    if (ran > 0) tries = 0;
    if (++tries > 4 || !restock()) return WAIT;
  }
}

/** Pass 1: finds up to 64 requests from the cursor on; returns how many. */
function decodeGroup(inboxEnd: u32): u32 {
  let frame = frameAt;
  let at = cursor;
  let n: u32 = 0;
  while (n < GROUP) {
    if (frame == 0 || at == frameEnd(frame)) {
      const next = frame == 0 ? inboxAt_ : alignUp(at, 8);
      if (next >= inboxEnd) break;
      frame = next;
      at = next + FRAME_HEADER_BYTES;
      if (at == frameEnd(frame)) continue;
    }
    const slot = slotAt(n++);
    const left = frameEnd(frame) - at;
    store<u32>(slot, at);
    store<u32>(slot, frame, SLOT_FRAME);
    if (!isWellFramed(at, left)) {
      store<u32>(slot, 0, SLOT_BUCKET);
      store<u32>(slot, tableAt, SLOT_GHOST);
      at += left;
      continue;
    }
    decodeInto(slot, at);
    at += requestSize(at);
  }
  return n;
}

/** Pass 5: runs the group until a request has to wait; returns how many ran. */
function runGroup(n: u32): u32 {
  for (let i: u32 = 0; i < n; i++) {
    const slot = slotAt(i);
    const at = load<u32>(slot);
    const frame = load<u32>(slot, SLOT_FRAME);
    frameAt = frame;
    cursor = at;
    deferred = onDisk = false;
    if (outboxFull() || wantsFull()) return i;
    answerTo(load<u32>(frame));
    if (load<u32>(slot, SLOT_BUCKET) == 0) {
      refuseRest(at, frameEnd(frame) - at);
      cursor = frameEnd(frame);
      continue;
    }
    if (!runSlot(slot, at, frame)) {
      deferred = true;
      return i;
    }
    cursor = at + requestSize(at);
  }
  return n;
}

/** Runs one request; false when it was deferred. */
@inline
function runSlot(slot: u32, at: u32, frame: u32): bool {
  readRequest(at);
  seeAt(load<u32>(slot, SLOT_ENTRY), freeFor(slot));
  const op = opcodeAt(at);
  const arrivalMs = load<u32>(frame, FRAME_ARRIVAL);
  const outcome = run(op, load<u64>(slot, SLOT_HASH), load<u32>(frame, FRAME_GRANTS), arrivalMs);
  if (outcome == VERB_DONE) return true;
  if (waitedMs(arrivalMs) <= i32(BUSY_AFTER_MS)) {
    onDisk = outcome == ON_DISK;
    if (!onDisk) count(COUNTER_DEFERRED);
    return false;
  }
  count(COUNTER_BUSY);
  refuse(op, STATUS_BUSY);
  return true;
}

/** Answers bytes that are no request and asks the host to close: the rest cannot be told apart. */
function refuseRest(at: u32, left: u32): void {
  count(COUNTER_UNKNOWN);
  if (left >= 8) answerMalformed(STATUS_BAD_REQUEST, load<u32>(at, 4));
  askToClose(CLOSE_MALFORMED);
}

/** Where what the last `execute` answered ends. */
export function outboxEnd(): u32 {
  return answersEnd;
}

/** Whose frame is in work after MORE or WAIT, and which of its bytes have not run. */
export function pendingConnection(): u32 {
  return frameAt == 0 ? 0 : load<u32>(frameAt);
}

export function pendingAt(): u32 {
  return cursor;
}

export function pendingEnd(): u32 {
  return frameAt == 0 ? cursor : frameEnd(frameAt);
}

/** Leaves out the rest of the frame in work; the host has copied it away. */
export function skipPending(): void {
  if (frameAt != 0) cursor = frameEnd(frameAt);
  heldAt = 0;
}

/** Forgets whatever the lane's last holder had in work. */
export function resetExecution(): void {
  frameAt = 0;
  cursor = 0;
  heldAt = 0;
}
