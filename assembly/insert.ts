/**
 * Inserting a key that has no entry, so that it never stands twice and nobody waits.
 *
 * The obvious way, a compare-and-swap of a free entry, lets two threads put the same key into two
 * free entries. FASTER's way (SIGMOD'18) marks the entry tentative, looks again, and takes it back
 * when it meets another tentative entry of the key; two threads can do that to each other for ever.
 *
 * Here the item, not the entry, decides. It is complete and *pending* when its tentative entry is
 * swapped in. Then the chain is read again:
 *   - a live entry of the key: this one is aborted, and the write goes over that one;
 *   - another pending one further on: it is aborted;
 *   - another pending one before: this one is aborted, and that one is helped to its end;
 *   - nothing: it is committed, unless the floor has reached its version meanwhile.
 * Commit and abort are one compare-and-swap on the item's state, so of all the threads that help
 * exactly one decides and nothing is applied twice. Entries never change place, so "before" is the
 * same for all. `test/model/spin` holds a model of this that is checked exhaustively.
 *
 * A chain without room grows by an overflow bucket, or gives up an item: see `chain.ts`.
 */
import {
  BUCKET_LINK, ENTRY_BYTES, ENTRY_TAG_SHIFT, ENTRY_TENTATIVE, bucketOf, entryItem, entryOf, freeAt,
  isTentative, loadEntry, matchesIn, overflowOf, swapEntry, tagOf,
} from "./table";
import {
  ITEM_MERGED, STATE_DEAD, STATE_LIVE, STATE_PENDING, itemBytes, itemFlags, itemHasKey, itemKeyAt,
  itemKeyLength, itemState, itemVersion, segmentOfItem, settle,
} from "./item";
import { addDead } from "./segment";
import { entered } from "./entry";
import { evictFromChain, mayGrow } from "./chain";
import { clearVersion, floorVersion, readClearVersion } from "./version";
import { growChain } from "./overflow";
import { itemRank } from "./policy";

/** What `resolve` is deciding about: an item and its entry. */
let current: u32 = 0;
let currentAt: u32 = 0;

const SCAN_CLEAR: u32 = 0;
const SCAN_AGAIN: u32 = 1;
const SCAN_LOST: u32 = 2;

/**
 * Puts the complete, pending `item` into its chain. True when it was committed; false when another
 * item of the key won, and the caller looks again.
 */
export function insertItem(hash: u64, item: u32): bool {
  const word = entryOf(hash, item) | ENTRY_TENTATIVE;
  const rank = itemRank(item);
  const at = place(hash, word);
  current = item;
  currentAt = at;
  do {
    resolve(hash);
    current = item;
    currentAt = at;
  } while (itemState(item) == STATE_PENDING);
  if (itemState(item) == STATE_LIVE) {
    swapEntry(at, word, word & ~ENTRY_TENTATIVE);
    entered(item, rank);
    return true;
  }
  swapEntry(at, word, 0);
  addDead(segmentOfItem(item), itemBytes(item));
  return false;
}

/** Swaps `word` into an empty entry, the one just seen if it still is; returns where. */
function place(hash: u64, word: u64): u32 {
  const seen = freeAt;
  if (seen != 0 && swapEntry(seen, 0, word)) return seen;
  const home = bucketOf(hash);
  while (true) {
    const at = placeIn(home, word);
    if (at != 0) return at;
    if (!mayGrow() || !growChain(home)) evictFromChain(home);
  }
}

/** Swaps `word` into an empty entry of the chain that begins at `home`; returns where, or 0. */
function placeIn(home: u32, word: u64): u32 {
  let bucket = home;
  do {
    const end = bucket + BUCKET_LINK;
    for (let at = bucket; at < end; at += ENTRY_BYTES) {
      if (loadEntry(at) == 0 && swapEntry(at, 0, word)) return at;
    }
    bucket = overflowOf(bucket);
  } while (bucket);
  return 0;
}

/** Decides about `current`, and about whichever earlier item stands in its way. */
function resolve(hash: u64): void {
  while (itemState(current) == STATE_PENDING) {
    const seen = scanRivals(hash);
    if (seen == SCAN_LOST) return;
    if (seen == SCAN_AGAIN) continue;
    if (isOutdated(hash, current)) {
      settle(current, STATE_DEAD);
      return;
    }
    settle(current, STATE_LIVE);
  }
  const word = entryOf(hash, current);
  if (itemState(current) == STATE_LIVE) swapEntry(currentAt, word | ENTRY_TENTATIVE, word);
}

/**
 * Whether a removal or a clear has reached the version of `item` since it took it. The clear is
 * read anew for whoever then tries again: below the one the group began with it would never end.
 */
function isOutdated(hash: u64, item: u32): bool {
  const version = itemVersion(item);
  readClearVersion();
  if (version <= clearVersion) return true;
  return (itemFlags(item) & ITEM_MERGED) == 0 && floorVersion(hash) >= version;
}

/**
 * Reads the chain once for other entries of `current`'s key. Of two threads that insert the same
 * key each has swapped its entry in before it reads, so at least one must see the other's: what
 * `tagsOf` loads plainly may not be older than the swap. The atomic load in between sees to that;
 * no load passes it, and it does not pass the swap.
 */
function scanRivals(hash: u64): u32 {
  const tag = tagOf(hash);
  const keyAt = itemKeyAt(current);
  const keyLength = itemKeyLength(current);
  let bucket = bucketOf(hash);
  let before = true;
  loadEntry(currentAt);
  do {
    for (let left = matchesIn(bucket, tag); left != 0; left &= left - 1) {
      const at = bucket + ctz(left) * ENTRY_BYTES;
      if (at == currentAt) {
        before = false;
        continue;
      }
      const entry = loadEntry(at);
      if (entry == 0 || entry >> ENTRY_TAG_SHIFT != tag) continue;
      if (!itemHasKey(entryItem(entry), keyAt, keyLength)) continue;
      const seen = meet(at, entry, before);
      if (seen != SCAN_CLEAR) return seen;
    }
    bucket = overflowOf(bucket);
  } while (bucket);
  return SCAN_CLEAR;
}

/** Settles `current` against a rival entry. */
function meet(at: u32, entry: u64, before: bool): u32 {
  const rival = entryItem(entry);
  const state = isTentative(entry) ? itemState(rival) : STATE_LIVE;
  if (state == STATE_LIVE) {
    settle(current, STATE_DEAD);
    return SCAN_LOST;
  }
  if (state == STATE_DEAD) {
    swapEntry(at, entry, 0);
    return SCAN_CLEAR;
  }
  if (before) {
    settle(current, STATE_DEAD);
    current = rival;
    currentAt = at;
    return SCAN_AGAIN;
  }
  return settle(rival, STATE_DEAD) ? SCAN_CLEAR : SCAN_AGAIN;
}
