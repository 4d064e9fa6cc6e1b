/** Gauges: what the arena's memory is used for, counted when somebody asks. */
import { H_GAUGES, H_LINES, H_MIN_STORE_BYTES, H_STORE_BYTES, LINE_BYTES, ghostBuckets,
  segmentBytes, segments, tableLines } from "./layout";
import {
  POOL_SMALL, SEGMENT_ACTIVE, SEGMENT_CLEANING, SEGMENT_FREE, SEGMENT_LINES, SEGMENT_PAGES,
  SEGMENT_RETIRED, SEGMENT_SEALED, segmentDead, segmentHeader, segmentUsed, segmentWord, wordPool,
  wordState,
} from "./segment";

export const GAUGE_SEGMENTS: u32 = 0;
export const GAUGE_SEGMENTS_FREE: u32 = 1;
export const GAUGE_SEGMENTS_SMALL: u32 = 2;
export const GAUGE_SEGMENTS_MAIN: u32 = 3;
export const GAUGE_SEGMENTS_LINES: u32 = 4;
export const GAUGE_SEGMENTS_PAGES: u32 = 5;
export const GAUGE_SEGMENT_BYTES: u32 = 6;
export const GAUGE_TABLE_BYTES: u32 = 7;
export const GAUGE_GHOST_BYTES: u32 = 8;
export const GAUGE_STORE_BYTES: u32 = 9;
export const GAUGE_USED_BYTES: u32 = 10;
export const GAUGE_DEAD_BYTES: u32 = 11;
export const GAUGE_MIN_STORE_BYTES: u32 = 12;
export const GAUGES: u32 = 13;

@inline
function put(gauge: u32, n: u64): void {
  store<u64>(H_GAUGES + (gauge << 3), n);
}

@inline
function add(gauge: u32, n: u64): void {
  put(gauge, load<u64>(H_GAUGES + (gauge << 3)) + n);
}

/** Counts all gauges; returns where they are. One thread at a time asks. */
export function census(): u32 {
  for (let gauge: u32 = 0; gauge < GAUGES; gauge++) put(gauge, 0);
  put(GAUGE_SEGMENTS, segments);
  put(GAUGE_SEGMENT_BYTES, segmentBytes);
  put(GAUGE_TABLE_BYTES, (u64(tableLines) + atomic.load<u64>(H_LINES)) * LINE_BYTES);
  put(GAUGE_GHOST_BYTES, u64(ghostBuckets) * 8);
  put(GAUGE_STORE_BYTES, load<u32>(H_STORE_BYTES));
  put(GAUGE_MIN_STORE_BYTES, load<u32>(H_MIN_STORE_BYTES));
  for (let n: u32 = 0; n < segments; n++) countSegment(segmentHeader(n));
  return H_GAUGES;
}

function countSegment(header: u32): void {
  const word = segmentWord(header);
  switch (wordState(word)) {
    case SEGMENT_FREE:
    case SEGMENT_RETIRED:
      add(GAUGE_SEGMENTS_FREE, 1);
      break;
    case SEGMENT_LINES:
      add(GAUGE_SEGMENTS_LINES, 1);
      break;
    case SEGMENT_PAGES:
      add(GAUGE_SEGMENTS_PAGES, 1);
      break;
    default:
      add(wordPool(word) == POOL_SMALL ? GAUGE_SEGMENTS_SMALL : GAUGE_SEGMENTS_MAIN, 1);
      add(GAUGE_USED_BYTES, segmentUsed(header));
      add(GAUGE_DEAD_BYTES, segmentDead(header));
  }
}
