/**
 * The window of W-TinyLFU, in order of arrival. New items lie in segments of the small pool, so the
 * segments in the order of their ages are the queue, and who wants the oldest item walks the oldest
 * of them. Nothing is moved: an item that leaves the window stays where it lies, only its rank
 * changes (`regions.ts`), and when the walk has come to the end of a segment that becomes one of
 * the main pool. All lanes walk the same segment and note in its header how far they are; two that
 * meet the same item race for its rank.
 *
 * A segment may hold more items than the window. So when no sealed one is left those are walked
 * that lanes are filling, as far as they say that they are filled:
 *
 *   filled   63        44 43        24 23              0
 *            +-----------+------------+-----------------+
 *            | age       | segment    | bytes / 2       |   said when the last item was published
 *            +-----------+------------+-----------------+
 *
 * Caffeine's window is a list in the order of use. Here an item that was hit since it was placed is
 * copied to the window's end instead (CLOCK), which comes to the same within the noise of the
 * climber.
 */
import { H_SEGMENT_SEQUENCE, L_FILLED, laneAt, laneBlock, lanes, segments } from "./layout";
import {
  CURSOR_COMPACT_SMALL, CURSOR_SMALL, cursorSegment, cursorWhole, survivorReserve,
} from "./allocator";
import {
  ITEM_RANK, ITEM_TOMBSTONE, STATE_LIVE, isGone, itemBytes, itemFlags, itemState,
} from "./item";
import {
  POOL_MAIN, POOL_SMALL, SEGMENT_ACTIVE, SEGMENT_SEALED, SEGMENT_WALKED, segmentBase,
  segmentHeader, segmentNumber, segmentUsed, segmentWord, swapWord, wordLane, wordOf, wordPool,
  wordStamp, wordState,
} from "./segment";
import { RANK_WINDOW, REGION_WINDOW, rankProbation, regionOf, swapRank } from "./regions";
import { findItem, foundAt, foundEntry, isTentative } from "./table";
import { isCleared, isExpired, removeEnded } from "./entry";
import { hashOfItem } from "./hash";
import { moveItem } from "./move";

/** Items that one look for the oldest may send back to the end of the window... */
const RENEWALS_MAX: u32 = 64;
/** ...and pass over because they have left it. */
const PASSED_MAX: u32 = 1024;
/** Looks at segments being filled alone before others are looked for again. */
const FRUITLESS_MAX: u32 = 64;

const FILLED_AGE_SHIFT: u64 = 44;
const FILLED_AGE_MASK: u64 = 0xfffff;
const FILLED_SEGMENT_SHIFT: u64 = 24;
const FILLED_SEGMENT_MASK: u32 = 0xfffff;
const FILLED_BYTES_MASK: u32 = 0xffffff;
const FILLED_BYTES_SHIFT: u32 = 1;

/** The segment this lane walks, 0 = none, its word, and where its items end. */
let walked: u32 = 0;
let walkedWord: u64 = 0;
let walkedEnd: u32 = 0;
/** The segments' sequence when no sealed one was found, and the looks since. */
let fruitless: u64 = 0;
let looks: u32 = 0;
/** Bytes of the item whose time was up that the last look removed. */
export let endedBytes: u32 = 0;

/** Forgets the segment this lane's last holder walked. */
export function resetWindow(): void {
  walked = 0;
  fruitless = 0;
}

/**
 * Takes the oldest item out of the window and puts it on probation; 0 when none is found, or when
 * `endedBytes` says that room was made on the way.
 */
export function leaveWindow(): u32 {
  let renewals: u32 = 0;
  endedBytes = 0;
  for (let item = nextInWindow(); item != 0; item = nextInWindow()) {
    if (isExpired(item) || isCleared(item)) {
      if (end(item)) return 0;
      continue;
    }
    const rank = u32(load<u8>(item, ITEM_RANK));
    if (rank != RANK_WINDOW && renewals < RENEWALS_MAX && renew(item)) renewals++;
    else if (regionOf(rank) == REGION_WINDOW && swapRank(item, rank, rankProbation())) {
      if ((itemFlags(item) & ITEM_TOMBSTONE) == 0) return item;
    }
  }
  return 0;
}

/** Walks on to the next item that is in the window, and past it; 0 when there is none. */
function nextInWindow(): u32 {
  let passed: u32 = 0;
  while (passed < PASSED_MAX && chooseSegment()) {
    const base = segmentBase(walked);
    let item = base + load<u32>(walked, SEGMENT_WALKED);
    let found: u32 = 0;
    while (item < walkedEnd && found == 0 && passed < PASSED_MAX) {
      if (isInWindow(item)) found = item;
      else passed++;
      item += itemBytes(item);
    }
    store<u32>(walked, item - base, SEGMENT_WALKED);
    if (found != 0) return found;
    if (item >= walkedEnd) leaveSegment();
  }
  return 0;
}

@inline
function isInWindow(item: u32): bool {
  return regionOf(u32(load<u8>(item, ITEM_RANK))) == REGION_WINDOW && !isGone(item)
    && itemState(item) == STATE_LIVE;
}

/** Makes sure that there is a segment to walk; one that is being filled only as a last resort. */
function chooseSegment(): bool {
  if (walked != 0 && wordState(walkedWord) == SEGMENT_SEALED) {
    if (segmentWord(walked) == walkedWord) return true;
  }
  const sequence = atomic.load<u64>(H_SEGMENT_SEQUENCE);
  if (sequence != fruitless || ++looks > FRUITLESS_MAX) {
    if (chooseSealed()) return true;
    fruitless = sequence;
    looks = 0;
  }
  return chooseCompacted() || chooseFilled();
}

/** Chooses the oldest sealed segment of the small pool. */
function chooseSealed(): bool {
  let least = u64.MAX_VALUE;
  for (let n: u32 = 0; n < segments; n++) {
    const header = segmentHeader(n);
    const word = segmentWord(header);
    if (wordState(word) != SEGMENT_SEALED || wordPool(word) != POOL_SMALL) continue;
    if (wordStamp(word) >= least) continue;
    least = wordStamp(word);
    walked = header;
    walkedWord = word;
  }
  if (least == u64.MAX_VALUE) return false;
  walkedEnd = segmentBase(walked) + segmentUsed(walked);
  return true;
}

/** Chooses what this lane's compaction fills, if there is something in it to walk. */
function chooseCompacted(): bool {
  const header = cursorSegment(CURSOR_COMPACT_SMALL);
  if (header == 0) return false;
  walkedEnd = cursorWhole(CURSOR_COMPACT_SMALL);
  if (segmentBase(header) + load<u32>(header, SEGMENT_WALKED) >= walkedEnd) return false;
  walked = header;
  walkedWord = segmentWord(header);
  return true;
}

/** Says how far the segment for new items is filled, so that others can walk it. */
export function sayFilled(): void {
  const header = cursorSegment(CURSOR_SMALL);
  if (header == 0) return;
  const bytes = u64((cursorWhole(CURSOR_SMALL) - segmentBase(header)) >> FILLED_BYTES_SHIFT);
  const segment = u64(segmentNumber(header)) << FILLED_SEGMENT_SHIFT;
  const age = wordStamp(segmentWord(header)) << FILLED_AGE_SHIFT;
  atomic.store<u64>(laneAt + L_FILLED, age | segment | bytes);
}

/** Chooses the segment that is being filled in which there is most to walk. */
function chooseFilled(): bool {
  let most: u32 = 0;
  for (let n: u32 = 0; n < lanes; n++) {
    const filled = atomic.load<u64>(laneBlock(n) + L_FILLED);
    if (filled == 0) continue;
    const header = segmentHeader(u32(filled >> FILLED_SEGMENT_SHIFT) & FILLED_SEGMENT_MASK);
    const word = segmentWord(header);
    if (wordState(word) != SEGMENT_ACTIVE || wordPool(word) != POOL_SMALL) continue;
    if ((wordStamp(word) ^ (filled >> FILLED_AGE_SHIFT)) & FILLED_AGE_MASK) continue;
    const bytes = (u32(filled) & FILLED_BYTES_MASK) << FILLED_BYTES_SHIFT;
    const before = load<u32>(header, SEGMENT_WALKED);
    if (bytes <= before + most) continue;
    most = bytes - before;
    walked = header;
    walkedWord = word;
    walkedEnd = segmentBase(header) + bytes;
  }
  return most > 0;
}

/** Hands a segment that was walked to its end over to the main pool. */
function leaveSegment(): void {
  if (wordState(walkedWord) == SEGMENT_SEALED) {
    const main = wordOf(SEGMENT_SEALED, wordLane(walkedWord), POOL_MAIN, wordStamp(walkedWord));
    swapWord(walked, walkedWord, main);
  }
  walked = 0;
}

/** Copies an item to the window's end; false when there is no room for it. */
function renew(item: u32): bool {
  const hash = hashOfItem(item);
  if (!findItem(hash, item) || isTentative(foundEntry)) return true;
  const reserve = survivorReserve();
  const rank = u8(RANK_WINDOW);
  if (!moveItem(item, hash, foundAt, foundEntry, CURSOR_SMALL, reserve, 0, rank)) return false;
  sayFilled();
  return true;
}

/** Removes an item whose time is up; whether that made room. */
function end(item: u32): bool {
  const hash = hashOfItem(item);
  if (!findItem(hash, item) || isTentative(foundEntry)) return false;
  endedBytes = itemBytes(item);
  if (removeEnded(foundAt, foundEntry, hash)) return true;
  endedBytes = 0;
  return false;
}
