/**
 * The arena: one shared memory, laid out once by `format` and never moved.
 *
 *   0          header            HEADER_BYTES: geometry, then the shared words, one cache line each
 *   lanesAt    lanes             LANE_BYTES each: one per thread
 *   floorsAt   version floors    FLOORS x 8
 *   segmentsAt segment headers   SEGMENT_HEADER_BYTES each
 *   pagesAt    page words        PAGES_PER_SEGMENT x 8 per segment
 *   deadAt     dead bytes        4 per segment and lane
 *   ghostAt    ghost buckets     8 each
 *   tableAt    buckets           BUCKET_BYTES each
 *   storeAt    segments          segmentBytes each, aligned to their size's page
 *   boxesAt    inbox, outbox and feed ring of each lane
 *   forgotten  8 per slot, where there are feeds: see `forgotten.ts`
 *
 * Nothing here is static data: every instance of this module would write it again over the shared
 * memory. Each instance reads the geometry into its own globals when it attaches.
 */

export const HEADER_BYTES: u32 = 4096;
export const LANE_BYTES: u32 = 8192;
export const LANES_MAX: u32 = 64;
export const LINE_BYTES: u32 = 64;
export const LINES_PER_BUCKET: u32 = 2;
export const BUCKET_BYTES: u32 = 128;
export const FLOORS: u32 = 4096;
export const SEGMENT_HEADER_BYTES: u32 = 64;
export const PAGES_PER_SEGMENT: u32 = 16;
export const PAGES_PER_SEGMENT_SHIFT: u32 = 4;
export const BOX_ALIGN: u32 = 64;

/** Segments are between these sizes; the smallest holds the longest key. */
export const SEGMENT_BYTES_MIN: u32 = 4096;
export const SEGMENT_BYTES_AUTO_MIN: u32 = 128 << 10;
export const SEGMENT_BYTES_AUTO_MAX: u32 = 4 << 20;
export const SEGMENTS_MIN: u32 = 32;
/** `format` picks the segment so that an arena has at most this many, which cleaners look over. */
export const SEGMENTS_AIM: u32 = 1024;
/** The base table has a bucket of 15 entries for each 14 items of this size. */
export const ITEM_BYTES_AIM: u32 = 208;
export const ITEMS_PER_BUCKET_AIM: u32 = 14;
/** The ghost begins with room for as many items as memory of this item size would hold... */
export const GHOST_ITEM_BYTES_AIM: u32 = 252;
/** ...and grows by segments while items are smaller, up to these. */
export const GHOST_SEGMENTS_MAX: u32 = 128;

/* Geometry, written by `format` and constant from then on. */
export const H_MAGIC: u32 = 64;
export const H_LANES: u32 = 68;
export const H_LANES_AT: u32 = 72;
export const H_FLOORS_AT: u32 = 76;
export const H_SEGMENTS_AT: u32 = 80;
export const H_SEGMENTS: u32 = 84;
export const H_SEGMENT_SHIFT: u32 = 88;
export const H_PAGES_AT: u32 = 92;
export const H_GHOST_AT: u32 = 96;
export const H_GHOST_BUCKETS: u32 = 100;
export const H_TABLE_AT: u32 = 104;
export const H_TABLE_BUCKETS: u32 = 108;
export const H_STORE_AT: u32 = 112;
export const H_BOXES_AT: u32 = 116;
export const H_INBOX_BYTES: u32 = 120;
export const H_OUTBOX_BYTES: u32 = 124;
export const H_FEED_BYTES: u32 = 128;
export const H_VALUE_BYTES_MAX: u32 = 132;
export const H_POLICY: u32 = 136;
export const H_PROMOTION: u32 = 140;
export const H_STORE_BYTES: u32 = 144;
export const H_MIN_STORE_BYTES: u32 = 148;
export const H_KEY0: u32 = 152;
export const H_KEY1: u32 = 160;
export const H_DEAD_AT: u32 = 168;
export const H_ITEMS_MAX: u32 = 172;
export const H_TIER_LEAST: u32 = 176;
export const H_TIER_MIB: u32 = 180;
/** Where `forgotten.ts` has its table, 0 = nowhere; written by the host. */
export const H_FORGOTTEN_AT: u32 = 184;

/* Shared words, each with a cache line of its own; `docs/concurrency.md` says who writes which. */
export const H_EPOCH: u32 = 256;
export const H_CLEAR_VERSION: u32 = 320;
export const H_OVERFLOW_BUMP: u32 = 384;
export const H_SEGMENT_SEQUENCE: u32 = 448;
export const H_FREE_HINT: u32 = 512;
/** Segments to keep free beyond the least, because threads have waited for some lately. */
export const H_FREE_MORE: u32 = 516;
export const H_GHOST_CLOCK: u32 = 576;
export const H_GHOST_HAND: u32 = 584;
export const H_GHOST_SHAPE: u32 = 640;
export const H_SWEEP_CURSOR: u32 = 704;
export const H_FEED_ON: u32 = 768;
/** The status that changes are refused with, 0 = none; read as seldom as the word before it. */
export const H_REFUSAL: u32 = 772;
export const H_PAGE_BYTES_SMALL: u32 = 832;
export const H_PAGE_BYTES_MAIN: u32 = 840;
export const H_LANES_ATTACHED: u32 = 896;
export const H_OVERFLOWS: u32 = 960;
export const H_PRESSURE: u32 = 968;
/** The clock of `recency.ts` and the length of its ticks. */
export const H_RECENCY_CLOCK: u32 = 1408;
export const H_RECENCY_QUANTUM: u32 = 1472;
/** The hands of `lfu.ts` and `sieve.ts`. */
export const H_LFU_HAND: u32 = 1536;
export const H_SIEVE_HAND: u32 = 1600;
/** Whether the hand has come to what is being written. */
export const H_SIEVE_HEAD: u32 = 1608;
/** Of `tinylfu`: increments of the sketch, blocks to halve, two regions' clocks, the climber. */
export const H_SKETCH_COUNT: u32 = 1664;
export const H_SKETCH_LEFT: u32 = 1728;
export const H_PROBATION_CLOCK: u32 = 1792;
export const H_PROTECTED_CLOCK: u32 = 1856;
export const H_CLIMB: u32 = 1920;
/** Which of the next allocations fails, 0 = none, and how many there were: see `failing.ts`. */
export const H_FAILING: u32 = 1992;
export const H_ALLOCATIONS: u32 = 1996;
/** How many segments the ghost has, and where they lie, a u32 each. */
export const H_GHOST_GROWN: u32 = 1984;
export const H_GHOST_SEGMENTS: u32 = 2048;
/** Where `census` writes its block of u64 gauges. */
export const H_GAUGES: u32 = 1024;

export const MAGIC: u32 = 0x4f524c01;

/* A lane: what one thread announces to the others, its counters, and its scratch. */
export const L_EPOCH: u32 = 0;
export const L_NOW: u32 = 8;
export const L_VERSION_MAX: u32 = 16;
export const L_ATTACHED: u32 = 24;
/** An overflow bucket that lost the race to be linked, kept for the next. */
export const L_SPARE_BUCKET: u32 = 28;
/** What the cleaner is at: see `cleaner.ts`. */
export const L_CLEANING: u32 = 32;
/** The item whose pages this lane is about to retire, 0 = none: see `entry.ts`. */
export const L_LEAVING: u32 = 48;
export const L_FEED_HEAD: u32 = 64;
export const L_FEED_PREPARED: u32 = 68;
/** How far the two consumers are: the log, and what carries changes to peers. */
export const L_FEED_TAIL: u32 = 128;
export const L_FEED_PEERS_TAIL: u32 = 160;
export const L_COUNTERS: u32 = 192;
/** How many items the lane brought into each region (`regions.ts`), and what it asked for. */
export const L_REGIONS: u32 = 704;
export const L_HITS: u32 = 736;
export const L_MISSES: u32 = 744;
/** How far the lane's segment for new items is filled (`window.ts`). */
export const L_FILLED: u32 = 752;
/** Bump cursors of the lane's active segments: see `allocator.ts`. */
export const L_CURSORS: u32 = 768;
/** The group in work: 64 x GROUP_SLOT_BYTES, see `group.ts`. */
export const L_GROUP: u32 = 1024;
/** Scratch of the cleaner and the sweep: see `cleaner.ts`. */
export const L_BATCH: u32 = 4096;
/** Scratch for decimal text. */
export const L_TEXT: u32 = 6144;
/** What the lane's cleaner will take next: see `victims.ts`. */
export const L_VICTIMS: u32 = 6400;
/** What the lane would evict next by rank: see `candidates.ts`. */
export const L_CANDIDATES: u32 = 6784;
/** What requests of the last `execute` want from the disk: see `wants.ts`. */
export const L_WANTS: u32 = 7360;

/* This instance's copy of the geometry. */
export let lane: u32 = 0;
export let laneAt: u32 = 0;
export let lanes: u32 = 0;
export let lanesAt: u32 = 0;
export let floorsAt: u32 = 0;
export let segmentsAt: u32 = 0;
export let segments: u32 = 0;
export let segmentShift: u32 = 0;
export let segmentBytes: u32 = 0;
export let pageWordsAt: u32 = 0;
export let deadAt: u32 = 0;
export let pageShift: u32 = 0;
export let pageBytes: u32 = 0;
export let ghostAt: u32 = 0;
export let ghostBuckets: u32 = 0;
export let tableAt: u32 = 0;
export let tableBuckets: u32 = 0;
export let tableEnd: u32 = 0;
export let storeAt: u32 = 0;
export let valueBytesMax: u32 = 0;
export let policy: u32 = 0;
export let promotion: u32 = 0;
/** Items there may be at most, 0 = as many as fit. */
export let itemsMax: u32 = 0;
/** Values of so many bytes stay readable on disk when they are evicted; 0 = there is no tier. */
export let tierLeast: u32 = 0;
/** Mebibytes on disk that stubs may stand for, 0 = as many as there are stubs. */
export let tierMib: u32 = 0;
export let inboxBytes_: u32 = 0;
export let outboxBytes_: u32 = 0;
export let feedBytes_: u32 = 0;
export let inboxAt_: u32 = 0;
export let outboxAt_: u32 = 0;
export let feedAt_: u32 = 0;
export let key0: u64 = 0;
export let key1: u64 = 0;

@inline
export function alignUp(n: u32, to: u32): u32 {
  return (n + to - 1) & ~(to - 1);
}

/** Where lane `n` announces itself. */
@inline
export function laneBlock(n: u32): u32 {
  return lanesAt + n * LANE_BYTES;
}

/** Reads the geometry into this instance, as lane `n`. */
export function readGeometry(n: u32): void {
  lane = n;
  lanes = load<u32>(H_LANES);
  lanesAt = load<u32>(H_LANES_AT);
  laneAt = laneBlock(n);
  floorsAt = load<u32>(H_FLOORS_AT);
  segmentsAt = load<u32>(H_SEGMENTS_AT);
  segments = load<u32>(H_SEGMENTS);
  segmentShift = load<u32>(H_SEGMENT_SHIFT);
  segmentBytes = 1 << segmentShift;
  pageWordsAt = load<u32>(H_PAGES_AT);
  deadAt = load<u32>(H_DEAD_AT);
  pageShift = segmentShift - PAGES_PER_SEGMENT_SHIFT;
  pageBytes = 1 << pageShift;
  ghostAt = load<u32>(H_GHOST_AT);
  ghostBuckets = load<u32>(H_GHOST_BUCKETS);
  tableAt = load<u32>(H_TABLE_AT);
  tableBuckets = load<u32>(H_TABLE_BUCKETS);
  tableEnd = tableAt + tableBuckets * BUCKET_BYTES;
  storeAt = load<u32>(H_STORE_AT);
  valueBytesMax = load<u32>(H_VALUE_BYTES_MAX);
  policy = load<u32>(H_POLICY);
  promotion = load<u32>(H_PROMOTION);
  itemsMax = load<u32>(H_ITEMS_MAX);
  tierLeast = load<u32>(H_TIER_LEAST);
  tierMib = load<u32>(H_TIER_MIB);
  key0 = load<u64>(H_KEY0);
  key1 = load<u64>(H_KEY1);
  readBoxes(n);
}

/** Where lane `n` finds its inbox, outbox and feed ring. */
function readBoxes(n: u32): void {
  inboxBytes_ = load<u32>(H_INBOX_BYTES);
  outboxBytes_ = load<u32>(H_OUTBOX_BYTES);
  feedBytes_ = load<u32>(H_FEED_BYTES);
  inboxAt_ = load<u32>(H_BOXES_AT) + n * (inboxBytes_ + outboxBytes_ + feedBytes_);
  outboxAt_ = inboxAt_ + inboxBytes_;
  feedAt_ = outboxAt_ + outboxBytes_;
}

/** Where lane `n` keeps its feed ring. */
export function feedRing(n: u32): u32 {
  return load<u32>(H_BOXES_AT) + n * (inboxBytes_ + outboxBytes_ + feedBytes_)
    + inboxBytes_ + outboxBytes_;
}
