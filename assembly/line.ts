/**
 * A line of the table searched at a stroke: the tags of its eight words side by side in one vector,
 * compared with the one that is sought.
 *
 *   words     | tag 0 ...   | tag 1 ...   | ... | tag 7 ...   |   tags are the upper 16 bits
 *   tags      | tag 0 | tag 1 | tag 2 | ... | tag 7 |
 *   matches   a bit for each word, the lowest for the first
 *
 * These are plain loads. They never decide anything: a word whose tag matches is loaded again, one
 * atomic load, before it is believed; and what they may fail to see is what is written at the same
 * time. Where that matters, between two inserts of one key, `insert.ts` says what makes it right.
 */

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

/** Which of the tags are `tag`. */
@inline
export function matches(tags: v128, tag: u64): u32 {
  return i16x8.bitmask(i16x8.eq(tags, i16x8.splat(i16(tag))));
}
