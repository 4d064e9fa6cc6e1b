/**
 * The table: from a key's hash to its item.
 *
 *   bucket, 128 bytes: two cache lines               overflow line, 64 bytes
 *   +---+---+-- --+---+   +---+-- --+----+------+    +---+---+-- --+---+------+
 *   | 0 | 1 | ... | 7 |   | 8 | ... | 14 | link |    | 0 | 1 | ... | 6 | link |
 *   +---+---+-- --+---+   +---+-- --+----+------+    +---+---+-- --+---+------+
 *   even line             odd line
 *
 *   entry, 64 bits
 *   63      48 47      33  32  31 30            0
 *   +---------+----------+----+---+---------------+
 *   |   tag   |  unused  |tent| 0 |   item >> 1   |
 *   +---------+----------+----+---+---------------+
 *
 * An entry of 0 is empty. The tag is 16 bits of the hash, so that a line is searched without
 * touching items that are not meant. `tent` marks an entry whose item may still be pending
 * (`insert.ts`); readers count it only when its item is live.
 *
 * A key has a home line, one of its bucket's two, and is sought there first, then in the other,
 * then in the overflow lines. Two lines side by side are fetched at little more than the price of
 * one, and fifteen places that share their luck are used better than seven: four fifths of them
 * without an overflow line in most buckets.
 *
 * The link is the offset of an overflow line, or 0. A chain grows in front: a fresh line leads to
 * those there were. Lines are never unlinked and an entry never changes place, so a chain can be
 * walked while it grows, a scan can name a place in it (what it has still to see only moves further
 * away), and the first of two pending entries of a key is the first for everyone.
 *
 *   bucket 8 --> line D --> line B --.
 *   bucket 9 ---------------> line C -+-> line A     A was bucket 8's first, and 9 shared it
 *
 * The few entries that do not fit a bucket at the usual load would leave a line of its own almost
 * empty. So the first line of a bucket is one that a neighbour has, if that has room.
 */
import {
  BUCKET_BYTES, H_LINES, H_LINE_BUMP, LINE_BYTES, L_SPARE_LINE, laneAt, segmentBytes, segments,
  tableAt, tableBuckets, tableEnd,
} from "./layout";
import { failsOnPurpose } from "./failing";
import { ITEM_ALIGN, STATE_DEAD, STATE_LIVE, itemHasKey, itemState } from "./item";
import { hashOfItem } from "./hash";
import { matches, tagsOf } from "./line";
import { POOL_MAIN, SEGMENT_LINES, claimSegment, retireSegment, segmentBase } from "./segment";

export const ENTRIES_PER_BUCKET: u32 = 15;
export const ENTRIES_PER_LINE: u32 = 7;
export const BUCKET_LINK: u32 = 120;
export const LINE_LINK: u32 = 56;
export const ENTRY_BYTES: u32 = 8;
const BUCKET_SHIFT: u32 = 7;
/** The bit of the hash that picks the home line; beside the tag's. */
const HOME_BIT: u32 = 1 << 16;
const HOME_SHIFT: u32 = 10;
export const ENTRY_TAG_SHIFT: u64 = 48;
export const ENTRY_TENTATIVE: u64 = 1 << 32;
export const ENTRY_POINTER_MASK: u64 = 0x7fffffff;
export const ENTRY_POINTER_SHIFT: u64 = 1;
/** Buckets that share their first overflow lines. */
const GROUP_BUCKETS: u32 = 32;
const GROUP_BYTES: u32 = GROUP_BUCKETS * BUCKET_BYTES;
/** Overflow lines may take one segment in this many. */
export const LINES_SHARE: u32 = 4;
/** Free segments that a new segment of lines leaves to items. */
export const LINES_RESERVE: u32 = 2;

/** Where the last `find` found its key, and what stood there. */
export let foundAt: u32 = 0;
export let foundEntry: u64 = 0;
/** The first empty entry the last `findForWrite` saw, or 0. */
export let freeAt: u32 = 0;

/**
 * The key's home line: the upper half of its hash picks the bucket, a bit of the lower the line.
 */
@inline
export function lineOf(hash: u64): u32 {
  return bucketOf(hash) + ((u32(hash) & HOME_BIT) >> HOME_SHIFT);
}

/** The first base line of the key's bucket. */
@inline
export function bucketOf(hash: u64): u32 {
  return tableAt + (u32(((hash >> 32) * u64(tableBuckets)) >> 32) << BUCKET_SHIFT);
}

@inline
export function tagOf(hash: u64): u64 {
  return hash & 0xffff;
}

@inline
export function entryOf(hash: u64, item: u32): u64 {
  assert(item % ITEM_ALIGN == 0);
  return (hash << ENTRY_TAG_SHIFT) | u64(item >> 1);
}

@inline
export function entryItem(entry: u64): u32 {
  return u32(entry & ENTRY_POINTER_MASK) << 1;
}

@inline
export function isTentative(entry: u64): bool {
  return (entry & ENTRY_TENTATIVE) != 0;
}

@inline
export function loadEntry(at: u32): u64 {
  return atomic.load<u64>(at);
}

@inline
export function swapEntry(at: u32, from: u64, to: u64): bool {
  return atomic.cmpxchg<u64>(at, from, to) == from;
}

@inline
function isBaseLine(line: u32): bool {
  return line < tableEnd;
}

/** Where the entries of a line end. */
@inline
export function entriesEnd(line: u32): u32 {
  return isBaseLine(line) && (line & LINE_BYTES) == 0 ? line + LINE_BYTES : line + LINE_LINK;
}

/** A bit for each word of a line that is an entry. */
@inline
function entriesOf(line: u32): u32 {
  return isBaseLine(line) && (line & LINE_BYTES) == 0 ? 0xff : 0x7f;
}

/** Where the link behind a line of the chain is. */
@inline
function linkOf(line: u32): u32 {
  return isBaseLine(line) ? (line & ~LINE_BYTES) + BUCKET_LINK : line + LINE_LINK;
}

/**
 * The line that follows `line` in the chain that begins at the base line `home`, or 0: the bucket's
 * other line, then the overflow lines.
 */
@inline
export function nextLine(line: u32, home: u32): u32 {
  return line == home ? home ^ LINE_BYTES : u32(atomic.load<u64>(linkOf(line)));
}

/**
 * Whether an item found in `line` is of another bucket than the chain it was found in, which begins
 * at `home`: buckets share overflow lines.
 */
@inline
export function isOfOtherBucket(item: u32, line: u32, home: u32): bool {
  return (line ^ home) > LINE_BYTES && bucketOf(hashOfItem(item)) != home;
}

/**
 * Whether an entry counts: not tentative, or tentative over a live item. Clears the tentative bit
 * or the entry on the way, as anyone may. Returns what stands there now, 0 when it does not count.
 */
export function settledEntry(at: u32, entry: u64): u64 {
  const state = itemState(entryItem(entry));
  if (state == STATE_LIVE) {
    swapEntry(at, entry, entry & ~ENTRY_TENTATIVE);
    return loadEntry(at);
  }
  if (state == STATE_DEAD) swapEntry(at, entry, 0);
  return 0;
}

/** A bit for each entry of a line whose tag is `tag`; plain loads, see `line.ts`. */
@inline
export function matchesIn(line: u32, tag: u64): u32 {
  return matches(tagsOf(line), tag) & entriesOf(line);
}

/** Where the entry of the key in work may be, 0 = nowhere in particular. */
let seenAt: u32 = 0;

/** Tells where an entry that may be that of the key in work was seen. */
@inline
export function seeAt(at: u32): void {
  seenAt = at;
}

/**
 * Looks a key up where an entry with its tag was seen: as `find`, but only there. Wherever a live
 * item of the key stands, it is the one.
 */
@inline
export function findSeen(hash: u64, keyAt: u32, keyLength: u32): bool {
  const at = seenAt;
  if (at == 0) return false;
  const entry = loadEntry(at);
  if (entry >> ENTRY_TAG_SHIFT != tagOf(hash) || entry == 0 || isTentative(entry)) return false;
  if (!itemHasKey(entryItem(entry), keyAt, keyLength)) return false;
  foundAt = at;
  foundEntry = entry;
  return true;
}

/** Looks a key up; on success `foundAt` and `foundEntry` say where. Waits for nobody. */
export function find(hash: u64, keyAt: u32, keyLength: u32): bool {
  const tag = tagOf(hash);
  const home = lineOf(hash);
  let line = home;
  do {
    if (findInLine(line, matches(tagsOf(line), tag), tag, keyAt, keyLength)) return true;
    line = nextLine(line, home);
  } while (line);
  return false;
}

/** Looks a key up among those words of a line whose tags matched. */
@inline
function findInLine(line: u32, matched: u32, tag: u64, keyAt: u32, keyLength: u32): bool {
  for (let left = matched & entriesOf(line); left != 0; left &= left - 1) {
    const at = line + ctz(left) * ENTRY_BYTES;
    const entry = loadEntry(at);
    if (entry >> ENTRY_TAG_SHIFT != tag || entry == 0) continue;
    if (isFound(at, entry, keyAt, keyLength)) return true;
  }
  return false;
}

/** Whether an entry whose tag fits is the key's; notes it. */
@inline
function isFound(at: u32, entry: u64, keyAt: u32, keyLength: u32): bool {
  if (!itemHasKey(entryItem(entry), keyAt, keyLength)) return false;
  if (isTentative(entry)) {
    entry = settledEntry(at, entry);
    if (entry == 0 || isTentative(entry)) return false;
    if (!itemHasKey(entryItem(entry), keyAt, keyLength)) return false;
  }
  foundAt = at;
  foundEntry = entry;
  return true;
}

/**
 * Looks a key up for a write: as `find`, and `freeAt` says where the first empty entry was seen, or
 * is 0.
 */
export function findForWrite(hash: u64, keyAt: u32, keyLength: u32): bool {
  const tag = tagOf(hash);
  const home = lineOf(hash);
  let line = home;
  freeAt = 0;
  do {
    const tags = tagsOf(line);
    if (findInLine(line, matches(tags, tag), tag, keyAt, keyLength)) return true;
    if (freeAt == 0) freeAt = freeInLine(line, matches(tags, 0));
    line = nextLine(line, home);
  } while (line);
  return false;
}

/** The first empty entry among those words of a line whose tags are 0, or 0. */
@inline
function freeInLine(line: u32, matched: u32): u32 {
  for (let left = matched & entriesOf(line); left != 0; left &= left - 1) {
    const at = line + ctz(left) * ENTRY_BYTES;
    if (loadEntry(at) == 0) return at;
  }
  return 0;
}

/** Looks up the entry that points at `item`; on success `foundAt` and `foundEntry` say where. */
export function findItem(hash: u64, item: u32): bool {
  const wanted = entryOf(hash, item);
  const tag = tagOf(hash);
  const home = lineOf(hash);
  let line = home;
  do {
    for (let left = matchesIn(line, tag); left != 0; left &= left - 1) {
      const at = line + ctz(left) * ENTRY_BYTES;
      const entry = loadEntry(at);
      if ((entry & ~ENTRY_TENTATIVE) != wanted) continue;
      foundAt = at;
      foundEntry = entry;
      return true;
    }
    line = nextLine(line, home);
  } while (line);
  return false;
}

/** The first overflow line of a bucket, named by either of its base lines, or 0. */
@inline
export function overflowOf(line: u32): u32 {
  return u32(atomic.load<u64>(linkOf(line)));
}

/** The first entry of a line whose tag fits, or 0: where a lookup would look next. */
@inline
export function candidateAt(line: u32, hash: u64): u32 {
  const tag = tagOf(hash);
  for (let left = matchesIn(line, tag); left != 0; left &= left - 1) {
    const at = line + ctz(left) * ENTRY_BYTES;
    if (tag != 0 || loadEntry(at) != 0) return at;
  }
  return 0;
}

/**
 * A fresh overflow line, or 0 when they have had their share. The lines come from whole segments;
 * the place in the newest one is a word of its header's offset above the bytes used.
 */
export function newLine(): u32 {
  if (failsOnPurpose()) return 0;
  while (true) {
    const word = atomic.load<u64>(H_LINE_BUMP);
    const used = u32(word);
    if (word != 0 && used + LINE_BYTES <= segmentBytes) {
      if (atomic.cmpxchg<u64>(H_LINE_BUMP, word, word + LINE_BYTES) != word) continue;
      const line = segmentBase(u32(word >> 32)) + used;
      memory.fill(line, 0, LINE_BYTES);
      atomic.add<u64>(H_LINES, 1);
      return line;
    }
    if (!growLines(word)) return 0;
  }
}

/** Overflow lines there are. */
@inline
export function overflowLines(): u64 {
  return atomic.load<u64>(H_LINES);
}

/** Puts a fresh segment in the place of a full one; true when anybody did. */
function growLines(full: u64): bool {
  const bytes = atomic.load<u64>(H_LINES) * LINE_BYTES;
  if (bytes >= u64(segments / LINES_SHARE) * segmentBytes) return false;
  const header = claimSegment(SEGMENT_LINES, POOL_MAIN, 0, LINES_RESERVE);
  if (header == 0) return atomic.load<u64>(H_LINE_BUMP) != full;
  if (atomic.cmpxchg<u64>(H_LINE_BUMP, full, u64(header) << 32) == full) return true;
  retireSegment(header);
  return true;
}

/**
 * Gives the chain that begins at the base line `home` another line, in front of its overflow lines;
 * false when none is to be had. A bucket's first is a neighbour's, if one of those has room.
 */
export function growChain(home: u32): bool {
  const at = linkOf(home);
  const first = atomic.load<u64>(at);
  if (first == 0) {
    const shared = neighboursLine(home);
    if (shared != 0) {
      atomic.cmpxchg<u64>(at, 0, u64(shared));
      return true;
    }
  }
  let fresh = load<u32>(laneAt, L_SPARE_LINE);
  if (fresh == 0) fresh = newLine();
  if (fresh == 0) return atomic.load<u64>(at) != first;
  atomic.store<u64>(fresh, first, LINE_LINK);
  const won = atomic.cmpxchg<u64>(at, first, u64(fresh)) == first;
  store<u32>(laneAt, won ? 0 : fresh, L_SPARE_LINE);
  return true;
}

/** The first overflow line of a bucket near by that has room for more than one entry, or 0. */
function neighboursLine(home: u32): u32 {
  const from = (home - tableAt) / GROUP_BYTES * GROUP_BYTES + tableAt;
  const to = min<u32>(from + GROUP_BYTES, tableEnd);
  for (let bucket = from; bucket < to; bucket += BUCKET_BYTES) {
    const line = overflowOf(bucket);
    if (line != 0 && popcnt(matchesIn(line, 0)) > 1) return line;
  }
  return 0;
}
