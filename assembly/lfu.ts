/**
 * LFU with ageing, as Redis has it: a counter that grows with the logarithm of the hits
 * (p = 1 / ((v - 5) * 10 + 1)), starts at 5 so that a new item has a chance, and is lowered by one
 * for each period in which the item was not asked for. The lowest of a sample of five and a pool of
 * sixteen goes (`sample.ts`).
 *
 * Redis notes in each item when it was used last, two bytes in minutes. Here a hand goes round the
 * table twice a period, about ten requests for each item, and two bits say how often it has still
 * to come by before an item that is not used again loses a point.
 *
 *   rank   7         2 1     0
 *          +----------+-------+
 *          | counter  | spare |    63 is some 17 000 hits: beyond it the order is of no interest
 *          +----------+-------+
 */
import { BUCKET_BYTES, H_LFU_HAND, tableAt, tableBuckets } from "./layout";
import {
  BUCKET_LINK, ENTRY_BYTES, entryItem, isOfOtherBucket, isTentative, loadEntry, overflowOf,
} from "./table";
import { ITEM_RANK } from "./item";
import { chance } from "./chance";
import { countHeld } from "./stub";

export const LFU_SAMPLE: u32 = 5;
const SPARE_MASK: u32 = 3;
/** Visits of the hand that a use is good for, and that lie between two points after that. */
const SPARE_USED: u32 = 2;
const SPARE_LOST: u32 = 1;
const COUNTER_SHIFT: u32 = 2;
const COUNTER_BEGIN: u32 = 5;
const COUNTER_MAX: u32 = 63;
/** The rank of a new item. */
export const LFU_BEGIN: u32 = (5 << 2) | 2;
const LFU_FACTOR: u32 = 10;
/** Requests for each item in which the hand goes round, in tenths. */
const ROUND_PER_ITEM_TENTHS: u64 = 47;
/** Buckets whose items are lowered in one go at most. */
const BUCKETS_MAX: u32 = 64;

/** Buckets the hand owes, times the length of its round. */
let owed: u64 = 0;

/** The rank after one more hit. */
export function lfuAfterHit(rank: u32): u32 {
  const counter = lfuCounter(rank);
  const over = counter > COUNTER_BEGIN ? counter - COUNTER_BEGIN : 0;
  const odds = over * LFU_FACTOR + 1;
  const grows = counter < COUNTER_MAX && (odds == 1 || u64(chance()) * odds < u64(1) << 32);
  return ((counter + u32(grows)) << COUNTER_SHIFT) | SPARE_USED;
}

/** The counter in a rank. */
@inline
export function lfuCounter(rank: u32): u32 {
  return rank >> COUNTER_SHIFT;
}

/** Counts a hit. */
@inline
export function lfuHit(item: u32): void {
  const rank = u32(load<u8>(item, ITEM_RANK));
  const after = lfuAfterHit(rank);
  if (after != rank) store<u8>(item, u8(after), ITEM_RANK);
}

@inline
function withPointLost(rank: u32): u32 {
  return rank == 0 ? 0 : rank - (1 << COUNTER_SHIFT) + SPARE_LOST;
}

/** Lets time pass: so many requests were served. */
export function lfuPass(requests: u32): void {
  const round = ROUND_PER_ITEM_TENTHS * max<u64>(countHeld(), 1) / 10;
  owed += u64(requests) * tableBuckets;
  for (let n: u32 = 0; n < BUCKETS_MAX && owed >= round; n++) {
    owed -= round;
    lowerBucket(atomic.add<u32>(H_LFU_HAND, 1) % tableBuckets);
  }
  if (owed > round * tableBuckets) owed = 0;
}

/**
 * Lowers the counters of those of a bucket's items that were not used. An overflow bucket may
 * hold items of other buckets, whose turn comes with those.
 */
function lowerBucket(n: u32): void {
  const home = tableAt + n * BUCKET_BYTES;
  let bucket = home;
  do {
    const end = bucket + BUCKET_LINK;
    for (let at = bucket; at < end; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      const item = entryItem(entry);
      if (isOfOtherBucket(item, bucket, home)) continue;
      const rank = u32(load<u8>(item, ITEM_RANK));
      const after = rank & SPARE_MASK ? rank - 1 : withPointLost(rank);
      if (after != rank) store<u8>(item, u8(after), ITEM_RANK);
    }
    bucket = overflowOf(bucket);
  } while (bucket);
}
