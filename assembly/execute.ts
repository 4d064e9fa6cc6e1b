/**
 * Execution: the requests of one turn of the host's event loop, in groups of up to 64.
 *
 * Taken one by one, each request waits for memory twice, once for its line of the table and once
 * for its item, and nothing is done meanwhile. So a group goes through five passes:
 *   1. decode: find the requests and hash their keys
 *   2. touch each line: nothing but loads, so that the processor has them all under way at once
 *   3. look for each key's candidate entry in its line, now near
 *   4. touch each candidate item, again nothing but loads; where a bucket had none, its overflow
 *      bucket, and then passes 3 and 4 again for those, bucket by bucket
 *   5. run each request, looking its key up again, first where its candidate was
 * Hashing between the loads of pass 2 would fill the processor's window and lose the gain.
 *
 *   inbox    frames, padded to 8:  0 connection u32 | 4 length u32 | 8 grants u32
 *                                  12 arrival u32, ms | requests
 *   slot     0 request u32 | 4 frame u32 | 8 hash u64 | 16 line u32 (0 = malformed) | 20 item u32
 *            24 what to touch when the key is absent u32
 *            28 overflow bucket u32, 0 = none or found
 *            32 bytes between the touches of an item u32
 *            36 entry of the candidate u32, 0 = none
 *            40 first empty entry of the chain u32, 0 = not wanted, 1 = none seen | 44 zero u32
 *
 * A thread is announced (`epoch.ts`) only inside `execute`, anew for each group. What a group
 * cannot do for want of memory it leaves for the next call, and the frame behind it waits.
 */
import { LINE_BYTES, L_GROUP, alignUp, inboxAt_, laneAt, policy, tableAt } from "./layout";
import {
  BUSY_AFTER_MS, CLOSE_MALFORMED, OP_GET, OP_SET, STATUS_BAD_REQUEST, STATUS_BUSY,
} from "./wire";
import { COUNTER_BUSY, COUNTER_DEFERRED, COUNTER_UNKNOWN, count } from "./counters";
import {
  answerMalformed, answerTo, askToClose, closeMessage, openOutbox, outboxFull,
} from "./answer";
import { DONE as VERB_DONE, ON_DISK } from "./verbs/outcome";
import { POLICY_S3FIFO, POLICY_TINYLFU, beginGroup, endGroup } from "./policy";
import { candidateAt, emptyIn, entryItem, lineOf, loadEntry, overflowOf, seeAt } from "./table";
import { ghostLine } from "./ghost";
import { hasKey, refuse, run } from "./verbs/run";
import { hashKey } from "./hash";
import { isWellFramed, keyAtOf, keyLengthOf, opcodeAt, readRequest, requestSize } from "./request";
import { nowMs, readClearVersion, setClock } from "./version";
import { draftHeldAt, forgetHeld } from "./draft";
import { keepMoreFree } from "./segment";
import { pin, safeBefore, unpin } from "./epoch";
import { readFeeding } from "./feed";
import { readRefusal } from "./refusal";
import { restock, tend } from "./cleaner";
import { sketchBlock } from "./sketch";
import { beginWants, wantsFull } from "./wants";

export const DONE: u32 = 0;
export const MORE: u32 = 1;
export const WAIT: u32 = 2;

export const FRAME_HEADER_BYTES: u32 = 16;
const FRAME_LENGTH: u32 = 4;
const FRAME_GRANTS: u32 = 8;
const FRAME_ARRIVAL: u32 = 12;

export const GROUP: u32 = 64;
export const GROUP_SLOT_BYTES: u32 = 48;
const SLOT_FRAME: u32 = 4;
const SLOT_HASH: u32 = 8;
const SLOT_LINE: u32 = 16;
const SLOT_ITEM: u32 = 20;
const SLOT_GHOST: u32 = 24;
const SLOT_OVER: u32 = 28;
const SLOT_REACH: u32 = 32;
const SLOT_ENTRY: u32 = 36;
const SLOT_FREE: u32 = 40;
/** An empty entry is wanted, and none was seen yet. */
const FREE_WANTED: u32 = 1;
/** Where the touches of an item lie apart: of one to be read whole, and of others. */
const REACH_WHOLE: u32 = 64;
const REACH_HEADER: u32 = 18;

/** Overflow buckets of a chain that are touched; where, so that both lines are with any reach. */
const OVERFLOW_TOUCHED: u32 = 4;
const OVERFLOW_TOUCH: u32 = LINE_BYTES - 2 * REACH_HEADER;

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
/** Where the touching loops leave what they load, so that it is loaded. */
let sink: u64 = 0;
/** Where the answers end. */
let answersEnd: u32 = 0;

@inline
function slotAt(n: u32): u32 {
  return laneAt + L_GROUP + n * GROUP_SLOT_BYTES;
}

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
      store<u32>(slot, 0, SLOT_LINE);
      store<u32>(slot, tableAt, SLOT_GHOST);
      at += left;
      continue;
    }
    decodeInto(slot, at);
    at += requestSize(at);
  }
  return n;
}

@inline
function decodeInto(slot: u32, at: u32): void {
  const op = opcodeAt(at);
  const hash = hasKey(op) ? hashKey(keyAtOf(at), keyLengthOf(at)) : 0;
  const line = hasKey(op) ? lineOf(hash) : tableAt;
  store<u64>(slot, hash, SLOT_HASH);
  store<u32>(slot, line, SLOT_LINE);
  // Of the ghost one word is wanted: from the beginning of its line on no reach leaves it.
  const ghost = op == OP_SET && policy == POLICY_S3FIFO ? ghostLine(hash) & ~(LINE_BYTES - 1)
    : policy == POLICY_TINYLFU ? sketchBlock(hash) : line;
  store<u32>(slot, ghost, SLOT_GHOST);
  store<u32>(slot, op == OP_GET ? REACH_WHOLE : REACH_HEADER, SLOT_REACH);
  store<u32>(slot, u32(op == OP_SET) * FREE_WANTED, SLOT_FREE);
}

/** Passes 2 to 4. */
function touchGroup(n: u32): void {
  const end = slotAt(n);
  let seen: u64 = 0;
  for (let slot = slotAt(0); slot < end; slot += GROUP_SLOT_BYTES) {
    const line = load<u32>(slot, SLOT_LINE);
    seen += load<u64>(line) + load<u64>(line ^ LINE_BYTES);
  }
  let over = false;
  for (let slot = slotAt(0); slot < end; slot += GROUP_SLOT_BYTES) {
    if (chooseItem(slot)) over = true;
  }
  sink = seen + touchItems(end);
  for (let n: u32 = 0; over && n < OVERFLOW_TOUCHED; n++) over = touchOverflow(end);
}

/**
 * Pass 4. Of an item that will be read whole, three lines: one of a short key and 100 bytes of
 * value reaches into the third. Of others what the header and a short key lie in.
 */
@inline
function touchItems(end: u32): u64 {
  let seen: u64 = 0;
  for (let slot = slotAt(0); slot < end; slot += GROUP_SLOT_BYTES) {
    const item = load<u32>(slot, SLOT_ITEM);
    const reach = load<u32>(slot, SLOT_REACH);
    seen += load<u64>(item) + load<u64>(item + reach) + load<u64>(item + 2 * reach);
  }
  return seen;
}

/** Pass 3 for one request: its candidate, or else the overflow bucket it may be in: true. */
@inline
function chooseItem(slot: u32): bool {
  const line = load<u32>(slot, SLOT_LINE);
  const hash = load<u64>(slot, SLOT_HASH);
  let at: u32 = 0;
  let over: u32 = 0;
  // Requests without a key have the hash 0, too: there is nothing to look for.
  if (line != 0 && hash != 0) {
    at = candidateIn(line, hash);
    if (at == 0) over = goOn(slot, line);
  }
  store<u32>(slot, at, SLOT_ENTRY);
  store<u32>(slot, over, SLOT_OVER);
  store<u32>(slot, toTouch(slot, at, over), SLOT_ITEM);
  return over != 0;
}

/** The first candidate of a bucket, one of whose lines is `line`, or 0. */
@inline
function candidateIn(line: u32, hash: u64): u32 {
  const at = candidateAt(line, hash);
  return at != 0 ? at : candidateAt(line ^ LINE_BYTES, hash);
}

/** The bucket behind one that has no candidate, or 0; notes an empty entry on the way. */
@inline
function goOn(slot: u32, line: u32): u32 {
  noteFree(slot, line);
  noteFree(slot, line ^ LINE_BYTES);
  return overflowOf(line);
}

/** Notes the first empty entry of a line, if one is wanted and none was seen before. */
@inline
function noteFree(slot: u32, line: u32): void {
  if (load<u32>(slot, SLOT_FREE) != FREE_WANTED) return;
  const free = emptyIn(line);
  if (free != 0) store<u32>(slot, free, SLOT_FREE);
}

/** What to touch of a key: the item of its candidate, else the bucket behind, else the ghost. */
@inline
function toTouch(slot: u32, at: u32, over: u32): u32 {
  if (at == 0) return over != 0 ? over + OVERFLOW_TOUCH : load<u32>(slot, SLOT_GHOST);
  const item = entryItem(loadEntry(at));
  return item != 0 ? item : tableAt;
}

/**
 * Passes 3 and 4 once more, for what is not in its bucket: candidates of the next overflow
 * buckets; whether chains go on behind those. In an arena that has long been full some have
 * several, and a key that is new is sought in all of them.
 */
function touchOverflow(end: u32): bool {
  let goesOn = false;
  for (let slot = slotAt(0); slot < end; slot += GROUP_SLOT_BYTES) {
    const over = load<u32>(slot, SLOT_OVER);
    if (over == 0) continue;
    const at = candidateIn(over, load<u64>(slot, SLOT_HASH));
    const next = at == 0 ? goOn(slot, over) : 0;
    if (next != 0) goesOn = true;
    store<u32>(slot, at, SLOT_ENTRY);
    store<u32>(slot, next, SLOT_OVER);
    store<u32>(slot, toTouch(slot, at, next), SLOT_ITEM);
  }
  sink += touchItems(end);
  return goesOn;
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
    if (load<u32>(slot, SLOT_LINE) == 0) {
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

/** An empty entry for a key that the whole chain was seen not to have, or 0. */
@inline
function freeFor(slot: u32): u32 {
  if ((load<u32>(slot, SLOT_ENTRY) | load<u32>(slot, SLOT_OVER)) != 0) return 0;
  const free = load<u32>(slot, SLOT_FREE);
  return free == FREE_WANTED ? 0 : free;
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
  if (i32(u32(nowMs) - arrivalMs) <= i32(BUSY_AFTER_MS)) {
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
