/**
 * Segments: the arena's memory in pieces of one size. A thread fills its own by bumping a cursor;
 * nothing in one is freed alone, a segment is reclaimed whole (Segcache, NSDI'21).
 *
 *   header, 64 bytes
 *    0 word      u64  stamp (40 bits) | pool (8) | lane (8) | state (8)
 *    8 used      u32  bytes of its whole items; 0 while ACTIVE
 *   12 deadBase  u32  what the lanes had counted as dead when this life began
 *   16 expiresBy u64  Unix ms when the last of its items has expired; ETERNAL: some never do;
 *                      0 while ACTIVE
 *   24 walked    u32  bytes that `window.ts` has walked
 *
 *   state        stamp                 who may move it on
 *   FREE         0                     anyone: to ACTIVE, LINES, PAGES
 *   ACTIVE       age                   its lane: to SEALED (after the lane's death: `takeOver`)
 *   SEALED       age                   anyone: to CLEANING
 *   CLEANING     age                   its lane: to RETIRED, or back to SEALED
 *   RETIRED      epoch at retirement   anyone, once the epoch is safe: as FREE
 *   LINES        0                     nobody: overflow buckets stay
 *   PAGES        0                     anyone: to CLEANING, when all its pages are free
 *
 * The stamp is in the word that is compared and swapped, so a thread that was stopped between
 * choosing a segment and claiming it cannot claim a later life of the same segment.
 */
import {
  H_FREE_HINT, H_FREE_MORE, H_PRESSURE, H_SEGMENT_SEQUENCE, SEGMENT_HEADER_BYTES, deadAt, lane,
  lanes, segmentShift, segments, segmentsAt, storeAt,
} from "./layout";
import { advance, safeBefore } from "./epoch";
import { failsOnPurpose } from "./failing";
import { COUNTER_SEGMENTS_RECLAIMED, count } from "./counters";

export const SEGMENT_WORD: u32 = 0;
export const SEGMENT_USED: u32 = 8;
export const SEGMENT_DEAD_BASE: u32 = 12;
export const SEGMENT_EXPIRES_BY: u32 = 16;
export const SEGMENT_WALKED: u32 = 24;

export const SEGMENT_FREE: u32 = 0;
export const SEGMENT_ACTIVE: u32 = 1;
export const SEGMENT_SEALED: u32 = 2;
export const SEGMENT_CLEANING: u32 = 3;
export const SEGMENT_RETIRED: u32 = 4;
export const SEGMENT_LINES: u32 = 5;
export const SEGMENT_PAGES: u32 = 6;

export const POOL_SMALL: u32 = 0;
export const POOL_MAIN: u32 = 1;
/** Stubs, where there is a tier. */
export const POOL_STUB: u32 = 2;
export const ETERNAL: u64 = u64.MAX_VALUE;

/** At most one segment in so many is kept free because threads have waited. */
const MORE_SHARE: u32 = 32;
/** After so many claims of a lane without a wait, one less is. */
const CLAIMS_PER_LESS: u32 = 64;

@inline
export function wordOf(state: u32, owner: u32, pool: u32, stamp: u64): u64 {
  return u64(state) | (u64(owner) << 8) | (u64(pool) << 16) | (stamp << 24);
}

@inline
export function wordState(word: u64): u32 {
  return u32(word) & 0xff;
}

@inline
export function wordLane(word: u64): u32 {
  return (u32(word) >> 8) & 0xff;
}

@inline
export function wordPool(word: u64): u32 {
  return (u32(word) >> 16) & 0xff;
}

@inline
export function wordStamp(word: u64): u64 {
  return word >> 24;
}

@inline
export function segmentHeader(n: u32): u32 {
  return segmentsAt + n * SEGMENT_HEADER_BYTES;
}

@inline
export function segmentNumber(header: u32): u32 {
  return (header - segmentsAt) / SEGMENT_HEADER_BYTES;
}

@inline
export function segmentBase(header: u32): u32 {
  return storeAt + (segmentNumber(header) << segmentShift);
}

@inline
export function segmentWord(header: u32): u64 {
  return atomic.load<u64>(header, SEGMENT_WORD);
}

/** Whether lane `n` is filling the segment with items. */
@inline
export function isFilledBy(word: u64, n: u32): bool {
  return wordState(word) == SEGMENT_ACTIVE && wordLane(word) == n;
}

@inline
export function swapWord(header: u32, from: u64, to: u64): bool {
  return atomic.cmpxchg<u64>(header, from, to, SEGMENT_WORD) == from;
}

@inline
export function segmentUsed(header: u32): u32 {
  return load<u32>(header, SEGMENT_USED);
}

/** Where a lane counts the bytes of a segment's items that it took out of the table. */
@inline
function deadCount(n: u32, header: u32): u32 {
  return deadAt + ((n * segments + segmentNumber(header)) << 2);
}

/**
 * Bytes counted as dead in a segment by all lanes since the arena was made. Each lane counts for
 * itself: one word for all would travel between the processors with every overwrite.
 */
function deadEver(header: u32): u32 {
  let bytes: u32 = 0;
  for (let n: u32 = 0; n < lanes; n++) bytes += atomic.load<u32>(deadCount(n, header));
  return bytes;
}

/** Bytes of items the table no longer points at. */
@inline
export function segmentDead(header: u32): u32 {
  return deadEver(header) - load<u32>(header, SEGMENT_DEAD_BASE);
}

@inline
export function addDead(header: u32, bytes: u32): void {
  const at = deadCount(lane, header);
  store<u32>(at, load<u32>(at) + bytes);
}

/** The next age; ages order the segments of a pool. */
@inline
export function nextAge(): u64 {
  return atomic.add<u64>(H_SEGMENT_SEQUENCE, 1);
}

@inline
function isFree(word: u64, safe: u64): bool {
  const state = wordState(word);
  return state == SEGMENT_FREE || (state == SEGMENT_RETIRED && wordStamp(word) < safe);
}

/** What `safeBefore` said when a claim failed, 0 = the last did not, and the reserve it left. */
let failedAt: u64 = 0;
let failedReserve: u32 = 0;

/** Claims since the free reserve was last changed. */
let claims: u32 = 0;

/** Forgets what the lane's last holder met. */
export function resetClaims(): void {
  failedAt = 0;
  claims = 0;
}

/**
 * After a claim that failed: what `safeBefore` says as long as it would fail again because threads
 * hold what is free but for them; 0 when it is not for them that it failed.
 */
@inline
export function heldBy(reserve: u32): u64 {
  return freeHint() > reserve ? failedAt : 0;
}

/**
 * Claims a free segment as `state`, leaving at least `reserve` others; returns its header, or 0.
 * It takes the one that was retired last, whose memory is most likely still in a cache, and
 * touches memory that was never used only when it must. Counts on the way how many are free or will
 * be soon, for whoever asks `freeHint`.
 *
 * What is retired gets a later stamp than what is safe now, so until that moves on no more segments
 * become free, and a claim that failed would fail again.
 */
export function claimSegment(state: u32, pool: u32, stamp: u64, reserve: u32): u32 {
  const safe = safeBefore();
  if (safe == failedAt && reserve >= failedReserve) return 0;
  failedAt = 0;
  if (failsOnPurpose()) return 0;
  let free: u32 = 0;
  let soon: u32 = 0;
  let last: u32 = 0;
  let lastWord: u64 = 0;
  for (let n: u32 = 0; n < segments; n++) {
    const header = segmentHeader(n);
    const word = segmentWord(header);
    if (isFree(word, safe)) {
      if (free++ == 0 || word > lastWord) {
        last = header;
        lastWord = word;
      }
    } else if (wordState(word) == SEGMENT_RETIRED) soon++;
  }
  noteFree(free + soon);
  if (free <= reserve) {
    failedAt = safe;
    failedReserve = reserve;
    return 0;
  }
  if (++claims == CLAIMS_PER_LESS) keepLessFree();
  if (claim(last, lastWord, state, pool, stamp)) return last;
  return claimAny(state, pool, stamp, safe);
}

/** Claims whichever free segment is left after a lost race. */
function claimAny(state: u32, pool: u32, stamp: u64, safe: u64): u32 {
  for (let n: u32 = 0; n < segments; n++) {
    const header = segmentHeader(n);
    const word = segmentWord(header);
    if (isFree(word, safe) && claim(header, word, state, pool, stamp)) return header;
  }
  return 0;
}

function claim(header: u32, word: u64, state: u32, pool: u32, stamp: u64): bool {
  if (!swapWord(header, word, wordOf(SEGMENT_CLEANING, lane, pool, stamp))) return false;
  store<u32>(header, 0, SEGMENT_USED);
  store<u64>(header, 0, SEGMENT_EXPIRES_BY);
  store<u32>(header, 0, SEGMENT_WALKED);
  store<u32>(header, deadEver(header), SEGMENT_DEAD_BASE);
  atomic.store<u64>(header, wordOf(state, lane, pool, stamp), SEGMENT_WORD);
  noteFree(freeHint() - 1);
  return true;
}

/** About how many segments are free, or will be when the epochs have moved on. */
@inline
export function freeHint(): u32 {
  return atomic.load<u32>(H_FREE_HINT);
}

@inline
export function noteFree(n: u32): void {
  atomic.store<u32>(H_FREE_HINT, n);
}

/** Whether living items have to go for new ones to come, as the last cleaner to begin found. */
@inline
export function isPressed(): bool {
  return atomic.load<u32>(H_PRESSURE) != 0;
}

/** How many more segments are to be kept free than the least. */
@inline
export function freeMore(): u32 {
  return atomic.load<u32>(H_FREE_MORE);
}

/**
 * Told that a thread waits for memory that others hold: most likely one of them was stopped by the
 * operating system, and what is free has to last until it runs again.
 */
export function keepMoreFree(): void {
  claims = 0;
  atomic.store<u32>(H_FREE_MORE, min<u32>(freeMore() * 2 + lanes, segments / MORE_SHARE));
}

/** Nobody has waited for long. */
function keepLessFree(): void {
  claims = 0;
  const more = freeMore();
  if (more != 0) atomic.store<u32>(H_FREE_MORE, more - 1);
}

export function notePressure(pressed: bool): void {
  if (isPressed() != pressed) atomic.store<u32>(H_PRESSURE, u32(pressed));
}

/**
 * Gives a segment that nothing points at any more back. Its word keeps the pool: whoever took the
 * last items out of the table may still be settling their accounts.
 */
export function retireSegment(header: u32): void {
  const pool = wordPool(segmentWord(header));
  const stamp = advance();
  atomic.store<u64>(header, wordOf(SEGMENT_RETIRED, 0, pool, stamp), SEGMENT_WORD);
  count(COUNTER_SEGMENTS_RECLAIMED);
  noteFree(freeHint() + 1);
}
