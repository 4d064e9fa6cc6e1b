/**
 * Eviction by rank: looks at a few items at random and evicts the one with the lowest standing,
 * among those and the best that earlier samples left over (Redis, `evict.c`: a small sample with a
 * pool of sixteen comes close to the exact order). Nobody keeps a list, so a hit costs one byte and
 * threads do not meet.
 */
import { BUCKET_BYTES, L_BATCH, laneAt, tableAt, tableBuckets, tierLeast } from "./layout";
import { COUNTER_EVICTED_POLICY, count } from "./counters";
import { BUCKET_LINK, ENTRY_BYTES, entryItem, isTentative, loadEntry, overflowOf } from "./table";
import { ITEM_TOMBSTONE, itemBytes, itemFlags, itemVersion } from "./item";
import { candidatePool, itemRank, onEvicted, sampleSize, standing } from "./policy";
import {
  NO_POOL, candidateAt, candidateEntry, candidateStanding, dropCandidate, lowestCandidate, offer,
} from "./candidates";
import { isCleared, isExpired, poolOfItem, removeEnded, removeEntry } from "./entry";
import { isStub, letGo } from "./stub";
import { chanceBelow } from "./chance";
import { hashOfItem } from "./hash";
import { isLapsed } from "./lapse";

/** Entries of one chain that a sample considers at most. */
const CHAIN_MAX: u32 = 256;
/** Chains a sample may look at, and samples that are taken for one eviction. */
const CHAINS_MAX: u32 = 256;
const SAMPLES_MAX: u32 = 16;

/** Where the touching loop leaves what it loads, so that it is loaded. */
let sink: u64 = 0;

/** Evicts one item; returns the bytes it took in its segment, 0 when none was found. */
export function evictSampled(): u32 {
  for (let tries: u32 = 0; tries < SAMPLES_MAX; tries++) {
    const ended = sample();
    if (ended != 0) return ended;
    for (let slot = lowestOf(0); slot != 0; slot = lowestOf(0)) {
      const bytes = evictCandidate(0, slot);
      if (bytes != 0) return bytes;
    }
  }
  return 0;
}

/** Takes a sample; returns the bytes of items it removed because their time was up. */
export function sample(): u32 {
  const wanted = sampleSize();
  let seen: u32 = 0;
  let ended: u32 = 0;
  for (let n: u32 = 0; n < CHAINS_MAX && seen < wanted; n++) {
    const found = withoutStubs(gather(tableAt + chanceBelow(tableBuckets) * BUCKET_BYTES));
    if (found == 0) continue;
    const from = chanceBelow(found);
    const most = min<u32>(found, wanted - seen);
    for (let i: u32 = 0; i < most; i++) {
      ended += consider(load<u32>(laneAt + L_BATCH + ((from + i) % found << 2)));
    }
    seen += most;
  }
  return ended;
}

/** Notes where the entries of a chain stand and touches their items; returns how many. */
function gather(home: u32): u32 {
  let n: u32 = 0;
  let seen: u64 = 0;
  let bucket = home;
  do {
    const end = bucket + BUCKET_LINK;
    for (let at = bucket; at < end && n < CHAIN_MAX; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      seen += load<u64>(entryItem(entry));
      store<u32>(laneAt + L_BATCH + (n++ << 2), at);
    }
    bucket = overflowOf(bucket);
  } while (bucket);
  sink = seen;
  return n;
}

/** Takes the stubs out of what was gathered: nobody evicts them by rank. How many are left. */
function withoutStubs(gathered: u32): u32 {
  if (tierLeast == 0) return gathered;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < gathered; i++) {
    const at = load<u32>(laneAt + L_BATCH + (i << 2));
    const entry = loadEntry(at);
    if (entry == 0 || isTentative(entry) || isStub(entryItem(entry))) continue;
    store<u32>(laneAt + L_BATCH + (kept++ << 2), at);
  }
  return kept;
}

/** Offers an entry to its pool; returns the bytes of its item if that was over and removed. */
function consider(at: u32): u32 {
  const entry = loadEntry(at);
  if (entry == 0 || isTentative(entry)) return 0;
  const item = entryItem(entry);
  if (isExpired(item) || isCleared(item)) {
    return removeEnded(at, entry, hashOfItem(item)) ? itemBytes(item) : 0;
  }
  if (isLapsed(item)) {
    return removeEntry(at, entry, hashOfItem(item), itemVersion(item)) ? itemBytes(item) : 0;
  }
  const pool = candidatePool(item);
  if (pool == NO_POOL || (itemFlags(item) & ITEM_TOMBSTONE) != 0) return 0;
  offer(pool, at, entry, standing(item));
  return 0;
}

/**
 * The candidate of a pool that stands lowest and is still what it was, or 0. Its item may have
 * changed again before the caller looks.
 */
export function lowestOf(pool: u32): u32 {
  let slot = lowestCandidate(pool);
  while (slot != 0 && !isAsBefore(slot)) {
    dropCandidate(pool, slot);
    slot = lowestCandidate(pool);
  }
  return slot;
}

/** Whether a candidate's entry is the same and its item stands no higher. */
@inline
function isAsBefore(slot: u32): bool {
  const entry = candidateEntry(slot);
  if (loadEntry(candidateAt(slot)) != entry) return false;
  return standing(entryItem(entry)) <= candidateStanding(slot);
}

/** Takes a candidate from its pool and evicts it; bytes of its item, 0 when it has changed. */
export function evictCandidate(pool: u32, slot: u32): u32 {
  const entry = candidateEntry(slot);
  const at = candidateAt(slot);
  dropCandidate(pool, slot);
  return evictEntry(at, entry);
}

/** Evicts the item of an entry; its bytes, 0 when the entry has changed. */
export function evictEntry(at: u32, entry: u64): u32 {
  const item = entryItem(entry);
  const hash = hashOfItem(item);
  const pool = poolOfItem(item);
  const rank = itemRank(item);
  const bytes = itemBytes(item);
  if (!letGo(at, entry, hash, item)) return 0;
  count(COUNTER_EVICTED_POLICY);
  onEvicted(hash, pool, rank);
  return bytes;
}
