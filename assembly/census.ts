/** Gauges: what the arena's memory is used for, counted when somebody asks. */
import { bytesBeingFilled } from "./allocator";
import {
  BUCKET_BYTES, H_GAUGES, H_MIN_STORE_BYTES, H_STORE_BYTES, lanes, segmentBytes, segments,
  tableBuckets,
} from "./layout";
import { ghostBytes } from "./ghost";
import { overflows } from "./overflow";
import {
  POOL_SMALL, POOL_STUB, SEGMENT_FREE, SEGMENT_LINES, SEGMENT_PAGES, SEGMENT_RETIRED, segmentDead,
  segmentHeader, segmentUsed, segmentWord, wordPool, wordState,
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
export const GAUGE_SEGMENTS_STUBS: u32 = 13;
export const GAUGES: u32 = 14;

let free: u64 = 0;
let small: u64 = 0;
let main: u64 = 0;
let stubs: u64 = 0;
let lines: u64 = 0;
let pages: u64 = 0;
let used: u64 = 0;
let dead: u64 = 0;

@inline
function put(gauge: u32, n: u64): void {
  store<u64>(H_GAUGES + (gauge << 3), n);
}

/**
 * Counts all gauges; returns where they are. They are counted aside and stored whole, so that
 * threads that ask at once do each other no harm.
 */
export function census(): u32 {
  free = small = main = stubs = lines = pages = used = dead = 0;
  for (let n: u32 = 0; n < segments; n++) countSegment(segmentHeader(n));
  for (let n: u32 = 0; n < lanes; n++) used += bytesBeingFilled(n);
  put(GAUGE_SEGMENTS, segments);
  put(GAUGE_SEGMENTS_FREE, free);
  put(GAUGE_SEGMENTS_SMALL, small);
  put(GAUGE_SEGMENTS_MAIN, main);
  put(GAUGE_SEGMENTS_LINES, lines);
  put(GAUGE_SEGMENTS_PAGES, pages);
  put(GAUGE_SEGMENT_BYTES, segmentBytes);
  put(GAUGE_TABLE_BYTES, u64(tableBuckets) * BUCKET_BYTES + overflows() * BUCKET_BYTES);
  put(GAUGE_GHOST_BYTES, ghostBytes());
  put(GAUGE_STORE_BYTES, load<u32>(H_STORE_BYTES));
  put(GAUGE_USED_BYTES, used);
  put(GAUGE_DEAD_BYTES, dead);
  put(GAUGE_SEGMENTS_STUBS, stubs);
  put(GAUGE_MIN_STORE_BYTES, load<u32>(H_MIN_STORE_BYTES));
  return H_GAUGES;
}

function countSegment(header: u32): void {
  const word = segmentWord(header);
  switch (wordState(word)) {
    case SEGMENT_FREE:
    case SEGMENT_RETIRED:
      free++;
      break;
    case SEGMENT_LINES:
      lines++;
      break;
    case SEGMENT_PAGES:
      pages++;
      break;
    default:
      if (wordPool(word) == POOL_SMALL) small++;
      else if (wordPool(word) == POOL_STUB) stubs++;
      else main++;
      used += segmentUsed(header);
      dead += segmentDead(header);
  }
}
