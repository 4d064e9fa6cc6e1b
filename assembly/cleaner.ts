/**
 * The cleaner: makes free segments out of full ones. It takes one segment at a time, walks its
 * items in the order they were written, and for each that the table still points at either copies
 * it elsewhere and swings the entry over, or removes the entry. Then the segment retires.
 *
 * Every thread that writes cleans, in steps in proportion to what it allocates, so that no single
 * request pays for a whole segment. What was overwritten or deleted says so itself and is passed
 * over; for the rest the walk is the same batch-wise dance as `execute`: hash all,
 * touch all lines, then decide. It can be left and taken up again, by another lane too: an item
 * that was moved is not pointed at any more.
 *
 * `victims.ts` says which segment is next.
 * A policy may keep everything it meets. After a segment of which almost all stayed the next may
 * keep half, so that one eviction is bounded.
 *
 *   work in progress (lane)   0 segment header u32, 0 = none | 4 next item u32 | 8 mode u32
 *                             12 bytes it may still keep u32
 *   batch slot, 24 bytes      0 item u32 | 4 bucket u32 | 8 hash u64 | 16 overflow bucket u32
 */
import {
  LINE_BYTES, L_BATCH, L_CLEANING, L_COUNTERS, PAGES_PER_SEGMENT, itemsMax, lane, laneAt,
  laneBlock, segmentBytes, segments,
} from "./layout";
import {
  CURSOR_COMPACT_MAIN, CURSOR_COMPACT_SMALL, CURSOR_COMPACT_STUB, CURSOR_MAIN, attachedLanes,
  sealLane, survivorReserve, takeAllocated,
} from "./allocator";
import {
  COUNTER_COMPACTED, COUNTER_EVICTED_FORCED, COUNTER_EVICTED_POLICY, COUNTER_ITEMS_REMOVED,
  COUNTER_TIER_DROPPED, count,
} from "./counters";
import {
  POOL_SMALL, POOL_STUB, SEGMENT_CLEANING, SEGMENT_SEALED, freeHint, freeMore, retireSegment,
  segmentBase, segmentDead, segmentUsed, segmentWord, swapWord, wordOf, wordPool, wordStamp,
  wordState,
} from "./segment";
import {
  bucketOf, findItem, foundAt, foundEntry, isTentative, overflowOf, settledEntry,
} from "./table";
import {
  ITEM_RANK, ITEM_TOMBSTONE, STATE_DEAD, STATE_PENDING, isGone, itemBytes, itemFlags, itemState,
  itemVersion, settle,
} from "./item";
import {
  VERDICT_EVICT, evictByRank, isHaunted, itemRank, keepsPlace, onEvicted, onTaken, ordersByRank,
  poolAfter, rankKept, verdict,
} from "./policy";
import { closeIdlePageSegments, freePages } from "./pages";
import { isCleared, isExpired, removeEnded, removeEntry } from "./entry";
import { countHeld, letGo } from "./stub";
import {
  MODE_COMPACT, MODE_POLICY, deadAbound, deadIsNext, deadWanted, nextVictim, noteEvicted,
  victimMode,
} from "./victims";
import { hashOfItem } from "./hash";
import { isLapsed } from "./lapse";
import { moveItem } from "./move";
import { pin } from "./epoch";
import { sweepInPassing } from "./sweep";
import { pagesWanted } from "./draft";
import { ghostLine, shapeGhost } from "./ghost";

const WORK_NEXT: u32 = 4;
const WORK_MODE: u32 = 8;
const WORK_KEEP: u32 = 12;

export const CLEAN_BATCH: u32 = 64;
export const BATCH_SLOT_BYTES: u32 = 24;
const BATCH_BUCKET: u32 = 4;
const BATCH_HASH: u32 = 8;
const BATCH_OVER: u32 = 16;

/** Bytes a step walks at the least, and at the most when hardly anything is left in them. */
const STEP_BYTES_MIN: u32 = 4096;
const STEP_BYTES_MAX: u32 = 65536;
/** What a step counts for even if it walked nothing. */
const STEP_BYTES_LEAST: u32 = 1024;
/** Compaction walks so many times as much, for so little of what it walks over is dead. */
const COMPACTED_PER_FREED: u32 = 4;
/** Where the number of items is bounded, the policy may keep so many between two that leave. */
const KEPT_IN_ROW_MAX: u32 = 128;
/** Where the number of items is bounded, a step walks one in so many of them. */
const ITEMS_PER_STEP: u32 = 512;

/** Of so many segments one is kept free where those in which nothing is alive abound. */
const DEAD_FREE_SHARE: u32 = 16;

/** Whether the last segment cleaned by the policy kept almost everything. */
let keptAlmostAll: bool = false;
/** Items kept since the last that left. */
let keptInRow: u32 = 0;

/** Where the touching loop leaves what it loads, so that it is loaded. */
let sink: u64 = 0;

@inline
function work(): u32 {
  return laneAt + L_CLEANING;
}

/** Free segments the lanes need to have between them. */
@inline
function freeLeast(): u32 {
  return 2 * attachedLanes() + 2 + freeMore();
}

/**
 * Free segments the lanes aim to have. More where segments abound in which nothing is alive: they
 * cost nothing, and last longer when a thread that holds memory is stopped by the operating system.
 */
@inline
function freeAim(): u32 {
  return freeLeast() + (deadAbound ? segments / DEAD_FREE_SHARE : 0);
}

/** Whether hardly any segment is free. */
export function isShort(): bool {
  return freeHint() <= 2 * freeLeast();
}

/** After each group: cleans in proportion to what was allocated, if segments are short. */
export function tend(): void {
  const allocated = takeAllocated();
  const free = freeHint();
  const aim = freeAim();
  if (allocated == 0 || (free >= aim && (itemsMax != 0 || load<u32>(work()) == 0))) return;
  const least = freeLeast();
  const short = free < least ? least - free : 0;
  sweepInPassing(allocated);
  if (ordersByRank() && short > 0 && !evictWanted(allocated * (1 + short))) return;
  clean(allocated * (2 + 2 * short) + STEP_BYTES_MIN, false);
}

/**
 * Evicts about so many bytes by rank as long as cleaners lack dead ones; whether they have enough
 * now.
 */
function evictWanted(bytes: u32): bool {
  while (bytes > 0 && deadWanted > 0) {
    const evicted = evictByRank();
    if (evicted == 0) break;
    noteEvicted(evicted);
    bytes -= min<u32>(bytes, evicted);
  }
  return deadWanted == 0;
}

/**
 * Cleans until the memory that a deferred write asked for is there; false when there is nothing
 * left to clean, or what was cleaned is still held by other threads.
 */
export function restock(): bool {
  for (let n: u32 = 0; n < segments * 2; n++) {
    if (hasWanted()) return true;
    if (!clean(STEP_BYTES_MIN, true)) {
      if (!ordersByRank() || deadWanted == 0) return false;
      evictWanted(segmentBytes);
    }
    pin();
  }
  return false;
}

/** Whether the write that was deferred would find its memory now. */
function hasWanted(): bool {
  const spare = i64(freeHint()) - i64(survivorReserve()) - 1;
  if (pagesWanted == 0) return spare >= 0;
  const pages = max<i64>(spare, 0) * PAGES_PER_SEGMENT + freePages();
  return pages >= i64(pagesWanted);
}

/** Whether the lanes need another free segment, or one more costs nothing. */
function isWanting(): bool {
  if (freeHint() < freeLeast()) closeIdlePageSegments();
  const free = freeHint();
  return free < freeLeast() || (free < freeAim() && deadIsNext());
}

/**
 * Walks about `budget` bytes of segments, taking a new one only while another is wanted, or
 * `always`; false when there was none to take.
 */
function clean(budget: u32, always: bool): bool {
  let walked: u32 = 0;
  while (walked < budget) {
    if (load<u32>(work()) == 0) {
      if (always) closeIdlePageSegments();
      else if (!isWanting()) return true;
      if (!takeSegment(false)) return false;
    }
    const compacts = load<u32>(work(), WORK_MODE) == MODE_COMPACT;
    const bytes = cleanBatch(CLEAN_BATCH);
    walked += compacts ? bytes / COMPACTED_PER_FREED : bytes;
  }
  return true;
}

/**
 * Walks on until an item has left, taking segments in the policy's order however many are free;
 * false when there was none to take.
 */
export function evictNext(): bool {
  const removed = load<u64>(laneAt + (COUNTER_ITEMS_REMOVED << 3), L_COUNTERS);
  const most = max<u32>(1, min<u32>(CLEAN_BATCH / 4, itemsMax / ITEMS_PER_STEP));
  while (load<u64>(laneAt + (COUNTER_ITEMS_REMOVED << 3), L_COUNTERS) == removed) {
    if (load<u32>(work()) == 0 && !takeSegment(true)) return false;
    cleanBatch(most);
  }
  return true;
}

/** Claims the next segment for this lane, to evict from it if need be; false: there is none. */
function takeSegment(evicting: bool): bool {
  for (let tries: u32 = 0; tries < segments; tries++) {
    let header = nextVictim(evicting);
    if (header == 0 && !ordersByRank()) {
      // Large values can fill the memory from a few items that all lie in segments being filled.
      sealLane(lane);
      header = nextVictim(evicting);
    }
    if (header == 0) return false;
    const word = segmentWord(header);
    const mine = wordOf(SEGMENT_CLEANING, lane, wordPool(word), wordStamp(word));
    if (wordState(word) != SEGMENT_SEALED || !swapWord(header, word, mine)) continue;
    store<u32>(work(), victimMode, WORK_MODE);
    const used = segmentUsed(header);
    // Where everything is dead there is nothing to look for: the end is next.
    const from = segmentDead(header) >= used ? used : 0;
    store<u32>(work(), segmentBase(header) + from, WORK_NEXT);
    store<u32>(work(), keptAlmostAll ? segmentBytes / 2 : segmentBytes, WORK_KEEP);
    store<u32>(work(), header);
    if (victimMode == MODE_POLICY) onTaken(wordStamp(word));
    shapeGhost(u32(countHeld()));
    return true;
  }
  return false;
}

/** Cleans the next `most` items of the segment in work; returns the bytes they took. */
function cleanBatch(most: u32): u32 {
  const header = load<u32>(work());
  const end = segmentBase(header) + segmentUsed(header);
  const from = load<u32>(work(), WORK_NEXT);
  const first = laneAt + L_BATCH;
  let slot = first;
  let item = from;
  const stop = min<u32>(end, from + STEP_BYTES_MAX);
  while (item < stop && slot < first + most * BATCH_SLOT_BYTES) {
    if (!isGone(item)) {
      writeSlot(slot, item);
      slot += BATCH_SLOT_BYTES;
    }
    item += itemBytes(item);
  }
  const pool = wordPool(segmentWord(header));
  touchBatch(first, slot, pool);
  for (let at = first; at < slot; at += BATCH_SLOT_BYTES) {
    cleanItem(load<u32>(at), load<u64>(at, BATCH_HASH), pool);
  }
  store<u32>(work(), item, WORK_NEXT);
  if (item >= end) finishSegment(header);
  return max<u32>(item - from, STEP_BYTES_LEAST);
}

@inline
function writeSlot(slot: u32, item: u32): void {
  const hash = hashOfItem(item);
  store<u32>(slot, item);
  store<u32>(slot, bucketOf(hash), BATCH_BUCKET);
  store<u64>(slot, hash, BATCH_HASH);
}

/** Touches the buckets of a batch, and where the ghost will remember what is evicted. */
function touchBatch(first: u32, end: u32, pool: u32): void {
  const haunted = isHaunted(pool);
  let seen: u64 = 0;
  for (let at = first; at < end; at += BATCH_SLOT_BYTES) {
    const bucket = load<u32>(at, BATCH_BUCKET);
    seen += load<u64>(bucket) + load<u64>(bucket + LINE_BYTES);
    if (haunted) seen += load<u64>(ghostLine(load<u64>(at, BATCH_HASH)));
  }
  for (let at = first; at < end; at += BATCH_SLOT_BYTES) {
    const over = overflowOf(load<u32>(at, BATCH_BUCKET));
    store<u32>(at, over, BATCH_OVER);
    if (over != 0) seen += load<u64>(over) + load<u64>(over + LINE_BYTES);
  }
  for (let at = first; at < end; at += BATCH_SLOT_BYTES) {
    const over = load<u32>(at, BATCH_OVER);
    const next = over == 0 ? 0 : overflowOf(over);
    if (next != 0) seen += load<u64>(next) + load<u64>(next + LINE_BYTES);
  }
  sink = seen;
}

function finishSegment(header: u32): void {
  if (load<u32>(work(), WORK_MODE) == MODE_POLICY) {
    const kept = (keptAlmostAll ? segmentBytes / 2 : segmentBytes) - load<u32>(work(), WORK_KEEP);
    keptAlmostAll = kept > segmentBytes / 8 * 7;
  }
  store<u32>(work(), 0);
  retireSegment(header);
}

/** Decides about one item of the segment in work. */
function cleanItem(item: u32, hash: u64, pool: u32): void {
  if (!findItem(hash, item)) return;
  const at = foundAt;
  let entry = foundEntry;
  if (isTentative(entry)) {
    // Only a dead lane leaves a pending item behind; nobody was told of it.
    if (itemState(item) == STATE_PENDING) settle(item, STATE_DEAD);
    entry = settledEntry(at, entry);
    if (entry == 0 || !findItem(hash, item)) return;
  }
  if (isExpired(item) || isCleared(item)) {
    removeEnded(at, entry, hash);
    return;
  }
  if (isLapsed(item) && load<u32>(work(), WORK_MODE) != MODE_COMPACT) {
    removeEntry(at, entry, hash, itemVersion(item));
    return;
  }
  if (load<u32>(work(), WORK_MODE) == MODE_COMPACT || (itemFlags(item) & ITEM_TOMBSTONE) != 0) {
    const age = wordStamp(segmentWord(load<u32>(work())));
    const rank = u32(load<u8>(item, ITEM_RANK));
    const small = poolAfter(item, rank) == POOL_SMALL;
    const cursor = pool == POOL_STUB ? CURSOR_COMPACT_STUB
      : small ? CURSOR_COMPACT_SMALL : CURSOR_COMPACT_MAIN;
    if (moveItem(item, hash, at, entry, cursor, 0, age, u8(rank))) count(COUNTER_COMPACTED);
    else giveWay(item, hash, at, entry, pool);
    return;
  }
  cleanByPolicy(item, hash, at, entry, pool);
}

/**
 * Compaction has no free segment to move an item to. Somebody has to go, and from here on the
 * policy says who; where items leave by rank, and of stubs and tombstones, it is who was met.
 */
function giveWay(item: u32, hash: u64, at: u32, entry: u64, pool: u32): void {
  if (ordersByRank() || pool == POOL_STUB || (itemFlags(item) & ITEM_TOMBSTONE) != 0) {
    evict(item, hash, at, entry, pool, COUNTER_EVICTED_FORCED);
    return;
  }
  store<u32>(work(), MODE_POLICY, WORK_MODE);
  cleanByPolicy(item, hash, at, entry, pool);
}

@inline
function cleanByPolicy(item: u32, hash: u64, at: u32, entry: u64, pool: u32): void {
  const bytes = itemBytes(item);
  if (pool == POOL_STUB || verdict(item, pool) == VERDICT_EVICT) {
    evict(item, hash, at, entry, pool, COUNTER_EVICTED_POLICY);
    return;
  }
  const left = load<u32>(work(), WORK_KEEP);
  const rank = u8(rankKept(item, pool));
  const cursor = keepsPlace() ? CURSOR_COMPACT_MAIN : CURSOR_MAIN;
  const age = keepsPlace() ? wordStamp(segmentWord(load<u32>(work()))) : 0;
  const may = itemsMax != 0 ? keptInRow < KEPT_IN_ROW_MAX : left >= bytes;
  if (!may || !moveItem(item, hash, at, entry, cursor, 0, age, rank)) {
    evict(item, hash, at, entry, pool, COUNTER_EVICTED_FORCED);
    return;
  }
  keptInRow++;
  store<u32>(work(), left - min<u32>(left, bytes), WORK_KEEP);
}

function evict(item: u32, hash: u64, at: u32, entry: u64, pool: u32, cause: u32): void {
  const rank = itemRank(item);
  if (!letGo(at, entry, hash, item)) return;
  keptInRow = 0;
  if (pool == POOL_STUB) count(COUNTER_TIER_DROPPED);
  else {
    count(cause);
    onEvicted(hash, pool, rank);
  }
}

/** Gives back the segment lane `n`, now dead, was cleaning; another will start it again. */
export function abandonCleaning(n: u32): void {
  store<u32>(laneBlock(n) + L_CLEANING, 0);
}
