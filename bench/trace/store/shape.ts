/**
 * How large items and segments have to be so that a bound on the number of items is what decides.
 *
 * Policies give up segments, so a segment must be a small part of what there is room for: at most a
 * 128th, and a 64th is what is asked. The smallest segment has 4096 bytes. Below some eight
 * thousand items theirs have to be larger, therefore, by a longer value, or, when less than four
 * fill a segment, by a longer key, because a value that long would leave the segments for pages.
 */

/** The sizes of a replay, in bytes but for the last two. */
export interface Shape {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  readonly itemsPerSegment: number;
  /** Requests that are executed together. */
  readonly frame: number;
}

/** What an item takes beyond its key and value, in bytes. */
export const ITEM_HEADER_BYTES = 18;
/** So much more beside a key of more than 255 bytes. */
const LONG_HEADER_MORE_BYTES = 4;
/** Keys and values that need no ballast. */
export const KEY_BYTES = 16;
export const VALUE_BYTES = 32;

const ITEM_BYTES = ITEM_HEADER_BYTES + KEY_BYTES + VALUE_BYTES;
/** Values are compared word by word. */
const VALUE_ALIGN = 4;
const SEGMENT_BYTES_MIN = 4096;
const SEGMENTS = 128;
/** An item that is longer than this part of a segment may have its value elsewhere. */
const INLINE_PART = 4;
/** The table is sized by memory; so much for each item leaves it half empty. */
const MEMORY_PER_ITEM = 512;
/** What a small arena needs for itself: tables, floors, the active segments of its lanes. */
const MEMORY_BESIDES = 512 * 1024;
const SEGMENTS_PER_LANE = 16;
const FRAME_MAX = 64;
/**
 * A frame is at most this part of what there is room for. Its requests are answered before any of
 * its misses is stored, and threads that work on frames side by side change the order of the
 * stream. SIEVE feels that most: with a 128th it missed 5 % less in two threads.
 */
const FRAMES = 512;

/** The length of an item that leaves `perSegment` of them no room for another. */
function itemBytesFor(perSegment: number): number {
  const ballast = SEGMENT_BYTES_MIN / perSegment - ITEM_BYTES;
  return ITEM_BYTES + Math.max(0, Math.floor(ballast / VALUE_ALIGN) * VALUE_ALIGN);
}

function segmentBytesFor(perSegment: number, itemBytes: number): number {
  return Math.max(SEGMENT_BYTES_MIN, 2 ** Math.floor(Math.log2(perSegment * itemBytes)));
}

/** The sizes for a replay with room for `capacity` items and work for `lanes` threads. */
export function shapeFor(capacity: number, lanes: number): Shape {
  const aim = Math.max(1, Math.floor(capacity / SEGMENTS));
  const itemBytes = itemBytesFor(aim);
  const segmentBytes = segmentBytesFor(aim, itemBytes);
  const ballast = itemBytes - ITEM_BYTES;
  const isInline = itemBytes <= segmentBytes / INLINE_PART;
  const segments = (2 * capacity * itemBytes) / segmentBytes + lanes * SEGMENTS_PER_LANE;
  return {
    keyBytes: KEY_BYTES + (isInline ? 0 : ballast - LONG_HEADER_MORE_BYTES),
    valueBytes: VALUE_BYTES + (isInline ? ballast : 0),
    segmentBytes,
    memoryBytes: Math.max(segments * segmentBytes, capacity * MEMORY_PER_ITEM) + MEMORY_BESIDES,
    itemsPerSegment: Math.floor(segmentBytes / itemBytes),
    frame: Math.max(1, Math.min(FRAME_MAX, Math.floor(capacity / FRAMES))),
  };
}

/**
 * Segments where memory decides. A node of 64 MiB has twice as many; in less memory their headers
 * would weigh more than anywhere else.
 */
const MEMORY_SEGMENTS = 256;

/** The sizes for a replay in which memory decides: items without ballast. */
export function shapeInMemory(memoryBytes: number): Shape {
  const segmentBytes = Math.max(
    SEGMENT_BYTES_MIN,
    2 ** Math.floor(Math.log2(memoryBytes / MEMORY_SEGMENTS)),
  );
  return {
    keyBytes: KEY_BYTES,
    valueBytes: VALUE_BYTES,
    segmentBytes,
    memoryBytes,
    itemsPerSegment: Math.floor(segmentBytes / ITEM_BYTES),
    frame: FRAME_MAX,
  };
}
