/**
 * Pages: where large values lie. A value over a quarter of a segment would waste what a segment
 * cannot hold of it, so it is spread over pages of a sixteenth of a segment. The item that stands
 * in the table holds their list instead of the value; it is small, and moves and is evicted like
 * any other.
 *
 *   page list   0 length of the value u32 | 4 offset of each page u32 ...
 *
 *   page word, 64 bits                            segments of pages have 16 words each
 *   63 62 61                                  0
 *   +-----+------------------------------------+
 *   | 0 0 | free                               |
 *   | 0 1 | lane (8) at 32 | header item >> 1  |  taken: the lane is writing the value
 *   | 1 0 | 0                                  |  owned: listed by the item in the table
 *   | 1 1 | epoch                              |  retired: free once the epoch is safe
 *   +-----+------------------------------------+
 *
 * Whoever takes the item out of the table, or puts one there that does not list the same pages,
 * retires them. Pages taken by a lane that died are owned if their item made it into the table and
 * free otherwise (`recoverPages`).
 */
import {
  H_PAGE_BYTES_MAIN, H_PAGE_BYTES_SMALL, PAGES_PER_SEGMENT, lane, pageBytes, pageShift,
  pageWordsAt, segments,
} from "./layout";
import {
  POOL_MAIN, POOL_SMALL, SEGMENT_CLEANING, SEGMENT_PAGES, claimSegment, retireSegment, segmentBase,
  segmentHeader, segmentWord, swapWord, wordOf, wordState,
} from "./segment";
import { advance, safeBefore } from "./epoch";
import { failsOnPurpose } from "./failing";
import { survivorReserve } from "./allocator";
import {
  STATE_DEAD, STATE_LIVE, STATE_PENDING, itemInlineAt, itemInlineLength, itemState, settle,
} from "./item";
import { findItem, foundAt, foundEntry, isTentative, settledEntry } from "./table";
import { hashOfItem } from "./hash";

export const PAGE_LIST_HEADER: u32 = 4;
export const PAGE_STATE_SHIFT: u64 = 62;
export const PAGE_FREE: u64 = 0;
export const PAGE_TAKEN: u64 = 1;
export const PAGE_OWNED: u64 = 2;
export const PAGE_RETIRED: u64 = 3;
const PAGE_EPOCH_MASK: u64 = (1 << 62) - 1;

/** Where the next search for pages begins; only a hint. */
let hint: u32 = 0;

@inline
export function pagesFor(length: u32): u32 {
  return (length + pageBytes - 1) >> pageShift;
}

/** Bytes of the list of a value of `length` bytes. */
@inline
export function pageListBytes(length: u32): u32 {
  return PAGE_LIST_HEADER + (pagesFor(length) << 2);
}

@inline
function wordsOf(segment: u32): u32 {
  return pageWordsAt + segment * PAGES_PER_SEGMENT * 8;
}

@inline
function isFreePage(word: u64, safe: u64): bool {
  return word == 0
    || (word >> PAGE_STATE_SHIFT == PAGE_RETIRED && (word & PAGE_EPOCH_MASK) < safe);
}

@inline
function takenWord(item: u32): u64 {
  return (PAGE_TAKEN << PAGE_STATE_SHIFT) | (u64(lane) << 32) | u64(item >> 1);
}

/** The word of the page at offset `page`. */
@inline
function wordOfPage(page: u32): u32 {
  return pageWordsAt + ((page - segmentBase(segmentHeader(0))) >> pageShift) * 8;
}

/**
 * Takes the pages of a value of `length` bytes for `item` and lists them at `listAt`. On failure
 * none are taken and false comes back.
 */
export function takePages(item: u32, listAt: u32, length: u32): bool {
  const wanted = pagesFor(length);
  store<u32>(listAt, length);
  if (failsOnPurpose()) return false;
  let got = takeFrom(item, listAt + PAGE_LIST_HEADER, wanted);
  while (got < wanted) {
    const header = claimSegment(SEGMENT_PAGES, POOL_MAIN, 0, survivorReserve());
    if (header == 0) {
      releasePages(listAt, got);
      return false;
    }
    got += takeFrom(item, listAt + PAGE_LIST_HEADER + (got << 2), wanted - got);
  }
  return true;
}

/** Takes up to `wanted` free pages of the segments there are. */
function takeFrom(item: u32, listAt: u32, wanted: u32): u32 {
  const safe = safeBefore();
  let got: u32 = 0;
  for (let i: u32 = 0; i < segments && got < wanted; i++) {
    const segment = (hint + i) % segments;
    if (wordState(segmentWord(segmentHeader(segment))) != SEGMENT_PAGES) continue;
    got += takeInSegment(segment, item, listAt + (got << 2), wanted - got, safe);
    if (got == wanted) hint = segment;
  }
  return got;
}

function takeInSegment(segment: u32, item: u32, listAt: u32, wanted: u32, safe: u64): u32 {
  const header = segmentHeader(segment);
  const words = wordsOf(segment);
  let got: u32 = 0;
  for (let page: u32 = 0; page < PAGES_PER_SEGMENT && got < wanted; page++) {
    const at = words + page * 8;
    const word = atomic.load<u64>(at);
    if (!isFreePage(word, safe)) continue;
    if (atomic.cmpxchg<u64>(at, word, takenWord(item)) != word) continue;
    if (wordState(segmentWord(header)) != SEGMENT_PAGES) {
      atomic.store<u64>(at, 0); // the segment was closed under us
      break;
    }
    store<u32>(listAt + (got << 2), segmentBase(header) + (page << pageShift));
    got++;
  }
  return got;
}

/** Gives back the first `pages` pages of a list nobody has seen. */
export function releasePages(listAt: u32, pages: u32): void {
  for (let i: u32 = 0; i < pages; i++) {
    atomic.store<u64>(wordOfPage(load<u32>(listAt + PAGE_LIST_HEADER + (i << 2))), 0);
  }
}

@inline
function pageGauge(pool: u32): u32 {
  return pool == POOL_SMALL ? H_PAGE_BYTES_SMALL : H_PAGE_BYTES_MAIN;
}

/** Weighs the pages of a list that entered the table in an item of `pool`. */
@inline
export function weighPages(listAt: u32, pool: u32): void {
  atomic.add<u64>(pageGauge(pool), u64(pagesFor(load<u32>(listAt))) << pageShift);
}

/**
 * Notes that the listed pages belong to an item in the table and no longer to the lane that took
 * them. Called by whoever put the item there, or put another with the same list in its place; a
 * page that was retired in the meantime stays so.
 */
export function ownPages(listAt: u32): void {
  const pages = pagesFor(load<u32>(listAt));
  for (let i: u32 = 0; i < pages; i++) {
    const at = wordOfPage(load<u32>(listAt + PAGE_LIST_HEADER + (i << 2)));
    const word = atomic.load<u64>(at);
    if (word >> PAGE_STATE_SHIFT != PAGE_TAKEN) continue;
    atomic.cmpxchg<u64>(at, word, PAGE_OWNED << PAGE_STATE_SHIFT);
  }
}

/**
 * Retires the pages of a list that has left the table. Who takes a dead lane over may do the same
 * at the same time; each page is counted once.
 */
export function retirePages(listAt: u32, pool: u32): void {
  const word = (PAGE_RETIRED << PAGE_STATE_SHIFT) | advance();
  const pages = pagesFor(load<u32>(listAt));
  let retired: u32 = 0;
  for (let i: u32 = 0; i < pages; i++) {
    const at = wordOfPage(load<u32>(listAt + PAGE_LIST_HEADER + (i << 2)));
    if (atomic.xchg<u64>(at, word) >> PAGE_STATE_SHIFT != PAGE_RETIRED) retired++;
  }
  atomic.sub<u64>(pageGauge(pool), u64(retired) << pageShift);
}

/** Whether two lists are of the same pages: a page is in one list, and in copies of it. */
@inline
export function listSamePages(listAt: u32, otherAt: u32): bool {
  return load<u32>(listAt + PAGE_LIST_HEADER) == load<u32>(otherAt + PAGE_LIST_HEADER);
}

/** Moves the weight of a list from one pool to another, if that is another. */
export function movePages(listAt: u32, from: u32, to: u32): void {
  if (from == to) return;
  const bytes = u64(pagesFor(load<u32>(listAt))) << pageShift;
  atomic.sub<u64>(pageGauge(from), bytes);
  atomic.add<u64>(pageGauge(to), bytes);
}

/** Bytes of pages that items of `pool` list. */
@inline
export function pooledPageBytes(pool: u32): u64 {
  return atomic.load<u64>(pageGauge(pool));
}

/** Copies a value of `length` bytes from `from` into the listed pages. */
export function fillPages(listAt: u32, from: u32, length: u32): void {
  let page = listAt + PAGE_LIST_HEADER;
  for (let done: u32 = 0; done < length; done += pageBytes) {
    memory.copy(load<u32>(page), from + done, min<u32>(pageBytes, length - done));
    page += 4;
  }
}

/** Copies the value of the list at `listAt` to `to`. */
export function readPages(listAt: u32, to: u32): void {
  const length = load<u32>(listAt);
  let page = listAt + PAGE_LIST_HEADER;
  for (let done: u32 = 0; done < length; done += pageBytes) {
    memory.copy(to + done, load<u32>(page), min<u32>(pageBytes, length - done));
    page += 4;
  }
}

/**
 * Gives segments of pages that are all free back; returns how many. Closing competes with takers:
 * the segment leaves PAGES first, every page is then swapped to free, and one that was taken in
 * between sends the segment back.
 */
export function closeIdlePageSegments(): u32 {
  const safe = safeBefore();
  let closed: u32 = 0;
  for (let segment: u32 = 0; segment < segments; segment++) {
    const header = segmentHeader(segment);
    const word = segmentWord(header);
    if (wordState(word) == SEGMENT_PAGES && isIdle(segment, safe)) {
      if (closePages(segment, header, word, safe)) closed++;
    }
  }
  return closed;
}

/** Pages of the segments there are that are free, or will be once the epochs have moved on. */
export function freePages(): u32 {
  let free: u32 = 0;
  for (let segment: u32 = 0; segment < segments; segment++) {
    if (wordState(segmentWord(segmentHeader(segment))) != SEGMENT_PAGES) continue;
    const words = wordsOf(segment);
    for (let page: u32 = 0; page < PAGES_PER_SEGMENT; page++) {
      const word = atomic.load<u64>(words + page * 8);
      if (word == 0 || word >> PAGE_STATE_SHIFT == PAGE_RETIRED) free++;
    }
  }
  return free;
}

function isIdle(segment: u32, safe: u64): bool {
  const words = wordsOf(segment);
  for (let page: u32 = 0; page < PAGES_PER_SEGMENT; page++) {
    if (!isFreePage(atomic.load<u64>(words + page * 8), safe)) return false;
  }
  return true;
}

function closePages(segment: u32, header: u32, word: u64, safe: u64): bool {
  if (!swapWord(header, word, wordOf(SEGMENT_CLEANING, lane, POOL_MAIN, 0))) return false;
  const words = wordsOf(segment);
  for (let page: u32 = 0; page < PAGES_PER_SEGMENT; page++) {
    const at = words + page * 8;
    const was = atomic.load<u64>(at);
    if (!isFreePage(was, safe) || atomic.cmpxchg<u64>(at, was, 0) != was) {
      atomic.store<u64>(header, word);
      return false;
    }
  }
  retireSegment(header);
  return true;
}

/** Whether the item of a dead lane came into the table; one that is still pending never will. */
function isPublished(item: u32): bool {
  if (!findItem(hashOfItem(item), item)) return false;
  if (isTentative(foundEntry)) {
    if (itemState(item) == STATE_PENDING) settle(item, STATE_DEAD);
    settledEntry(foundAt, foundEntry);
  }
  return itemState(item) == STATE_LIVE;
}

/** Settles the pages that lane `n`, now dead, had taken. */
export function recoverPages(n: u32): void {
  for (let segment: u32 = 0; segment < segments; segment++) {
    const words = wordsOf(segment);
    for (let page: u32 = 0; page < PAGES_PER_SEGMENT; page++) {
      const at = words + page * 8;
      const word = atomic.load<u64>(at);
      if (word >> PAGE_STATE_SHIFT != PAGE_TAKEN || (u32(word >> 32) & 0xff) != n) continue;
      const item = u32(word & 0x7fffffff) << 1;
      const settled = isPublished(item) ? PAGE_OWNED << PAGE_STATE_SHIFT : 0;
      atomic.cmpxchg<u64>(at, word, settled);
    }
  }
}

/** The length of a paged item's value. */
@inline
export function pagedLength(item: u32): u32 {
  assert(itemInlineLength(item) >= PAGE_LIST_HEADER);
  return load<u32>(itemInlineAt(item));
}
