/**
 * A group of requests and what they need from memory: passes 1 to 4 of `execute.ts`, for one
 * request or for all.
 *
 *   slot     0 request u32 | 4 frame u32 | 8 hash u64 | 16 bucket u32 (0 = malformed) | 20 item u32
 *            24 what to touch when the key is absent u32
 *            28 overflow bucket u32, 0 = none or found
 *            32 bytes between the touches of an item u32
 *            36 entry of the candidate u32, 0 = none
 *            40 first empty entry of the chain u32, 0 = not wanted, 1 = none seen | 44 zero u32
 */
import { LINE_BYTES, L_GROUP, laneAt, policy, tableAt } from "./layout";
import { OP_GET, OP_SET } from "./wire";
import { POLICY_S3FIFO, POLICY_TINYLFU } from "./policy";
import { bucketOf, candidateIn, emptyIn, entryItem, loadEntry, overflowOf } from "./table";
import { ghostLine } from "./ghost";
import { hasKey } from "./verbs/run";
import { hashKey } from "./hash";
import { keyAtOf, keyLengthOf, opcodeAt } from "./request";
import { sketchBlock } from "./sketch";

export const GROUP: u32 = 64;
export const GROUP_SLOT_BYTES: u32 = 48;
export const SLOT_FRAME: u32 = 4;
export const SLOT_HASH: u32 = 8;
export const SLOT_BUCKET: u32 = 16;
const SLOT_ITEM: u32 = 20;
export const SLOT_GHOST: u32 = 24;
const SLOT_OVER: u32 = 28;
const SLOT_REACH: u32 = 32;
export const SLOT_ENTRY: u32 = 36;
const SLOT_FREE: u32 = 40;
/** An empty entry is wanted, and none was seen yet. */
const FREE_WANTED: u32 = 1;
/** Where the touches of an item lie apart: of one to be read whole, and of others. */
const REACH_WHOLE: u32 = 64;
const REACH_HEADER: u32 = 18;

/** Overflow buckets of a chain that are touched; where, so that both lines are with any reach. */
const OVERFLOW_TOUCHED: u32 = 4;
const OVERFLOW_TOUCH: u32 = LINE_BYTES - 2 * REACH_HEADER;

/** Where the touching loops leave what they load, so that it is loaded. */
let sink: u64 = 0;

/** Where the slot of the group's `n`th request is. */
@inline
export function slotAt(n: u32): u32 {
  return laneAt + L_GROUP + n * GROUP_SLOT_BYTES;
}

/** Hashes the key of a request, and says what to touch for it. */
@inline
export function decodeInto(slot: u32, at: u32): void {
  const op = opcodeAt(at);
  const hash = hasKey(op) ? hashKey(keyAtOf(at), keyLengthOf(at)) : 0;
  const bucket = hasKey(op) ? bucketOf(hash) : tableAt;
  store<u64>(slot, hash, SLOT_HASH);
  store<u32>(slot, bucket, SLOT_BUCKET);
  // Of the ghost one word is wanted: from the beginning of its line on no reach leaves it.
  const ghost = op == OP_SET && policy == POLICY_S3FIFO ? ghostLine(hash) & ~(LINE_BYTES - 1)
    : policy == POLICY_TINYLFU ? sketchBlock(hash) : bucket;
  store<u32>(slot, ghost, SLOT_GHOST);
  store<u32>(slot, op == OP_GET ? REACH_WHOLE : REACH_HEADER, SLOT_REACH);
  store<u32>(slot, u32(op == OP_SET) * FREE_WANTED, SLOT_FREE);
}

/** Passes 2 to 4. */
export function touchGroup(n: u32): void {
  const end = slotAt(n);
  let seen: u64 = 0;
  for (let slot = slotAt(0); slot < end; slot += GROUP_SLOT_BYTES) {
    const bucket = load<u32>(slot, SLOT_BUCKET);
    seen += load<u64>(bucket) + load<u64>(bucket + LINE_BYTES);
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
  const bucket = load<u32>(slot, SLOT_BUCKET);
  const hash = load<u64>(slot, SLOT_HASH);
  let at: u32 = 0;
  let over: u32 = 0;
  // Requests without a key have the hash 0, too: there is nothing to look for.
  if (bucket != 0 && hash != 0) {
    at = candidateIn(bucket, hash);
    if (at == 0) over = goOn(slot, bucket);
  }
  store<u32>(slot, at, SLOT_ENTRY);
  store<u32>(slot, over, SLOT_OVER);
  store<u32>(slot, toTouch(slot, at, over), SLOT_ITEM);
  return over != 0;
}

/** The bucket behind one that has no candidate, or 0; notes its first empty entry if wanted. */
@inline
function goOn(slot: u32, bucket: u32): u32 {
  if (load<u32>(slot, SLOT_FREE) == FREE_WANTED) {
    const free = emptyIn(bucket);
    if (free != 0) store<u32>(slot, free, SLOT_FREE);
  }
  return overflowOf(bucket);
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

/** An empty entry for a key that the whole chain was seen not to have, or 0. */
@inline
export function freeFor(slot: u32): u32 {
  if ((load<u32>(slot, SLOT_ENTRY) | load<u32>(slot, SLOT_OVER)) != 0) return 0;
  const free = load<u32>(slot, SLOT_FREE);
  return free == FREE_WANTED ? 0 : free;
}
