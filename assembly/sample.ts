/**
 * Eviction by rank: looks at a few items at random and evicts the one with the lowest standing,
 * among those and the best that earlier samples left over (Redis, `evict.c`: a small sample with a
 * pool of sixteen comes close to the exact order). Nobody keeps a list, so a hit costs one byte and
 * threads do not meet.
 *
 *   candidate, 16 bytes   0 entry u64 | 8 where it stands u32 | 12 its item's standing u32
 *
 * A candidate may have changed since: it is evicted only if its entry is still the same and its
 * item stands no higher than it did.
 */
import { BUCKET_BYTES, L_BATCH, L_CANDIDATES, laneAt, tableAt, tableBuckets } from "./layout";
import { COUNTER_EVICTED_POLICY, count } from "./counters";
import { ENTRY_BYTES, entriesEnd, entryItem, isTentative, loadEntry, nextLine } from "./table";
import { ITEM_TOMBSTONE, itemBytes, itemFlags, itemVersion } from "./item";
import { isCleared, isExpired, poolOfItem, removeEnded, removeEntry } from "./entry";
import { itemRank, onEvicted, sampleSize, standing } from "./policy";
import { chanceBelow } from "./chance";
import { hashOfItem } from "./hash";

export const CANDIDATES: u32 = 16;
export const CANDIDATE_BYTES: u32 = 16;
const CANDIDATE_AT: u32 = 8;
const CANDIDATE_STANDING: u32 = 12;
/** Entries of one chain that a sample considers at most. */
const CHAIN_MAX: u32 = 256;
/** Chains a sample may look at, and samples that are taken for one eviction. */
const CHAINS_MAX: u32 = 256;
const SAMPLES_MAX: u32 = 16;

/** Candidates this lane has. */
let candidates: u32 = 0;
/** Where the touching loop leaves what it loads, so that it is loaded. */
let sink: u64 = 0;

@inline
function candidateAt(n: u32): u32 {
  return laneAt + L_CANDIDATES + n * CANDIDATE_BYTES;
}

/** Forgets the candidates there are. */
export function resetCandidates(): void {
  candidates = 0;
}

/** Evicts one item; returns the bytes it took in its segment, 0 when none was found. */
export function evictSampled(): u32 {
  for (let tries: u32 = 0; tries < SAMPLES_MAX; tries++) {
    const ended = sample();
    if (ended != 0) return ended;
    while (candidates > 0) {
      const bytes = evictCandidate(lowest());
      if (bytes != 0) return bytes;
    }
  }
  return 0;
}

/** Takes a sample; returns the bytes of an item it removed because its time was up, or 0. */
function sample(): u32 {
  const wanted = sampleSize();
  let seen: u32 = 0;
  let ended: u32 = 0;
  for (let n: u32 = 0; n < CHAINS_MAX && seen < wanted; n++) {
    const found = gather(tableAt + chanceBelow(tableBuckets) * BUCKET_BYTES);
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
  let line = home;
  do {
    const end = entriesEnd(line);
    for (let at = line; at < end && n < CHAIN_MAX; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      seen += load<u64>(entryItem(entry));
      store<u32>(laneAt + L_BATCH + (n++ << 2), at);
    }
    line = nextLine(line, home);
  } while (line);
  sink = seen;
  return n;
}

/** Makes an entry a candidate if it is better than another; bytes of its item if it was over. */
function consider(at: u32): u32 {
  const entry = loadEntry(at);
  if (entry == 0 || isTentative(entry)) return 0;
  const item = entryItem(entry);
  if (isExpired(item) || isCleared(item)) {
    return removeEnded(at, entry, hashOfItem(item)) ? itemBytes(item) : 0;
  }
  if (itemFlags(item) & ITEM_TOMBSTONE) return 0;
  const stands = standing(item);
  if (isCandidate(at)) return 0;
  if (candidates == CANDIDATES) {
    const worst = highest();
    if (load<u32>(worst, CANDIDATE_STANDING) <= stands) return 0;
    dropCandidate(worst);
  }
  const slot = candidateAt(candidates++);
  store<u64>(slot, entry);
  store<u32>(slot, at, CANDIDATE_AT);
  store<u32>(slot, stands, CANDIDATE_STANDING);
  return 0;
}

function isCandidate(at: u32): bool {
  for (let n: u32 = 0; n < candidates; n++) {
    if (load<u32>(candidateAt(n), CANDIDATE_AT) == at) return true;
  }
  return false;
}

/** Takes a candidate out; the others keep their order, so that of equals the first goes first. */
function dropCandidate(slot: u32): void {
  const next = slot + CANDIDATE_BYTES;
  memory.copy(slot, next, candidateAt(candidates--) - next);
}

function highest(): u32 {
  let slot = candidateAt(0);
  for (let n: u32 = 1; n < candidates; n++) {
    const other = candidateAt(n);
    if (load<u32>(other, CANDIDATE_STANDING) > load<u32>(slot, CANDIDATE_STANDING)) slot = other;
  }
  return slot;
}

function lowest(): u32 {
  let slot = candidateAt(0);
  for (let n: u32 = 1; n < candidates; n++) {
    const other = candidateAt(n);
    if (load<u32>(other, CANDIDATE_STANDING) < load<u32>(slot, CANDIDATE_STANDING)) slot = other;
  }
  return slot;
}

/** Takes a candidate from the pool and evicts it; 0 when it has changed. */
function evictCandidate(slot: u32): u32 {
  const entry = load<u64>(slot);
  const at = load<u32>(slot, CANDIDATE_AT);
  const stood = load<u32>(slot, CANDIDATE_STANDING);
  dropCandidate(slot);
  if (loadEntry(at) != entry) return 0;
  const item = entryItem(entry);
  if (standing(item) > stood) return 0;
  const hash = hashOfItem(item);
  const pool = poolOfItem(item);
  const rank = itemRank(item);
  const bytes = itemBytes(item);
  if (!removeEntry(at, entry, hash, itemVersion(item))) return 0;
  count(COUNTER_EVICTED_POLICY);
  onEvicted(hash, pool, rank);
  return bytes;
}
