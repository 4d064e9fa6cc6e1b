/**
 * The table: from a key's hash to its item.
 *
 *   bucket, 128 bytes: two cache lines
 *   +---+---+-- --+---+   +---+-- --+----+------+
 *   | 0 | 1 | ... | 7 |   | 8 | ... | 14 | link |
 *   +---+---+-- --+---+   +---+-- --+----+------+
 *   even line             odd line
 *
 *   entry, 64 bits
 *   63      48 47      33  32  31 30            0
 *   +---------+----------+----+---+---------------+
 *   |   tag   |  unused  |tent| 0 |   item >> 1   |
 *   +---------+----------+----+---+---------------+
 *
 * An entry of 0 is empty. The tag is 16 bits of the hash, so that a bucket is searched without
 * touching items that are not meant. `tent` marks an entry whose item may still be pending
 * (`insert.ts`); readers count it only when its item is live.
 *
 * Two lines side by side are fetched at little more than the price of one and searched at a stroke,
 * and fifteen places that share their luck are used better than seven: four fifths of them without
 * an overflow bucket behind most.
 *
 * The link is the offset of an overflow bucket, or 0. A chain grows in front: a fresh bucket leads
 * to those there were. Buckets are never unlinked and an entry never changes place, so a chain can
 * be walked while it grows, a scan can name a place in it (what it has still to see only moves
 * further away), and the first of two pending entries of a key is the first for everyone.
 *
 *   bucket 8 --> overflow D --> overflow B --.
 *   bucket 9 -------------------> overflow C -+-> overflow A     A was 8's first, and 9 shared it
 *
 * The few entries that do not fit a bucket at the usual load would leave one of its own almost
 * empty. So the first behind a bucket is one that a neighbour has, if that has room.
 */
import { LINE_BYTES, tableAt, tableBuckets } from "./layout";
import { ITEM_ALIGN, STATE_DEAD, STATE_LIVE, itemHasKey, itemState } from "./item";
import { hashOfItem } from "./hash";
import { matches, tagsOf } from "./line";

export const ENTRIES_PER_BUCKET: u32 = 15;
export const BUCKET_LINK: u32 = 120;
export const ENTRY_BYTES: u32 = 8;
const BUCKET_SHIFT: u32 = 7;
export const ENTRY_TAG_SHIFT: u64 = 48;
export const ENTRY_TENTATIVE: u64 = 1 << 32;
export const ENTRY_POINTER_MASK: u64 = 0x7fffffff;
export const ENTRY_POINTER_SHIFT: u64 = 1;
/** Where the last `find` found its key, and what stood there. */
export let foundAt: u32 = 0;
export let foundEntry: u64 = 0;
/** The first empty entry the last `findForWrite` saw, or 0. */
export let freeAt: u32 = 0;

/** The key's bucket: the upper half of its hash picks it. */
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

/** The overflow bucket behind a bucket, or 0. */
@inline
export function overflowOf(bucket: u32): u32 {
  return u32(atomic.load<u64>(bucket + BUCKET_LINK));
}

/**
 * Whether an item found in `bucket` is of another one than that whose chain it was found in,
 * `home`: buckets share overflow buckets.
 */
@inline
export function isOfOtherBucket(item: u32, bucket: u32, home: u32): bool {
  return bucket != home && bucketOf(hashOfItem(item)) != home;
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

/** A bit for each entry of a bucket whose tag is `tag`; plain loads, see `line.ts`. */
@inline
export function matchesIn(bucket: u32, tag: u64): u32 {
  return matches(tagsOf(bucket), tagsOf(bucket + LINE_BYTES), tag);
}

/** Where the entry of the key in work may be, 0 = nowhere in particular. */
let seenAt: u32 = 0;
/** An empty entry of its chain, if the whole of that was seen not to have the key; else 0. */
let seenFree: u32 = 0;

/**
 * Tells where an entry that may be that of the key in work was seen; and if there was none in the
 * whole chain, an empty entry of that.
 */
@inline
export function seeAt(at: u32, free: u32): void {
  seenAt = at;
  seenFree = free;
}

/**
 * Whether the key in work was seen to have no entry, a moment ago; then `freeAt` is an empty one,
 * if it still is. Good for an insert, which looks for rivals before it is committed, and for
 * nothing else: the key may have come since, from the very group of requests.
 */
@inline
export function seemsAbsent(): bool {
  freeAt = seenFree;
  return seenFree != 0;
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
  let bucket = bucketOf(hash);
  do {
    if (findAmong(bucket, matchesIn(bucket, tag), tag, keyAt, keyLength)) return true;
    bucket = overflowOf(bucket);
  } while (bucket);
  return false;
}

/** Looks a key up among those entries of a bucket whose tags matched. */
@inline
function findAmong(bucket: u32, matched: u32, tag: u64, keyAt: u32, keyLength: u32): bool {
  for (let left = matched; left != 0; left &= left - 1) {
    const at = bucket + ctz(left) * ENTRY_BYTES;
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
  let bucket = bucketOf(hash);
  freeAt = 0;
  do {
    const even = tagsOf(bucket);
    const odd = tagsOf(bucket + LINE_BYTES);
    if (findAmong(bucket, matches(even, odd, tag), tag, keyAt, keyLength)) return true;
    if (freeAt == 0) freeAt = freeAmong(bucket, matches(even, odd, 0));
    bucket = overflowOf(bucket);
  } while (bucket);
  return false;
}

/** The first empty entry among those of a bucket whose tags are 0, or 0. */
@inline
function freeAmong(bucket: u32, matched: u32): u32 {
  for (let left = matched; left != 0; left &= left - 1) {
    const at = bucket + ctz(left) * ENTRY_BYTES;
    if (loadEntry(at) == 0) return at;
  }
  return 0;
}

/** An entry of a bucket that looks empty, or 0; who takes it for empty swaps it from 0. */
@inline
export function emptyIn(bucket: u32): u32 {
  const left = matchesIn(bucket, 0);
  return left != 0 ? bucket + ctz(left) * ENTRY_BYTES : 0;
}

/** Looks up the entry that points at `item`; on success `foundAt` and `foundEntry` say where. */
export function findItem(hash: u64, item: u32): bool {
  const wanted = entryOf(hash, item);
  const tag = tagOf(hash);
  let bucket = bucketOf(hash);
  do {
    for (let left = matchesIn(bucket, tag); left != 0; left &= left - 1) {
      const at = bucket + ctz(left) * ENTRY_BYTES;
      const entry = loadEntry(at);
      if ((entry & ~ENTRY_TENTATIVE) != wanted) continue;
      foundAt = at;
      foundEntry = entry;
      return true;
    }
    bucket = overflowOf(bucket);
  } while (bucket);
  return false;
}

/** The first entry of a bucket whose tag fits, or 0: where a lookup would look next. */
@inline
export function candidateIn(bucket: u32, hash: u64): u32 {
  const tag = tagOf(hash);
  for (let left = matchesIn(bucket, tag); left != 0; left &= left - 1) {
    const at = bucket + ctz(left) * ENTRY_BYTES;
    if (tag != 0 || loadEntry(at) != 0) return at;
  }
  return 0;
}
