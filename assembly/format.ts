import {
  BOX_ALIGN, BUCKET_BYTES, FLOORS, GHOST_ITEM_BYTES_AIM, HEADER_BYTES, H_BOXES_AT, H_DEAD_AT,
  H_EPOCH, H_FEED_BYTES, H_FLOORS_AT, H_FREE_HINT, H_GHOST_AT, H_GHOST_BUCKETS, H_GHOST_SHAPE,
  H_INBOX_BYTES, H_ITEMS_MAX, H_KEY0, H_KEY1, H_LANES, H_LANES_AT, H_MAGIC, H_MIN_STORE_BYTES,
  H_OUTBOX_BYTES, H_PAGES_AT, H_POLICY, H_PROMOTION, H_RECENCY_QUANTUM, H_SEGMENTS, H_SEGMENTS_AT,
  H_SEGMENT_SEQUENCE, H_SEGMENT_SHIFT, H_STORE_AT, H_STORE_BYTES, H_TABLE_AT, H_TABLE_BUCKETS,
  H_TIER_LEAST, H_TIER_MIB, H_VALUE_BYTES_MAX, ITEMS_PER_BUCKET_AIM, ITEM_BYTES_AIM, LANES_MAX,
  LANE_BYTES, MAGIC, PAGES_PER_SEGMENT, SEGMENTS_AIM, SEGMENTS_MIN, SEGMENT_BYTES_AUTO_MAX,
  SEGMENT_BYTES_AUTO_MIN, SEGMENT_BYTES_MIN, SEGMENT_HEADER_BYTES, alignUp,
} from "./layout";

/** The segment's size, a power of two, that gives an arena of `storeBytes` 512 to 1024 of them. */
function segmentShiftFor(storeBytes: u32): u32 {
  let bytes: u32 = SEGMENT_BYTES_AUTO_MIN;
  while (bytes < SEGMENT_BYTES_AUTO_MAX && u64(bytes) * SEGMENTS_AIM < u64(storeBytes)) bytes <<= 1;
  return ctz(bytes);
}

/** Per segment: its bytes, its header, its page words and what each lane counts as dead in it. */
@inline
function segmentCost(shift: u32, lanes: u32): u32 {
  return (1 << shift) + SEGMENT_HEADER_BYTES + PAGES_PER_SEGMENT * 8 + lanes * 4;
}

/** Segments an arena needs so that each lane can hold four active ones and others remain. */
@inline
function segmentsNeeded(lanes: u32): u32 {
  const forLanes = lanes * 8 + 16;
  return forLanes > SEGMENTS_MIN ? forLanes : SEGMENTS_MIN;
}

@inline
function baseBuckets(storeBytes: u32, stubs: u32): u32 {
  return storeBytes / (ITEM_BYTES_AIM * ITEMS_PER_BUCKET_AIM) + stubs / ITEMS_PER_BUCKET_AIM + 1;
}

@inline
function ghostBucketsFor(storeBytes: u32): u32 {
  // In pairs, in which they are swept.
  return (storeBytes / GHOST_ITEM_BYTES_AIM * 9 / 10 / 3 & ~1) + 2;
}

@inline
function fixedBytes(storeBytes: u32, lanes: u32, shift: u32, stubs: u32): u32 {
  return HEADER_BYTES + lanes * LANE_BYTES + FLOORS * 8 + ghostBucketsFor(storeBytes) * 8
    + baseBuckets(storeBytes, stubs) * BUCKET_BYTES + (1 << shift) + 256;
}

/** The least `storeBytes` with which `lanes` threads and such segments leave room for items. */
function leastStoreBytes(lanes: u32, shift: u32, stubs: u32): u32 {
  const wanted = u64(segmentsNeeded(lanes)) * segmentCost(shift, lanes);
  let bytes = wanted;
  while (bytes < wanted + fixedBytes(u32(bytes), lanes, shift, stubs)) bytes += 1 << 16;
  return u32(bytes);
}

/**
 * Lays out a zeroed memory of at least `storeBytes + lanes * (inbox + outbox + feed)` bytes.
 * With a tier (`tierLeast` not 0), the base table also has room for `stubs` stubs.
 * Returns 0, or the least `storeBytes` that would do when there are too few.
 */
export function format(
  storeBytes: u32, lanes: u32, inboxBytes: u32, outboxBytes: u32, feedBytes: u32,
  segmentBytes: u32, valueBytesMax: u32, policy: u32, promotion: u32,
  itemsMax: u32, tierLeast: u32, tierMib: u32, stubs: u32,
  key0: u32, key1: u32, key2: u32, key3: u32,
): u32 {
  assert(lanes > 0 && lanes <= LANES_MAX);
  assert((inboxBytes | outboxBytes | feedBytes) % BOX_ALIGN == 0);
  assert((feedBytes & (feedBytes - 1)) == 0);
  const shift = segmentBytes == 0 ? segmentShiftFor(storeBytes) : ctz(segmentBytes);
  assert(u32(1 << shift) >= SEGMENT_BYTES_MIN);
  const least = leastStoreBytes(lanes, shift, stubs);
  if (storeBytes < least) return least;
  store<u32>(H_MIN_STORE_BYTES, least);
  store<u32>(H_LANES, lanes);
  store<u32>(H_SEGMENT_SHIFT, shift);
  store<u32>(H_STORE_BYTES, storeBytes);
  store<u32>(H_INBOX_BYTES, inboxBytes);
  store<u32>(H_OUTBOX_BYTES, outboxBytes);
  store<u32>(H_FEED_BYTES, feedBytes);
  store<u32>(H_VALUE_BYTES_MAX, valueBytesMax);
  store<u32>(H_POLICY, policy);
  store<u32>(H_PROMOTION, promotion);
  store<u32>(H_ITEMS_MAX, itemsMax);
  store<u32>(H_TIER_LEAST, tierLeast);
  store<u32>(H_TIER_MIB, tierMib);
  store<u64>(H_KEY0, u64(key0) | (u64(key1) << 32));
  store<u64>(H_KEY1, u64(key2) | (u64(key3) << 32));
  place(storeBytes, lanes, shift, stubs);
  store<u32>(H_MAGIC, MAGIC);
  return 0;
}

/** Writes where each part begins, and the first values of the shared words. */
function place(storeBytes: u32, lanes: u32, shift: u32, stubs: u32): void {
  let at = HEADER_BYTES;
  store<u32>(H_LANES_AT, at);
  at += lanes * LANE_BYTES;
  store<u32>(H_FLOORS_AT, at);
  at += FLOORS * 8;
  const ghostBuckets = ghostBucketsFor(storeBytes);
  store<u32>(H_GHOST_AT, at);
  store<u32>(H_GHOST_BUCKETS, ghostBuckets);
  at = alignUp(at + ghostBuckets * 8, BUCKET_BYTES);
  const buckets = baseBuckets(storeBytes, stubs);
  store<u32>(H_TABLE_AT, at);
  store<u32>(H_TABLE_BUCKETS, buckets);
  at += buckets * BUCKET_BYTES;
  const segments = (storeBytes - at - BUCKET_BYTES) / segmentCost(shift, lanes);
  store<u32>(H_SEGMENTS, segments);
  store<u32>(H_SEGMENTS_AT, at);
  at += segments * SEGMENT_HEADER_BYTES;
  store<u32>(H_PAGES_AT, at);
  at += segments * PAGES_PER_SEGMENT * 8;
  store<u32>(H_DEAD_AT, at);
  // Overflow buckets lie in segments.
  at = alignUp(at + segments * lanes * 4, BUCKET_BYTES);
  store<u32>(H_STORE_AT, at);
  store<u32>(H_BOXES_AT, alignUp(at + (segments << shift), BOX_ALIGN));
  atomic.store<u32>(H_RECENCY_QUANTUM, 256);
  atomic.store<u64>(H_EPOCH, 1);
  atomic.store<u64>(H_SEGMENT_SEQUENCE, 1);
  atomic.store<u32>(H_FREE_HINT, segments);
  atomic.store<u64>(H_GHOST_SHAPE, (u64(ghostBuckets) << 32) | (ghostBuckets / 4 + 1));
}
