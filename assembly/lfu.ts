/**
 * LFU with ageing, as Redis has it: an eight-bit counter that grows with the logarithm of the hits
 * (p = 1 / ((v - 5) * 10 + 1)), starts at 5 so that a new item has a chance, and is lowered by one
 * a period. The lowest of a sample of five and a pool of sixteen goes (`sample.ts`).
 *
 * Redis notes in each item when it was lowered last. Here a hand goes round the table once a period
 * of ten requests per item and lowers what it meets: no bits for it, and the same on the average.
 */
import { BUCKET_BYTES, H_LFU_HAND, tableAt, tableBuckets } from "./layout";
import { ENTRY_BYTES, entriesEnd, entryItem, isTentative, loadEntry, nextLine } from "./table";
import { ITEM_RANK } from "./item";
import { chance } from "./chance";
import { countItems } from "./counters";

export const LFU_SAMPLE: u32 = 5;
/** The counter of a new item. */
export const LFU_BEGIN: u32 = 5;
const LFU_FACTOR: u32 = 10;
const PERIOD_PER_ITEM: u64 = 10;
/** Buckets whose items are lowered in one go at most. */
const BUCKETS_MAX: u32 = 64;

/** Buckets the hand owes, times the length of a period. */
let owed: u64 = 0;

/** The counter after one more hit. */
export function lfuAfterHit(rank: u32): u32 {
  if (rank == 255) return rank;
  const over = rank > LFU_BEGIN ? rank - LFU_BEGIN : 0;
  const odds = over * LFU_FACTOR + 1;
  return odds == 1 || u64(chance()) * odds < u64(1) << 32 ? rank + 1 : rank;
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

/** Lowers the counters of a bucket's items. */
function lowerBucket(n: u32): void {
  const home = tableAt + n * BUCKET_BYTES;
  let line = home;
  do {
    const end = entriesEnd(line);
    for (let at = line; at < end; at += ENTRY_BYTES) {
      const entry = loadEntry(at);
      if (entry == 0 || isTentative(entry)) continue;
      const item = entryItem(entry);
      const rank = load<u8>(item, ITEM_RANK);
      if (rank > 0) store<u8>(item, rank - 1, ITEM_RANK);
    }
    line = nextLine(line, home);
  } while (line);
}
