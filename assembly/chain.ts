/**
 * A chain without room. While nothing living has to go it grows by an overflow bucket. In a full
 * arena that would never end: every chain is long at some time, buckets stay, and the table would
 * eat the store at half its load. So there a chain grows only while the table as a whole is well
 * used, and else gives up the item that would have gone next: as a chain holds items of all ages,
 * its oldest is nearly the oldest of all, and hardly any request notices.
 */
import {
  BUCKET_LINK, ENTRIES_PER_BUCKET, ENTRY_BYTES, entryItem, isTentative, loadEntry, overflowOf,
  settledEntry,
} from "./table";
import { COUNTER_EVICTED_CHAIN, count, countItems } from "./counters";
import { ITEM_TOMBSTONE, itemFlags, itemVersion, segmentOfItem } from "./item";
import { isPressed, segmentWord, wordPool, wordStamp } from "./segment";
import { isAlive, removeEntry } from "./entry";
import { itemRank, onEvicted, standing } from "./policy";
import { hashOfItem } from "./hash";
import { isLapsed } from "./lapse";
import { overflows } from "./overflow";
import { tableBuckets } from "./layout";

/** In a full arena the table grows while more than this share of its entries is in use. */
const LOAD_PERCENT: u64 = 40;
const ORDER_TOMBSTONE: u64 = u64.MAX_VALUE;
const ORDER_RANK_SHIFT: u64 = 48;

/** Whether a chain may get another bucket. */
export function mayGrow(): bool {
  if (!isPressed()) return true;
  const entries = (u64(tableBuckets) + overflows()) * ENTRIES_PER_BUCKET;
  return countItems() * 100 >= entries * LOAD_PERCENT;
}

/** Where an item stands among those to give up, lowest first: ended, then by rank, then by age. */
function orderOf(item: u32): u64 {
  if (itemFlags(item) & ITEM_TOMBSTONE) return isLapsed(item) ? 0 : ORDER_TOMBSTONE;
  if (!isAlive(item)) return 0;
  return (u64(standing(item)) << ORDER_RANK_SHIFT) + ageOf(item);
}

/** The age of the segment an item lies in; the item itself is not touched. */
@inline
function ageOf(item: u32): u64 {
  return wordStamp(segmentWord(segmentOfItem(item)));
}

/** The entry to give up, and where it stands; none when `victimAt` is 0. */
let victim: u64 = 0;
let victimAt: u32 = 0;

/**
 * Chooses an entry of the chain: the oldest, by the ages of segments alone, or the lowest in full
 * order, which touches every item.
 */
function chooseVictim(home: u32, fully: bool): void {
  let bucket = home;
  let least: u64 = 0;
  victimAt = 0;
  do {
    const end = bucket + BUCKET_LINK;
    for (let at = bucket; at < end; at += ENTRY_BYTES) {
      let entry = loadEntry(at);
      if (entry != 0 && isTentative(entry)) entry = settledEntry(at, entry);
      if (entry == 0 || isTentative(entry)) continue;
      const order = fully ? orderOf(entryItem(entry)) : ageOf(entryItem(entry));
      if (victimAt != 0 && order >= least) continue;
      victimAt = at;
      victim = entry;
      least = order;
    }
    bucket = overflowOf(bucket);
  } while (bucket);
}

/** Empties an entry of the chain that begins at the bucket `home`. */
export function evictFromChain(home: u32): void {
  chooseVictim(home, false);
  const first = victimAt != 0 ? orderOf(entryItem(victim)) : 0;
  if (first >> ORDER_RANK_SHIFT != 0) chooseVictim(home, true);
  if (victimAt == 0) return;
  const item = entryItem(victim);
  const hash = hashOfItem(item);
  const pool = wordPool(segmentWord(segmentOfItem(item)));
  const alive = isAlive(item);
  const rank = itemRank(item);
  if (!removeEntry(victimAt, victim, hash, itemVersion(item))) return;
  count(COUNTER_EVICTED_CHAIN);
  if (alive) onEvicted(hash, pool, rank);
}
