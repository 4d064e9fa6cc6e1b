/**
 * The sweep: removes what has expired, so that it does not take memory until it is evicted. The
 * host sweeps all the time, a pass in some seconds. Where memory is short and written faster than
 * that, the lanes sweep in passing, in proportion to what they write, and more when they find
 * something. The host leaves tombstones where there are peers (`lapse.ts`); who is short of memory
 * does not.
 */
import {
  BUCKET_BYTES, H_SWEEP_CURSOR, LINES_PER_BUCKET, policy, segmentBytes, segments, tableAt,
  tableBuckets,
} from "./layout";
import { BUCKET_LINK, ENTRY_BYTES, entryItem, isTentative, loadEntry, overflowOf } from "./table";
import { isCleared, isExpired, removeEnded, removeEntry } from "./entry";
import { pin, unpin } from "./epoch";
import { readClearVersion, setClock } from "./version";
import { bury, isLapsed } from "./lapse";
import { itemVersion } from "./item";
import { POLICY_SIEVE } from "./policy";
import { hashOfItem } from "./hash";

/** Buckets whose items are touched together. */
const BLOCK_BUCKETS: u32 = 8;

/** Blocks a lane sweeps at once in passing. */
const BLOCKS_MAX: u32 = 32;
/** Passes over the table in the time in which the memory is written once, in eighths. */
const PASSES_EAGER: u64 = 40;
const PASSES_LAZY: u64 = 2;
const PASS_EIGHTHS: u64 = 8;
/** One expired item in so many buckets makes a lane eager. */
const EAGER_BUCKETS: u32 = 16;

let sink: u64 = 0;
/** What this lane owes: blocks times the bytes of the store. */
let owed: u64 = 0;
let eager: bool = false;

/**
 * Sweeps the next `lines` base lines with their chains, at the host's clock `now` (Unix ms);
 * returns how many items it removed. The place is shared, so that any lane may take the next turn.
 */
export function sweep(now: f64, lines: u32): u32 {
  setClock(u64(now));
  const blocks = (tableBuckets + BLOCK_BUCKETS - 1) / BLOCK_BUCKETS;
  let removed: u32 = 0;
  for (let done: u32 = 0; done < lines; done += BLOCK_BUCKETS * LINES_PER_BUCKET) {
    pin();
    readClearVersion();
    removed += sweepBlock(blocks, true);
  }
  unpin();
  return removed;
}

/**
 * Sweeps the next of so many blocks; returns how many items it removed or put tombstones in place
 * of, if it `buries`.
 */
function sweepBlock(blocks: u32, buries: bool): u32 {
  const from = atomic.add<u32>(H_SWEEP_CURSOR, 1) % blocks * BLOCK_BUCKETS;
  const to = min<u32>(from + BLOCK_BUCKETS, tableBuckets);
  let removed: u32 = 0;
  touchItems(from, to);
  for (let n = from; n < to; n++) removed += sweepChain(tableAt + n * BUCKET_BYTES, buries);
  return removed;
}

/** Sweeps in proportion to what was allocated; the caller is announced. */
export function sweepInPassing(allocated: u32): void {
  const blocks = (tableBuckets + BLOCK_BUCKETS - 1) / BLOCK_BUCKETS;
  const whole = u64(segments) * segmentBytes * PASS_EIGHTHS;
  owed += u64(allocated) * blocks * (eager ? PASSES_EAGER : PASSES_LAZY);
  if (owed < whole) return;
  let swept: u32 = 0;
  let removed: u32 = 0;
  for (; owed >= whole && swept < BLOCKS_MAX; swept++) {
    owed -= whole;
    removed += sweepBlock(blocks, false);
  }
  eager = removed * EAGER_BUCKETS > swept * BLOCK_BUCKETS;
  owed = min<u64>(owed, whole);
}

function touchItems(from: u32, to: u32): void {
  const end = tableAt + to * BUCKET_BYTES;
  let seen: u64 = 0;
  for (let at = tableAt + from * BUCKET_BYTES; at < end; at += ENTRY_BYTES) {
    // A link is touched like an item: what it leads to is wanted as well.
    const entry = loadEntry(at);
    const isLink = (at & (BUCKET_BYTES - 1)) == BUCKET_LINK;
    if (entry != 0) seen += load<u64>(isLink ? u32(entry) : entryItem(entry));
  }
  sink = seen;
}

function sweepChain(home: u32, buries: bool): u32 {
  let removed: u32 = 0;
  let bucket = home;
  do {
    const end = bucket + BUCKET_LINK;
    for (let at = bucket; at < end; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      const item = entryItem(entry);
      if (!isExpired(item) && !isCleared(item)) {
        if (!buries && givesUp(at, entry, item)) removed++;
        continue;
      }
      const hash = hashOfItem(item);
      const buried = buries && !isCleared(item) && bury(at, entry, hash, item);
      if (buried || removeEnded(at, entry, hash)) removed++;
    }
    bucket = overflowOf(bucket);
  } while (bucket);
  return removed;
}

/**
 * Whether a tombstone went because memory is short: the hand of SIEVE does not come to what is old
 * as long as it finds enough that is new.
 */
@inline
function givesUp(at: u32, entry: u64, item: u32): bool {
  return policy == POLICY_SIEVE && isLapsed(item)
    && removeEntry(at, entry, hashOfItem(item), itemVersion(item));
}

/** How many base lines there are to sweep. */
export function sweepLines(): u32 {
  return tableBuckets * LINES_PER_BUCKET;
}
