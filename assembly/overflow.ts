/**
 * Overflow buckets: where they come from, and how a chain gets another one. `table.ts` says what
 * a chain is.
 */
import {
  BUCKET_BYTES, H_OVERFLOWS, H_OVERFLOW_BUMP, L_SPARE_BUCKET, laneAt, segmentBytes, segments,
  tableAt, tableEnd,
} from "./layout";
import { failsOnPurpose } from "./failing";
import { BUCKET_LINK, matchesIn, overflowOf } from "./table";
import { POOL_MAIN, SEGMENT_LINES, claimSegment, retireSegment, segmentBase } from "./segment";

/** Buckets that share their first overflow buckets, and empty entries one must have for it. */
const GROUP_BUCKETS: u32 = 32;
const GROUP_BYTES: u32 = GROUP_BUCKETS * BUCKET_BYTES;
const SHARED_FREE: u32 = 7;
/** Overflow buckets may take one segment in this many. */
export const LINES_SHARE: u32 = 4;
/** Free segments that a new segment of lines leaves to items. */
export const LINES_RESERVE: u32 = 2;

/**
 * A fresh overflow bucket, or 0 when they have had their share. They come from whole segments; the
 * place in the newest one is a word of its header's offset above the bytes used.
 */
export function newOverflow(): u32 {
  if (failsOnPurpose()) return 0;
  while (true) {
    const word = atomic.load<u64>(H_OVERFLOW_BUMP);
    const used = u32(word);
    if (word != 0 && used + BUCKET_BYTES <= segmentBytes) {
      if (atomic.cmpxchg<u64>(H_OVERFLOW_BUMP, word, word + BUCKET_BYTES) != word) continue;
      const bucket = segmentBase(u32(word >> 32)) + used;
      memory.fill(bucket, 0, BUCKET_BYTES);
      atomic.add<u64>(H_OVERFLOWS, 1);
      return bucket;
    }
    if (!growOverflow(word)) return 0;
  }
}

/** Overflow buckets there are. */
@inline
export function overflows(): u64 {
  return atomic.load<u64>(H_OVERFLOWS);
}

/** Puts a fresh segment in the place of a full one; true when anybody did. */
function growOverflow(full: u64): bool {
  const bytes = overflows() * BUCKET_BYTES;
  if (bytes >= u64(segments / LINES_SHARE) * segmentBytes) return false;
  const header = claimSegment(SEGMENT_LINES, POOL_MAIN, 0, LINES_RESERVE);
  if (header == 0) return atomic.load<u64>(H_OVERFLOW_BUMP) != full;
  if (atomic.cmpxchg<u64>(H_OVERFLOW_BUMP, full, u64(header) << 32) == full) return true;
  retireSegment(header);
  return true;
}

/**
 * Gives the chain that begins at the bucket `home` another bucket, in front of its overflow
 * buckets; false when none is to be had. The first is a neighbour's, if one of those has room.
 */
export function growChain(home: u32): bool {
  const at = home + BUCKET_LINK;
  const first = atomic.load<u64>(at);
  if (first == 0) {
    const shared = neighboursOverflow(home);
    if (shared != 0) {
      atomic.cmpxchg<u64>(at, 0, u64(shared));
      return true;
    }
  }
  let fresh = load<u32>(laneAt, L_SPARE_BUCKET);
  if (fresh == 0) fresh = newOverflow();
  if (fresh == 0) return atomic.load<u64>(at) != first;
  atomic.store<u64>(fresh, first, BUCKET_LINK);
  const won = atomic.cmpxchg<u64>(at, first, u64(fresh)) == first;
  store<u32>(laneAt, won ? 0 : fresh, L_SPARE_BUCKET);
  return true;
}

/** The first overflow bucket of a bucket near by that has room for others, or 0. */
function neighboursOverflow(home: u32): u32 {
  const from = (home - tableAt) / GROUP_BYTES * GROUP_BYTES + tableAt;
  const to = min<u32>(from + GROUP_BYTES, tableEnd);
  for (let bucket = from; bucket < to; bucket += BUCKET_BYTES) {
    const over = overflowOf(bucket);
    if (over == 0) continue;
    if (popcnt(matchesIn(over, 0)) >= SHARED_FREE) return over;
  }
  return 0;
}
