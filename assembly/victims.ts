/**
 * Which segments a cleaner takes next, and how it treats them:
 *   1. those in which nothing is alive, or everything has expired;
 *   2. when overwrites and deletes have left too much dead, those with the most, and all of their
 *      living items stay (compaction; they keep the age of their segment);
 *   3. else the oldest of the pool that holds more than its share, and the policy decides; of
 *      stubs, which are evicted, the oldest if they are more than theirs.
 *
 * Looking over all segments means reading what every lane counted as dead in each of them, lines
 * that other processors write to all the time, and will have to fetch back for it. So a survey
 * chooses several at once, and each is taken only while its word is still the one that was seen;
 * and it looks no further when it has found enough in which nothing is alive. It begins where the
 * lane's last one ended, each lane elsewhere, so that they do not choose the same ones.
 *
 *   lists    four, of VICTIMS victims each, lowest key first: by what is alive, by age in the
 *            small pool, by age in the main pool, by age among those of stubs
 *   victim   0 key u64 | 8 word u64 | 16 header u32 | 20 zero
 */
import {
  L_VICTIMS, lane, laneAt, lanes, policy, segmentBytes, segments, tierLeast,
} from "./layout";
import {
  POOL_MAIN, POOL_SMALL, POOL_STUB, SEGMENT_ACTIVE, SEGMENT_EXPIRES_BY, SEGMENT_SEALED,
  notePressure, segmentDead, segmentHeader, segmentUsed, segmentWord, wordPool, wordStamp,
  wordState,
} from "./segment";
import { POLICY_SIEVE, ordersByRank } from "./policy";
import { SMALL_SHARE_PERCENT } from "./s3fifo";
import { STUB_SHARE_PERCENT, tierIsFull } from "./stub";
import {
  CURSORS, CURSOR_COMPACT_MAIN, CURSOR_COMPACT_STUB, CURSOR_MAIN, CURSOR_STUB, sealCursor,
} from "./allocator";
import { noteSieveHead, sieveHasPassed, sieveLimit, sieveOrder } from "./sieve";
import { nowMs } from "./version";
import { pooledPageBytes } from "./pages";

export const MODE_POLICY: u32 = 0;
export const MODE_COMPACT: u32 = 1;

export const VICTIMS: u32 = 4;
export const VICTIM_BYTES: u32 = 24;
export const VICTIM_LISTS: u32 = 4;
const VICTIM_WORD: u32 = 8;
const VICTIM_HEADER: u32 = 16;

const LIST_ALIVE: u32 = 0;
const LIST_SMALL: u32 = 1;
const LIST_MAIN: u32 = 2;
const LIST_STUB: u32 = 3;

/** Dead bytes are compacted away once they are more than this share of the store... */
const DEAD_PERCENT_MAX: u32 = 4;
/** ...if a segment has at least this share of them, so that a move buys something. */
const DEAD_PERCENT_WORTH: u32 = 7;
/** The same where items leave by their ranks, and what evictions then aim at. */
const DEAD_PERCENT_RANKS: u32 = 12;
const DEAD_PERCENT_WANTED: u32 = 14;
const KEY_MAX: u64 = u64.MAX_VALUE - 1;
/** A survey chooses no more than this part of all segments. */
const SEGMENTS_PER_VICTIM: u32 = 64;

/** The victims that are left of the last survey, and how they are to be treated. */
let next: u32 = 0;
let end: u32 = 0;
export let victimMode: u32 = 0;

/** The segment that the next survey begins with. */
let surveyed: u32 = 0;
/* What the survey found. */
let smallSegments: u32 = 0;
let mainSegments: u32 = 0;
let stubSegments: u32 = 0;
let deadBytes: u64 = 0;
/** Whether the last survey found as many segments as it wanted in which nothing is alive. */
export let deadAbound: bool = false;
/** Bytes to evict by rank before the next survey will find segments worth compacting. */
export let deadWanted: u64 = 0;

@inline
function listAt(list: u32): u32 {
  return laneAt + L_VICTIMS + list * VICTIMS * VICTIM_BYTES;
}

/** Forgets the victims that were chosen. */
export function resetVictims(): void {
  next = end = 0;
  surveyed = lane * segments / lanes;
  deadWanted = 0;
  deadAbound = false;
}

/** Told of bytes that were evicted by rank. */
export function noteEvicted(bytes: u32): void {
  deadWanted -= min<u64>(deadWanted, bytes);
}

/**
 * The next victim's header, 0 when there is none; its word is still what it was when chosen. When
 * `evicting`, one from which the policy may evict is wanted even while memory is free.
 */
export function nextVictim(evicting: bool): u32 {
  while (true) {
    if (next == end && !choose(evicting)) return 0;
    const at = next;
    next += VICTIM_BYTES;
    const header = load<u32>(at, VICTIM_HEADER);
    if (segmentWord(header) == load<u64>(at, VICTIM_WORD)) return header;
  }
}

/** Whether the next victim is one in which nothing is alive; asked only while those abound. */
export function deadIsNext(): bool {
  if (next == end) {
    survey();
    take(LIST_ALIVE, MODE_POLICY, 0);
  }
  return next != end && load<u64>(next) == 0;
}

/** Looks over all segments once, or until as many as are wanted have nothing alive. */
function survey(): void {
  const most = max<u32>(1, min<u32>(VICTIMS, segments / SEGMENTS_PER_VICTIM));
  smallSegments = mainSegments = stubSegments = 0;
  deadBytes = 0;
  for (let list: u32 = 0; list < VICTIM_LISTS; list++) emptyList(listAt(list));
  const last = listAt(LIST_ALIVE) + (most - 1) * VICTIM_BYTES;
  // The hand of SIEVE has to know the oldest of all.
  const wholly = policy == POLICY_SIEVE;
  for (let i: u32 = 0; i < segments && (wholly || load<u64>(last) != 0); i++) {
    const header = segmentHeader(surveyed);
    if (++surveyed >= segments) surveyed = 0;
    const word = segmentWord(header);
    const state = wordState(word);
    if (state != SEGMENT_SEALED && state != SEGMENT_ACTIVE) continue;
    const pool = wordPool(word);
    if (pool == POOL_SMALL) smallSegments++;
    else if (pool == POOL_MAIN) mainSegments++;
    else stubSegments++;
    if (state == SEGMENT_ACTIVE) continue;
    if (pool == POOL_STUB) {
      enlist(listAt(LIST_STUB), most, wordStamp(word), word, header);
      surveyDead(header, word, most);
      continue;
    }
    const small = pool == POOL_SMALL;
    const order = policy == POLICY_SIEVE ? sieveOrder(wordStamp(word)) : wordStamp(word);
    enlist(listAt(small ? LIST_SMALL : LIST_MAIN), most, order, word, header);
    surveyDead(header, word, most);
  }
  deadAbound = load<u64>(last) == 0;
}

@inline
function surveyDead(header: u32, word: u64, most: u32): void {
  const dead = segmentDead(header);
  const used = segmentUsed(header);
  deadBytes += dead;
  const gone = dead >= used || load<u64>(header, SEGMENT_EXPIRES_BY) <= nowMs;
  enlist(listAt(LIST_ALIVE), most, gone ? 0 : max<u32>(1, segmentBytes - dead), word, header);
}

function emptyList(list: u32): void {
  for (let i: u32 = 0; i < VICTIMS; i++) {
    store<u64>(list + i * VICTIM_BYTES, u64.MAX_VALUE);
  }
}

/** Puts a victim into its place among the `most` with the lowest keys. */
function enlist(list: u32, most: u32, key: u64, word: u64, header: u32): void {
  let at = list + (most - 1) * VICTIM_BYTES;
  if (key >= load<u64>(at)) return;
  while (at > list && load<u64>(at - VICTIM_BYTES) > key) {
    memory.copy(at, at - VICTIM_BYTES, VICTIM_BYTES);
    at -= VICTIM_BYTES;
  }
  store<u64>(at, key);
  store<u64>(at, word, VICTIM_WORD);
  store<u32>(at, header, VICTIM_HEADER);
}

/** Makes a list, up to its last victim with a key of at most `keyMax`, the one to take from. */
function take(list: u32, mode: u32, keyMax: u64): bool {
  next = end = listAt(list);
  const last = next + VICTIMS * VICTIM_BYTES;
  while (end < last && load<u64>(end) <= keyMax) end += VICTIM_BYTES;
  victimMode = mode;
  return next != end;
}

/**
 * Chooses the next victims; false when there are none. A hand that has passed all sealed segments
 * meets the items this lane is writing next.
 */
function choose(evicting: bool): bool {
  survey();
  if (policy == POLICY_SIEVE && sieveHasPassed(load<u64>(listAt(LIST_MAIN)))) {
    const atHead = sealCursor(CURSOR_MAIN);
    noteSieveHead(atHead && evicting);
    if (atHead || sealCursor(CURSOR_COMPACT_MAIN)) survey();
  }
  if (!evicting) notePressure(false);
  if (take(LIST_ALIVE, MODE_POLICY, 0)) return true;
  const percent = u64(segments) * segmentBytes / 100;
  const limit = percent * (ordersByRank() ? DEAD_PERCENT_RANKS : DEAD_PERCENT_MAX);
  const worth = segmentBytes - segmentBytes / 100 * DEAD_PERCENT_WORTH;
  if (deadBytes > limit && !evicting && take(LIST_ALIVE, MODE_COMPACT, worth)) return true;
  if (!evicting) notePressure(true);
  const crowded = stubSegments * 100 > segments * STUB_SHARE_PERCENT || tierIsFull();
  if (crowded && take(LIST_STUB, MODE_POLICY, KEY_MAX)) {
    // One may be enough: it is small, and stands for much.
    end = next + VICTIM_BYTES;
    return true;
  }
  if (ordersByRank()) {
    deadWanted = max<u64>(percent * DEAD_PERCENT_WANTED, deadBytes + segmentBytes) - deadBytes;
    return false;
  }
  if (takeItems()) return true;
  // A few items with large values may fill the memory from segments that are still being filled.
  if (tierLeast != 0 && sealItems()) {
    survey();
    if (takeItems()) return true;
  }
  return take(LIST_STUB, MODE_POLICY, KEY_MAX);
}

/** Chooses among the segments of items, if there are any to choose from. */
function takeItems(): bool {
  const first = isSmallsTurn() ? LIST_SMALL : LIST_MAIN;
  const any = policy == POLICY_SIEVE ? sieveLimit(load<u64>(listAt(LIST_MAIN))) : KEY_MAX;
  return take(first, MODE_POLICY, any) || take(first ^ 3, MODE_POLICY, any);
}

/** Seals the segments that this lane fills with items; whether there were any. */
function sealItems(): bool {
  let sealed = false;
  for (let cursor: u32 = 0; cursor < CURSORS; cursor++) {
    if (cursor == CURSOR_STUB || cursor == CURSOR_COMPACT_STUB) continue;
    if (sealCursor(cursor)) sealed = true;
  }
  return sealed;
}

/** Whether the small pool holds more than its share. */
function isSmallsTurn(): bool {
  const small = u64(smallSegments) * segmentBytes + pooledPageBytes(POOL_SMALL);
  const main = u64(mainSegments) * segmentBytes + pooledPageBytes(POOL_MAIN);
  return small * 100 >= (small + main) * SMALL_SHARE_PERCENT;
}
