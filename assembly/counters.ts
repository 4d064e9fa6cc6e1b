/**
 * Counters: each lane adds to its own with plain stores and anybody sums them, so that counting
 * never contends.
 */
import { L_COUNTERS, laneAt, laneBlock, lanes } from "./layout";

/** A verb has three: done, absent, failed. The verbs are in the order of `permit.ts`. */
export const COUNTER_GET_OK: u32 = 0;
export const COUNTER_GET_MISS: u32 = 1;
export const COUNTER_GET_ERROR: u32 = 2;
export const COUNTER_SET_OK: u32 = 3;
export const COUNTER_SET_MISS: u32 = 4;
export const COUNTER_SET_ERROR: u32 = 5;
export const COUNTER_DELETE_OK: u32 = 6;
export const COUNTER_DELETE_MISS: u32 = 7;
export const COUNTER_DELETE_ERROR: u32 = 8;
export const COUNTER_TOUCH_OK: u32 = 9;
export const COUNTER_TOUCH_MISS: u32 = 10;
export const COUNTER_TOUCH_ERROR: u32 = 11;
export const COUNTER_INCR_OK: u32 = 12;
export const COUNTER_INCR_MISS: u32 = 13;
export const COUNTER_INCR_ERROR: u32 = 14;
export const COUNTER_MERGE_OK: u32 = 15;
export const COUNTER_MERGE_MISS: u32 = 16;
export const COUNTER_MERGE_ERROR: u32 = 17;
export const COUNTER_SCAN_OK: u32 = 18;
export const COUNTER_SCAN_MISS: u32 = 19;
export const COUNTER_SCAN_ERROR: u32 = 20;
export const COUNTER_CLEAR_OK: u32 = 21;
export const COUNTER_CLEAR_MISS: u32 = 22;
export const COUNTER_CLEAR_ERROR: u32 = 23;
export const COUNTER_PING_OK: u32 = 24;
export const COUNTER_PING_MISS: u32 = 25;
export const COUNTER_PING_ERROR: u32 = 26;
export const COUNTER_UNKNOWN: u32 = 27;
export const COUNTER_EVICTED_POLICY: u32 = 28;
export const COUNTER_EVICTED_CHAIN: u32 = 29;
export const COUNTER_EVICTED_FORCED: u32 = 30;
export const COUNTER_EXPIRED: u32 = 31;
export const COUNTER_CLEARED: u32 = 32;
export const COUNTER_ITEMS_ADDED: u32 = 33;
export const COUNTER_ITEMS_REMOVED: u32 = 34;
export const COUNTER_BYTES_ADDED: u32 = 35;
export const COUNTER_BYTES_REMOVED: u32 = 36;
export const COUNTER_BUSY: u32 = 37;
export const COUNTER_SEGMENTS_RECLAIMED: u32 = 38;
export const COUNTER_MOVED: u32 = 39;
export const COUNTER_COMPACTED: u32 = 40;
export const COUNTER_FEED_RECORDS: u32 = 41;
export const COUNTER_FEED_DEFERRED: u32 = 42;
export const COUNTER_DEFERRED: u32 = 43;
/** Stubs there were (`stub.ts`), with the bytes of their records on disk. */
export const COUNTER_STUBS_ADDED: u32 = 44;
export const COUNTER_STUBS_REMOVED: u32 = 45;
export const COUNTER_STUB_BYTES_ADDED: u32 = 46;
export const COUNTER_STUB_BYTES_REMOVED: u32 = 47;
/** Evictions that left a stub; reads and other requests that wanted its value; what came of it. */
export const COUNTER_TIER_LEFT: u32 = 48;
export const COUNTER_TIER_ASKED: u32 = 49;
export const COUNTER_TIER_HELD: u32 = 50;
export const COUNTER_TIER_PROMOTED: u32 = 51;
export const COUNTER_TIER_DROPPED: u32 = 52;
/** Tombstones, which are counted as items, too. */
export const COUNTER_TOMBSTONES_ADDED: u32 = 53;
export const COUNTER_TOMBSTONES_REMOVED: u32 = 54;
export const COUNTERS: u32 = 55;

@inline
export function count(counter: u32): void {
  const at = laneAt + (counter << 3);
  store<u64>(at, load<u64>(at, L_COUNTERS) + 1, L_COUNTERS);
}

@inline
export function countBy(counter: u32, n: u64): void {
  const at = laneAt + (counter << 3);
  store<u64>(at, load<u64>(at, L_COUNTERS) + n, L_COUNTERS);
}

/** About how much there is: what all lanes counted under `added` less that under `removed`. */
export function countLeft(added: u32, removed: u32): u64 {
  let left: i64 = 0;
  for (let n: u32 = 0; n < lanes; n++) {
    const block = laneBlock(n) + L_COUNTERS;
    left += i64(atomic.load<u64>(block + (added << 3)));
    left -= i64(atomic.load<u64>(block + (removed << 3)));
  }
  return u64(max<i64>(left, 0));
}

/** About how many items there are that are no tombstones. */
export function countLiving(): u64 {
  const items = countItems();
  const buried = countLeft(COUNTER_TOMBSTONES_ADDED, COUNTER_TOMBSTONES_REMOVED);
  return items > buried ? items - buried : 0;
}

/** About how many items there are, tombstones included. */
export function countItems(): u64 {
  return countLeft(COUNTER_ITEMS_ADDED, COUNTER_ITEMS_REMOVED);
}
