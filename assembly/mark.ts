/**
 * Marks: tell apart what two nodes have of a key under one version, which comes about when both
 * write it in the same millisecond and neither hears of the other. Peers that compare themselves
 * see by it that the keys differ, and merge settles which of the two stays.
 *
 * A mark is made of the kind, the length and the first bytes of a value: to read all of every value
 * would take longer than everything else about a comparison. Where values may be on disk alone the
 * bytes do not count. Expiries do not count either, since they are told as what is left of them.
 */
import { itemInlineAt, itemKind } from "./item";
import { isAlive, isPaged, valueLength } from "./entry";
import { isStub, stubLength } from "./stub";
import { PAGE_LIST_HEADER } from "./pages";
import { tierLeast } from "./layout";

/** So many bytes of a value count; a page has more. */
const MARKED_BYTES: u32 = 128;
const FACTOR: u64 = 0x9e3779b97f4a7c15;

@inline
function mixed(sum: u64, word: u64): u64 {
  const product = (sum ^ word) * FACTOR;
  return product ^ (product >> 32);
}

/** The mark of an item; 0 when readers do not find it, and not 0 when they do. */
export function markOf(item: u32): u32 {
  if (!isAlive(item)) return 0;
  const length = isStub(item) ? stubLength(item) : valueLength(item);
  let sum = mixed(u64(length), u64(itemKind(item)));
  if (tierLeast == 0 || length < tierLeast) {
    const inlineAt = itemInlineAt(item);
    const at = isPaged(item) ? load<u32>(inlineAt + PAGE_LIST_HEADER) : inlineAt;
    const end = at + min<u32>(length, MARKED_BYTES);
    let from = at;
    for (; from + 8 <= end; from += 8) sum = mixed(sum, load<u64>(from));
    for (; from < end; from++) sum = mixed(sum, u64(load<u8>(from)));
  }
  return u32(sum ^ (sum >> 32)) | 1;
}
