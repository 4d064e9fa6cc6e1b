/**
 * LFU with ageing, as Redis has it: a counter that grows with the logarithm of the hits
 * (p = 1 / ((v - 5) * 10 + 1)), starts at 5 so that a new item has a chance, and is lowered by one
 * for each period in which the item was not asked for. The lowest of a sample of ten and a pool of
 * sixteen goes (`sample.ts`).
 *
 * Redis notes in each item when it was used last, two bytes in minutes. Here a hand goes round the
 * table once a period, about ten requests for each item, and one bit says whether an item was used
 * since the hand came by: then it only loses the bit, else a point.
 *
 *   rank   7           1    0
 *          +------------+------+
 *          |  counter   | used |     127 is some 75 000 hits: beyond it the order is of no interest
 *          +------------+------+
 */
import { BUCKET_BYTES, H_LFU_HAND, tableAt, tableBuckets } from "./layout";
import { ENTRY_BYTES, entriesEnd, entryItem, isTentative, loadEntry, nextLine } from "./table";
import { ITEM_RANK } from "./item";
import { chance } from "./chance";
import { countItems } from "./counters";

export const LFU_SAMPLE: u32 = 10;
const USED: u32 = 1;
const COUNTER_SHIFT: u32 = 1;
const COUNTER_BEGIN: u32 = 5;
const COUNTER_MAX: u32 = 127;
/** The rank of a new item. */
export const LFU_BEGIN: u32 = (5 << 1) | 1;
const LFU_FACTOR: u32 = 10;
const PERIOD_PER_ITEM: u64 = 7;
/** Buckets whose items are lowered in one go at most. */
const BUCKETS_MAX: u32 = 64;

/** Buckets the hand owes, times the length of a period. */
let owed: u64 = 0;

/** The rank after one more hit. */
export function lfuAfterHit(rank: u32): u32 {
  const counter = lfuCounter(rank);
  const over = counter > COUNTER_BEGIN ? counter - COUNTER_BEGIN : 0;
  const odds = over * LFU_FACTOR + 1;
  const grows = counter < COUNTER_MAX && (odds == 1 || u64(chance()) * odds < u64(1) << 32);
  return ((counter + u32(grows)) << COUNTER_SHIFT) | USED;
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

/** Lets time pass: so many requests were served. */
export function lfuPass(requests: u32): void {
  const period = PERIOD_PER_ITEM * max<u64>(countItems(), 1);
  owed += u64(requests) * tableBuckets;
  for (let n: u32 = 0; n < BUCKETS_MAX && owed >= period; n++) {
    owed -= period;
    lowerBucket(atomic.add<u32>(H_LFU_HAND, 1) % tableBuckets);
  }
  if (owed > period * tableBuckets) owed = 0;
}

/** Lowers the counters of those of a bucket's items that were not used. */
function lowerBucket(n: u32): void {
  const home = tableAt + n * BUCKET_BYTES;
  let line = home;
  do {
    const end = entriesEnd(line);
    for (let at = line; at < end; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      const item = entryItem(entry);
      const rank = u32(load<u8>(item, ITEM_RANK));
      const point = min<u32>(lfuCounter(rank), 1) << COUNTER_SHIFT;
      const after = rank & USED ? rank - USED : rank - point;
      if (after != rank) store<u8>(item, u8(after), ITEM_RANK);
    }
    line = nextLine(line, home);
  } while (line);
}
