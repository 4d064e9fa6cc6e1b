/**
 * How often keys were asked for lately: a count-min sketch of four-bit counters (Caffeine's
 * `FrequencySketch`; Cormode and Muthukrishnan, "An improved data stream summary", 2005).
 *
 *   block, a cache line   | 32 counters | 32 counters | 32 counters | 32 counters |
 *
 * A key has four counters in one block, one in each quarter of it, and its frequency is the least
 * of them. Caffeine has sixteen counters for each item and raises all four of a key. The room here
 * is what the ghost would have taken, some 2.4 bytes for each item of 160, and then that errs too
 * much. So where there are fewer than sixteen for an item, only those are raised that are the least
 * (Estan and Varghese, "New directions in traffic measurement", SIGCOMM'02), which does as well
 * with a quarter of them. Only on loops it does worse: there all keys are asked for as often, and
 * what keeps some of them is the error.
 *
 * Counters are bytes with two of them, loaded and stored plainly: a race loses a count. After so
 * many increments as ten times the items all counters are halved. That would stop the world for as
 * long as it takes, so a hand goes over the blocks, some with each group of requests, and who reads
 * a counter that the hand has not come to yet halves what it reads.
 */
import {
  H_SKETCH_COUNT, H_SKETCH_LEFT, LINE_BYTES, alignUp, ghostAt, ghostBuckets,
} from "./layout";

const COUNTER_MAX: u32 = 15;
const QUARTERS: u32 = 4;
const QUARTER_BYTES: u32 = 16;
const WORDS_PER_BLOCK: u32 = 8;
const INCREMENTS_PER_ITEM: u32 = 10;
/** Blocks that are halved with one group of requests. */
const PIECE: u32 = 64;
const ODD: u64 = 0x1111111111111111;
const HALVED: u64 = 0x7777777777777777;
/** What a lane may know of increments alone. */
const BATCH_MAX: u32 = 64;
const BATCHES_PER_PERIOD: u32 = 256;

let sketchAt: u32 = 0;
let blocks: u32 = 0;
/** Whether there are sixteen counters for each item. */
let isRoomy: bool = false;
/** Increments this lane has not told of. */
let untold: u32 = 0;

/** Finds the sketch in the arena: room for the counts of so many items, 0 = all there is. */
export function openSketch(items: u32): void {
  sketchAt = alignUp(ghostAt, LINE_BYTES);
  blocks = (ghostAt + ghostBuckets * 8 - sketchAt) / LINE_BYTES;
  untold = 0;
  if (items == 0 || items > blocks * WORDS_PER_BLOCK) return;
  const words: u32 = 1 << (32 - clz(items - 1));
  blocks = max<u32>(1, min<u32>(blocks, words / WORDS_PER_BLOCK));
}

/** Where the counters of a key are, to be touched ahead. */
@inline
export function sketchBlock(hash: u64): u32 {
  return sketchAt + u32((u64(u32(hash >> 20)) * blocks) >> 32) * LINE_BYTES;
}

/** Where the key's counter of a quarter is; the lowest bit of the choice says which half. */
@inline
function counterByte(block: u32, choice: u32, quarter: u32): u32 {
  return block + quarter * QUARTER_BYTES + ((choice >> 1) & (QUARTER_BYTES - 1));
}

@inline
function choiceIn(hash: u64, quarter: u32): u32 {
  return u32(hash) >> (quarter * 5);
}

@inline
function counterIn(byte: u32, choice: u32): u32 {
  return (byte >> ((choice & 1) << 2)) & COUNTER_MAX;
}

/** The least of a key's counters. */
@inline
function leastOf(block: u32, hash: u64): u32 {
  let least = COUNTER_MAX;
  for (let quarter: u32 = 0; quarter < QUARTERS; quarter++) {
    const choice = choiceIn(hash, quarter);
    least = min<u32>(least, counterIn(load<u8>(counterByte(block, choice, quarter)), choice));
  }
  return least;
}

/** How often a key was asked for lately, 0 to 15. */
export function sketchFrequency(hash: u64): u32 {
  const block = sketchBlock(hash);
  const isHalved = (block - sketchAt) / LINE_BYTES >= atomic.load<u32>(H_SKETCH_LEFT);
  return leastOf(block, hash) >> u32(!isHalved);
}

/** Counts a request for a key. */
export function sketchAdd(hash: u64): void {
  const block = sketchBlock(hash);
  const least = leastOf(block, hash);
  if (least == COUNTER_MAX) return;
  const below = isRoomy ? COUNTER_MAX : least + 1;
  for (let quarter: u32 = 0; quarter < QUARTERS; quarter++) {
    const choice = choiceIn(hash, quarter);
    const at = counterByte(block, choice, quarter);
    const byte = u32(load<u8>(at));
    if (counterIn(byte, choice) < below) store<u8>(at, u8(byte + (u32(1) << ((choice & 1) << 2))));
  }
  untold++;
}

/** Lets the sketch of a cache with room for so many items age; after each group of requests. */
export function sketchPass(items: u32): void {
  isRoomy = items <= blocks * WORDS_PER_BLOCK;
  const period = items * INCREMENTS_PER_ITEM;
  if (untold >= min<u32>(period / BATCHES_PER_PERIOD + 1, BATCH_MAX)) tell(period);
  const left = atomic.load<u32>(H_SKETCH_LEFT);
  if (left != 0) halvePiece(left);
}

/** Tells of this lane's increments; who tells of the last of a period has all blocks halved. */
function tell(period: u32): void {
  const before = atomic.add<i64>(H_SKETCH_COUNT, untold);
  const after = before + untold;
  untold = 0;
  if (after < i64(period) || atomic.load<u32>(H_SKETCH_LEFT) != 0) return;
  if (atomic.cmpxchg<i64>(H_SKETCH_COUNT, after, after >> 1) != after) return;
  atomic.store<u32>(H_SKETCH_LEFT, blocks);
}

/** Halves the last piece of the blocks that are left; odd counters lose more than half. */
function halvePiece(left: u32): void {
  const first = left - min<u32>(left, PIECE);
  if (atomic.cmpxchg<u32>(H_SKETCH_LEFT, left, first) != left) return;
  let odd: i64 = 0;
  for (let at = sketchAt + first * LINE_BYTES; at < sketchAt + left * LINE_BYTES; at += 8) {
    const word = load<u64>(at);
    if (word == 0) continue;
    odd += popcnt(word & ODD);
    store<u64>(at, (word >> 1) & HALVED);
  }
  atomic.sub<i64>(H_SKETCH_COUNT, odd / (2 * QUARTERS));
}
