import { key0, key1 } from "./layout";
import { itemKeyAt, itemKeyLength } from "./item";
import { sipHash13 } from "./siphash";

/** The hash of a key under the arena's own key. */
@inline
export function hashKey(keyAt: u32, keyLength: u32): u64 {
  return sipHash13(keyAt, keyLength, key0, key1);
}

/** The hash of an item's key. */
@inline
export function hashOfItem(item: u32): u64 {
  return hashKey(itemKeyAt(item), itemKeyLength(item));
}
