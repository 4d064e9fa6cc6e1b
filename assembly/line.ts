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

/** The tags of the line's words. */
@inline
export function tagsOf(line: u32): v128 {
  const low = i8x16.shuffle(
    v128.load(line), v128.load(line, 16), 6, 7, 14, 15, 22, 23, 30, 31, 0, 0, 0, 0, 0, 0, 0, 0,
  );
  const high = i8x16.shuffle(
    v128.load(line, 32), v128.load(line, 48), 6, 7, 14, 15, 22, 23, 30, 31, 0, 0, 0, 0, 0, 0, 0, 0,
  );
  return i64x2.shuffle(low, high, 0, 2);
}

/** Which of the tags are `tag`. */
@inline
export function matches(tags: v128, tag: u64): u32 {
  return i16x8.bitmask(i16x8.eq(tags, i16x8.splat(i16(tag))));
}
