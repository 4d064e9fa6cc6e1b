/** Room for one more item in an arena that bounds their number. */
import { countLiving } from "./counters";
import { evictNext } from "./cleaner";
import { itemsMax } from "./layout";
import { evictByRank, ordersByRank } from "./policy";

/** Items that are evicted for one new item at most, so that a write stays bounded. */
const EVICTIONS_MAX: u32 = 64;

/** Evicts until one more item is allowed, tombstones aside, or nothing can be evicted. */
export function makeRoom(): void {
  for (let n: u32 = 0; n < EVICTIONS_MAX && countLiving() >= itemsMax; n++) {
    if (ordersByRank() ? evictByRank() == 0 : !evictNext()) return;
  }
}
