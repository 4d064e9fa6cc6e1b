/**
 * The ghost: a memory of what was evicted from the small pool, so that a key that comes back soon
 * goes straight to the main one (S3-FIFO, SOSP'23). Without it the policy is worse than LRU.
 *
 * A list of evicted keys would cost more than it earns. This keeps two bytes for each, in buckets
 * of four that are one 64-bit word. Each entry is stored for itself and plainly, and two buckets
 * are swept by one store: a lost race loses a memory or two, which a cache does not notice, while
 * a compare-and-swap would make every eviction wait until all its stores are in the cache:
 *
 *   entry   15           4 3     0
 *           +-------------+-------+
 *           | fingerprint | stamp |    0 is empty; a fingerprint is never 0
 *           +-------------+-------+
 *
 *   clock   63         32 31               0     shape   63          32 31         0
 *           +------------+-----------------+             +-------------+------------+
 *           | period     | entries so far  |             | buckets     | quantum    |
 *           +------------+-----------------+             +-------------+------------+
 *
 * The stamp is the period an entry was made in, modulo 16; a period is `quantum` entries long and
 * an entry is remembered for LIVE_PERIODS of them. Before a stamp comes round again the entries
 * that bear it must be gone: each new entry also sweeps some buckets at a hand that goes round the
 * table in the three periods that an entry lies dead.
 *
 * The window is nine tenths of the items there are. Buckets beyond what that needs are left out, so
 * that sweeping stays cheap when items are few and large. Where they are many and small, the ghost
 * takes segments for good, as the table does: what does not fit the first buckets lies there.
 *
 *   bucket n     n < first: at ghostAt          else: in a segment of the list
 */
import {
  GHOST_SEGMENTS_MAX, H_GHOST_CLOCK, H_GHOST_GROWN, H_GHOST_HAND, H_GHOST_SEGMENTS, H_GHOST_SHAPE,
  ghostAt, ghostBuckets, policy, segmentBytes, segmentShift, segments,
} from "./layout";
import { POLICY_S3FIFO } from "./policy";
import { POOL_MAIN, SEGMENT_LINES, claimSegment, retireSegment, segmentBase } from "./segment";

export const GHOST_ENTRY_BITS: u32 = 16;
const ENTRY_SHIFT: u32 = 1;
export const GHOST_ENTRIES_PER_BUCKET: u32 = 4;
export const GHOST_STAMP_MASK: u32 = 15;
export const GHOST_LIVE_PERIODS: u32 = 12;
/** Buckets swept for each new entry: the whole table within three periods. */
const SWEEP_PER_ENTRY: u32 = 2;
const BUCKETS_MIN: u32 = 16;
const BUCKET_SHIFT: u32 = 3;
/** The ghost may take one segment in so many; of tiny items it remembers a part. */
const SEGMENTS_SHARE: u32 = 12;
/** Free segments it leaves to items when it takes one. */
const SEGMENTS_RESERVE: u32 = 2;
/** It forgets everything when its buckets change, so they do when this part of them is missing. */
const BUCKETS_SLACK: u32 = 32;
/** What a lane takes from the shared clock and hand at once; a multiple of SWEEP_PER_ENTRY. */
const BATCH_MAX: u32 = 64;

/** Entries this lane has made and not told the clock, and its part of the sweep. */
let untold: u32 = 0;
let hand: u32 = 0;
let handLeft: u32 = 0;

@inline
function fingerprint(hash: u64): u32 {
  const bits = u32(hash >> 8) & 0xfff;
  return bits == 0 ? 1 : bits;
}

@inline
function bucketOf(hash: u64, buckets: u32): u32 {
  return bucketAt(u32((u64(u32(hash)) * u64(buckets)) >> 32));
}

/** Where a bucket lies. */
@inline
function bucketAt(n: u32): u32 {
  if (n < ghostBuckets) return ghostAt + (n << BUCKET_SHIFT);
  const at = (n - ghostBuckets) << BUCKET_SHIFT;
  const base = atomic.load<u32>(H_GHOST_SEGMENTS + ((at >> segmentShift) << 2));
  return base + (at & (segmentBytes - 1));
}

/** Buckets there is room for. */
function roomForBuckets(): u32 {
  return ghostBuckets + (atomic.load<u32>(H_GHOST_GROWN) << (segmentShift - BUCKET_SHIFT));
}

/** Bytes the ghost has taken. */
export function ghostBytes(): u64 {
  return u64(roomForBuckets()) << BUCKET_SHIFT;
}

@inline
function shapeBuckets(shape: u64): u32 {
  return u32(shape >> 32);
}

@inline
function entryIn(bucket: u64, i: u32): u32 {
  return u32(bucket >> u64(i * GHOST_ENTRY_BITS)) & 0xffff;
}

@inline
function ageOf(entry: u32, period: u32): u32 {
  return (period - entry) & GHOST_STAMP_MASK;
}

/** Where a lookup of `hash` will look, to be touched ahead of it. */
@inline
export function ghostLine(hash: u64): u32 {
  return bucketOf(hash, shapeBuckets(atomic.load<u64>(H_GHOST_SHAPE)));
}

/** Whether `hash` was evicted lately; forgets it. */
export function ghostTake(hash: u64): bool {
  const at = ghostLine(hash);
  const period = u32(atomic.load<u64>(H_GHOST_CLOCK) >> 32);
  const wanted = fingerprint(hash);
  const bucket = atomic.load<u64>(at);
  for (let i: u32 = 0; i < GHOST_ENTRIES_PER_BUCKET; i++) {
    const entry = entryIn(bucket, i);
    if (entry >> 4 != wanted || ageOf(entry, period) >= GHOST_LIVE_PERIODS) continue;
    store<u16>(at + (i << ENTRY_SHIFT), 0);
    return true;
  }
  return false;
}

/** Remembers that `hash` was evicted. */
export function ghostAdd(hash: u64): void {
  const shape = atomic.load<u64>(H_GHOST_SHAPE);
  const period = tick(u32(shape));
  sweepGhost(shapeBuckets(shape), period);
  const at = bucketOf(hash, shapeBuckets(shape));
  const bucket = atomic.load<u64>(at);
  const entry = (fingerprint(hash) << 4) | (period & GHOST_STAMP_MASK);
  store<u16>(at + (victimIn(bucket, period) << ENTRY_SHIFT), u16(entry));
}

/** An empty place of the bucket, else its oldest entry. */
function victimIn(bucket: u64, period: u32): u32 {
  let victim: u32 = 0;
  let oldest: u32 = 0;
  for (let i: u32 = 0; i < GHOST_ENTRIES_PER_BUCKET; i++) {
    const entry = entryIn(bucket, i);
    if (entry == 0) return i;
    const age = ageOf(entry, period);
    if (age >= oldest) {
      oldest = age;
      victim = i;
    }
  }
  return victim;
}

/**
 * Counts an entry; returns the period it falls in. A lane tells the shared clock of a batch at
 * once, a small part of a period.
 */
function tick(quantum: u32): u32 {
  const batch = min<u32>(quantum / 64 + 1, BATCH_MAX);
  if (++untold < batch) return u32(atomic.load<u64>(H_GHOST_CLOCK) >> 32);
  const clock = atomic.add<u64>(H_GHOST_CLOCK, u64(untold)) + untold;
  untold = 0;
  if (u32(clock) >= quantum) {
    const next = ((clock >> 32) + 1) << 32;
    atomic.cmpxchg<u64>(H_GHOST_CLOCK, clock, next);
  }
  return u32(clock >> 32);
}

function sweepGhost(buckets: u32, period: u32): void {
  if (handLeft == 0) {
    hand = atomic.add<u32>(H_GHOST_HAND, BATCH_MAX);
    handLeft = BATCH_MAX;
  }
  const at = bucketAt(hand % (buckets / SWEEP_PER_ENTRY) * SWEEP_PER_ENTRY);
  hand++;
  handLeft--;
  const entries = v128.load(at);
  const dead = deadEntries(entries, period);
  if (v128.any_true(dead)) v128.store(at, v128.andnot(entries, dead));
}

/** All bits of each entry of two buckets that is too old, none of the others. */
@inline
function deadEntries(entries: v128, period: u32): v128 {
  const ages = v128.and(
    i16x8.sub(i16x8.splat(i16(period)), entries), i16x8.splat(i16(GHOST_STAMP_MASK)),
  );
  const old = i16x8.gt_s(ages, i16x8.splat(i16(GHOST_LIVE_PERIODS) - 1));
  return v128.andnot(old, i16x8.eq(entries, i16x8.splat(0)));
}

/**
 * Fits the window to `items`. It is asked for each segment that is cleaned, so the ghost grows by
 * one of its own at a time, and begins to use them when it has all it needs.
 */
export function shapeGhost(items: u32): void {
  const window = items / 10 * 9 + 1;
  const shape = atomic.load<u64>(H_GHOST_SHAPE);
  let buckets = shapeBuckets(shape);
  if (buckets * 3 < window && policy == POLICY_S3FIFO) buckets = bucketsFor(buckets, window);
  while (buckets > BUCKETS_MIN && buckets * 3 / 4 > window) buckets = buckets / 2;
  // Swept in pairs.
  buckets &= ~1;
  const quantum = min<u32>(window, buckets * 3) / GHOST_LIVE_PERIODS + 1;
  const fresh = (u64(buckets) << 32) | u64(quantum);
  if (fresh != shape) atomic.cmpxchg<u64>(H_GHOST_SHAPE, shape, fresh);
}

/** As many of the buckets that `window` needs as there are, if that is worth forgetting. */
function bucketsFor(buckets: u32, window: u32): u32 {
  const wanted = window / 3 + window / 3 / BUCKETS_SLACK + 2;
  const missing = i64(wanted) - i64(roomForBuckets());
  // A segment that would stay half empty is better used for items.
  if (missing << BUCKET_SHIFT > i64(segmentBytes / 2) && growGhost()) return buckets;
  const fresh = min<u32>(wanted, roomForBuckets());
  return fresh > buckets + buckets / BUCKETS_SLACK ? fresh : buckets;
}

/** Takes another segment for good; false when the ghost has had its share. */
function growGhost(): bool {
  const grown = atomic.load<u32>(H_GHOST_GROWN);
  if (grown >= min<u32>(GHOST_SEGMENTS_MAX, segments / SEGMENTS_SHARE)) return false;
  const header = claimSegment(SEGMENT_LINES, POOL_MAIN, 0, SEGMENTS_RESERVE);
  if (header == 0) return true;
  const base = segmentBase(header);
  memory.fill(base, 0, segmentBytes);
  if (atomic.cmpxchg<u32>(H_GHOST_SEGMENTS + (grown << 2), 0, base) != 0) retireSegment(header);
  // Also for who put one there and was stopped before it could say so.
  atomic.cmpxchg<u32>(H_GHOST_GROWN, grown, grown + 1);
  return true;
}
