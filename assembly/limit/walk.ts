/**
 * What this machine can do at most: the memory accesses of the core's operations, and nothing else.
 * No parsing, no hashing, no comparing, no policy, no atomics; where each access goes is written
 * down beforehand. `npm run bench -- limit` puts the core beside it.
 *
 *   place, 16 bytes   0 line of the table u32 | 4 item u32 | 8 line of who is evicted u32
 *                     12 word of the ghost u32
 *
 * As in the core, requests go in groups of 64 and what they need is touched ahead.
 */
const GROUP: u32 = 64;
const PLACE_SHIFT: u32 = 4;
const PLACE_ITEM: u32 = 4;
const PLACE_VICTIM: u32 = 8;
const PLACE_GHOST: u32 = 12;
const LINE_BYTES: u32 = 64;
const ANSWER_BYTES: u32 = 12;

/** Where the touching loops leave what they load, so that it is loaded. */
let sink: u64 = 0;

@inline
function placeAt(places: u32, n: u32): u32 {
  return places + (n << PLACE_SHIFT);
}

function touchLines(first: u32, end: u32, part: u32): void {
  let seen: u64 = 0;
  for (let at = first; at < end; at += 1 << PLACE_SHIFT) {
    const line = load<u32>(at + part);
    seen += load<u64>(line) + load<u64>(line ^ LINE_BYTES);
  }
  sink += seen;
}

/** Touches three lines, or what a header and a short key lie in. */
function touchItems(first: u32, end: u32, apart: u32): void {
  let seen: u64 = 0;
  for (let at = first; at < end; at += 1 << PLACE_SHIFT) {
    const item = load<u32>(at, PLACE_ITEM);
    seen += load<u64>(item) + load<u64>(item + apart) + load<u64>(item + 2 * apart);
  }
  sink += seen;
}

/** Computes without memory: `rounds` multiplications, each of which waits for the one before. */
export function compute(rounds: u32): void {
  let word = sink;
  for (let n: u32 = 0; n < rounds; n++) word = word * 0x9e3779b97f4a7c15 + 1;
  sink = word;
}

/** Reads `count` items: copies `bytes` from each behind a header into a buffer of answers. */
export function read(places: u32, count: u32, bytes: u32, head: u32, out: u32, outMask: u32): void {
  let to: u32 = 0;
  for (let n: u32 = 0; n < count; n += GROUP) {
    const first = placeAt(places, n);
    const end = placeAt(places, min<u32>(count, n + GROUP));
    touchLines(first, end, 0);
    touchItems(first, end, LINE_BYTES);
    for (let at = first; at < end; at += 1 << PLACE_SHIFT) {
      store<u64>(out + to, u64(at));
      memory.copy(out + to + ANSWER_BYTES, load<u32>(at, PLACE_ITEM) + head, bytes);
      to = (to + ANSWER_BYTES + bytes) & outMask;
    }
  }
}

/**
 * Writes over `count` items: copies `bytes` of each request to where the store is being filled, and
 * stores one word of the table and one of the item before. Returns where the store is filled to.
 */
export function write(
  places: u32, count: u32, bytes: u32, requests: u32, requestMask: u32, storeFrom: u32,
  storeEnd: u32, storeAt: u32,
): u32 {
  let from: u32 = 0;
  let to = storeAt;
  for (let n: u32 = 0; n < count; n += GROUP) {
    const first = placeAt(places, n);
    const end = placeAt(places, min<u32>(count, n + GROUP));
    touchLines(first, end, 0);
    touchItems(first, end, 18);
    for (let at = first; at < end; at += 1 << PLACE_SHIFT) {
      memory.copy(to, requests + from, bytes);
      store<u64>(load<u32>(at), u64(to));
      store<u8>(load<u32>(at, PLACE_ITEM), 1);
      from = (from + bytes) & requestMask;
      to += bytes;
      if (to + bytes > storeEnd) to = storeFrom;
    }
  }
  return to;
}

/**
 * Writes `count` new items, each in the place of another: as `write`, and for each also a word of
 * another line of the table is emptied and a word of the ghost is stored. The store is filled from
 * end to end, so the items that leave are read in order.
 */
export function replace(
  places: u32, count: u32, bytes: u32, requests: u32, requestMask: u32, storeFrom: u32,
  storeEnd: u32, storeAt: u32,
): u32 {
  let from: u32 = 0;
  let to = storeAt;
  let seen: u64 = 0;
  for (let n: u32 = 0; n < count; n += GROUP) {
    const first = placeAt(places, n);
    const end = placeAt(places, min<u32>(count, n + GROUP));
    touchLines(first, end, 0);
    touchLines(first, end, PLACE_VICTIM);
    for (let at = first; at < end; at += 1 << PLACE_SHIFT) {
      seen += load<u64>(to) + load<u64>(load<u32>(at, PLACE_GHOST));
      memory.copy(to, requests + from, bytes);
      store<u64>(load<u32>(at), u64(to));
      store<u64>(load<u32>(at, PLACE_VICTIM), 0);
      store<u64>(load<u32>(at, PLACE_GHOST), seen);
      from = (from + bytes) & requestMask;
      to += bytes;
      if (to + bytes > storeEnd) to = storeFrom;
    }
  }
  sink += seen;
  return to;
}
