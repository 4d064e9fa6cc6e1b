/**
 * A bucket searched at a stroke: the tags of each line's eight words side by side in one vector,
 * compared with the one that is sought, and both results in one mask.
 *
 *   words     | tag 0 ...   | tag 1 ...   | ... | tag 7 ...   |   tags are the upper 16 bits
 *   tags      | tag 0 | tag 1 | tag 2 | ... | tag 7 |
 *   matches   a bit for each of the fifteen entries, the lowest for the first
 *
 * These are plain loads. They never decide anything: a word whose tag matches is loaded again, one
 * atomic load, before it is believed; and what they may fail to see is what is written at the same
 * time. Where that matters, between two inserts of one key, `insert.ts` says what makes it right.
 */

/** The last word of a bucket is its link. */
const ENTRIES_MASK: u32 = 0x7fff;

/** The upper halves of the 32-bit words of two vectors; this very pattern is three instructions. */
@inline
function upperHalves(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}

/** The tags of the line's words. */
@inline
export function tagsOf(line: u32): v128 {
  const low = upperHalves(v128.load(line), v128.load(line, 16));
  return upperHalves(low, upperHalves(v128.load(line, 32), v128.load(line, 48)));
}

/** A bit for each entry of a bucket whose tag is `tag`, from the tags of its lines. */
@inline
export function matches(even: v128, odd: v128, tag: u64): u32 {
  const wanted = i16x8.splat(i16(tag));
  const equal = i8x16.narrow_i16x8_s(i16x8.eq(even, wanted), i16x8.eq(odd, wanted));
  return i8x16.bitmask(equal) & ENTRIES_MASK;
}
