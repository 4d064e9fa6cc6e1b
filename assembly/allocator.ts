/**
 * Allocation: a bump on a segment of the thread's own. A lane fills up to four segments at once:
 * one for each pool's new items, and one for each pool's items that compaction moves together; with
 * a tier, two more for stubs.
 *
 *   cursor, 32 bytes   0 next free byte u32 | 4 end u32 | 8 segment header u32
 *                      12 bytes of pages that its items list u32
 *                      16 end of the last whole item u32 | 20 zero
 *                      24 last expiry of its items u64
 *
 * The end of the last whole item is stored after the item's header, so that whoever walks the
 * segment, even after the death of its lane, only meets whole items. It goes to the segment's
 * header when the segment is sealed: headers are read by all with every overwrite, and a line that
 * is written to with every item would have to be fetched each time.
 */
import {
  H_LANES_ATTACHED, L_CURSORS, lane, laneAt, laneBlock, segmentBytes, segmentShift, segments,
} from "./layout";
import {
  ETERNAL, POOL_MAIN, POOL_SMALL, POOL_STUB, SEGMENT_ACTIVE, SEGMENT_EXPIRES_BY, SEGMENT_SEALED,
  SEGMENT_USED, claimSegment, isFilledBy, nextAge, segmentBase, segmentWord, wordOf, wordPool,
  wordStamp,
} from "./segment";

export const CURSOR_SMALL: u32 = 0;
export const CURSOR_MAIN: u32 = 1;
export const CURSOR_COMPACT_SMALL: u32 = 2;
export const CURSOR_COMPACT_MAIN: u32 = 3;
export const CURSOR_STUB: u32 = 4;
export const CURSOR_COMPACT_STUB: u32 = 5;
export const CURSORS: u32 = 6;
export const CURSOR_BYTES: u32 = 32;
export const CURSOR_NEXT: u32 = 0;
export const CURSOR_END: u32 = 4;
export const CURSOR_SEGMENT: u32 = 8;
export const CURSOR_PAGED: u32 = 12;
export const CURSOR_WHOLE: u32 = 16;
export const CURSOR_EXPIRES_BY: u32 = 24;

/**
 * A segment whose items list more pages than this many segments is full, however small the items
 * are: evicting it would free too much at once.
 */
@inline
function pagedBytesMax(): u32 {
  return max<u32>(2, min<u32>(32, segments / 32)) << segmentShift;
}

/** Bytes allocated since `takeAllocated` asked last. */
let allocated: u32 = 0;

/** How much this lane has allocated since the last call. */
export function takeAllocated(): u32 {
  const bytes = allocated;
  allocated = 0;
  return bytes;
}

@inline
function cursorAt(cursor: u32): u32 {
  return laneAt + L_CURSORS + cursor * CURSOR_BYTES;
}

@inline
function poolOfCursor(cursor: u32): u32 {
  if (cursor >= CURSOR_STUB) return POOL_STUB;
  return cursor & 1 ? POOL_MAIN : POOL_SMALL;
}

/** Threads that use this arena now. */
@inline
export function attachedLanes(): u32 {
  return atomic.load<u32>(H_LANES_ATTACHED);
}

/** Free segments that new items leave to the items the cleaners keep. */
@inline
export function survivorReserve(): u32 {
  return attachedLanes() + 1;
}

/**
 * Room for `bytes` under `cursor`, or 0 when no segment is free beyond `reserve`. A new segment
 * gets `age`, or the next one when that is 0.
 */
export function allocate(cursor: u32, bytes: u32, reserve: u32, age: u64): u32 {
  assert(bytes <= segmentBytes);
  const at = cursorAt(cursor);
  let item = load<u32>(at, CURSOR_NEXT);
  if (item + bytes > load<u32>(at, CURSOR_END)) {
    if (!openSegment(cursor, reserve, age)) return 0;
    item = load<u32>(at, CURSOR_NEXT);
  }
  store<u32>(at, item + bytes, CURSOR_NEXT);
  allocated += bytes;
  return item;
}

/** Seals the cursor's segment and opens a fresh one. */
function openSegment(cursor: u32, reserve: u32, age: u64): bool {
  const pool = poolOfCursor(cursor);
  const header = claimSegment(SEGMENT_ACTIVE, pool, age == 0 ? nextAge() : age, reserve);
  if (header == 0) return false;
  const at = cursorAt(cursor);
  sealAt(at);
  const base = segmentBase(header);
  store<u32>(at, base, CURSOR_NEXT);
  store<u32>(at, base + segmentBytes, CURSOR_END);
  store<u32>(at, 0, CURSOR_PAGED);
  store<u32>(at, base, CURSOR_WHOLE);
  store<u64>(at, 0, CURSOR_EXPIRES_BY);
  // Last: what a dead lane's cursor says of the segment it names is believed.
  store<u32>(at, header, CURSOR_SEGMENT);
  return true;
}

/** Notes that the item allocated last under `cursor` lists pages of so many bytes. */
export function weighCursor(cursor: u32, bytes: u32): void {
  const at = cursorAt(cursor);
  const paged = load<u32>(at, CURSOR_PAGED) + bytes;
  store<u32>(at, paged, CURSOR_PAGED);
  if (paged > pagedBytesMax()) store<u32>(at, load<u32>(at, CURSOR_NEXT), CURSOR_END);
}

/** The header of the segment this lane fills under `cursor`, 0 = none. */
@inline
export function cursorSegment(cursor: u32): u32 {
  return load<u32>(cursorAt(cursor), CURSOR_SEGMENT);
}

/** Where the whole items in it end. */
@inline
export function cursorWhole(cursor: u32): u32 {
  return load<u32>(cursorAt(cursor), CURSOR_WHOLE);
}

/** Seals what this lane fills under `cursor`; false when there is nothing in it. */
export function sealCursor(cursor: u32): bool {
  const at = cursorAt(cursor);
  const header = load<u32>(at, CURSOR_SEGMENT);
  if (header == 0 || load<u32>(at, CURSOR_WHOLE) == segmentBase(header)) return false;
  sealAt(at);
  return true;
}

/** Hands the segment of the cursor at `at` over to the cleaners. */
function sealAt(at: u32): void {
  const header = load<u32>(at, CURSOR_SEGMENT);
  if (header == 0) return;
  store<u32>(header, load<u32>(at, CURSOR_WHOLE) - segmentBase(header), SEGMENT_USED);
  store<u64>(header, load<u64>(at, CURSOR_EXPIRES_BY), SEGMENT_EXPIRES_BY);
  const word = segmentWord(header);
  const sealed = wordOf(SEGMENT_SEALED, lane, wordPool(word), wordStamp(word));
  atomic.store<u64>(header, sealed);
  emptyCursor(at);
}

function emptyCursor(at: u32): void {
  store<u32>(at, 0, CURSOR_NEXT);
  store<u32>(at, 0, CURSOR_END);
  store<u32>(at, 0, CURSOR_SEGMENT);
}

/**
 * Seals every segment lane `n` was filling. A lane that died while it sealed one still names it,
 * though others may have cleaned it since; one that died while it opened one does not name it yet.
 */
export function sealLane(n: u32): void {
  for (let cursor: u32 = 0; cursor < CURSORS; cursor++) {
    const at = laneBlock(n) + L_CURSORS + cursor * CURSOR_BYTES;
    const header = load<u32>(at, CURSOR_SEGMENT);
    if (header != 0 && isFilledBy(segmentWord(header), n)) sealAt(at);
    else emptyCursor(at);
  }
}

/** Notes that the item allocated last under `cursor` is whole; it expires at `expiryMs`. */
@inline
export function completeItem(cursor: u32, expiryMs: u64): void {
  const at = cursorAt(cursor);
  store<u32>(at, load<u32>(at, CURSOR_NEXT), CURSOR_WHOLE);
  const last = expiryMs == 0 ? ETERNAL : expiryMs;
  if (last > load<u64>(at, CURSOR_EXPIRES_BY)) store<u64>(at, last, CURSOR_EXPIRES_BY);
}

/** Takes the last allocation under `cursor` back; nobody has seen the item. */
export function takeBack(cursor: u32, item: u32): void {
  const at = cursorAt(cursor);
  store<u32>(at, item, CURSOR_WHOLE);
  store<u32>(at, item, CURSOR_NEXT);
}

/** Bytes of whole items in the segments that lane `n` is filling. */
export function bytesBeingFilled(n: u32): u64 {
  let bytes: u64 = 0;
  for (let cursor: u32 = 0; cursor < CURSORS; cursor++) {
    const at = laneBlock(n) + L_CURSORS + cursor * CURSOR_BYTES;
    const header = load<u32>(at, CURSOR_SEGMENT);
    if (header != 0) bytes += load<u32>(at, CURSOR_WHOLE) - segmentBase(header);
  }
  return bytes;
}
