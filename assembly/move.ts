/** Moving an item: a copy elsewhere, and its entry swung over. */
import { ITEM_RANK, itemBytes, itemExpiryMs, itemInlineAt } from "./item";
import { allocate, completeItem, takeBack, weighCursor } from "./allocator";
import { isPaged, moveEntry, poolOfItem } from "./entry";
import { movePages, pagedLength, pagesFor } from "./pages";
import { COUNTER_MOVED, count } from "./counters";
import { pageShift } from "./layout";

/**
 * Copies an item to where `cursor` is and swings its entry over, unless that has changed; false
 * when no segment is free beyond `reserve`. A segment opened for it gets `age`, 0 = the next.
 */
export function moveItem(
  item: u32, hash: u64, at: u32, entry: u64, cursor: u32, reserve: u32, age: u64, rank: u8,
): bool {
  const bytes = itemBytes(item);
  const copy = allocate(cursor, bytes, reserve, age);
  if (copy == 0) return false;
  memory.copy(copy, item, bytes);
  store<u8>(copy, rank, ITEM_RANK);
  completeItem(cursor, itemExpiryMs(copy));
  if (isPaged(copy)) weighCursor(cursor, pagesFor(pagedLength(copy)) << pageShift);
  if (!moveEntry(at, entry, hash, copy)) {
    takeBack(cursor, copy);
    return true;
  }
  count(COUNTER_MOVED);
  if (isPaged(copy)) movePages(itemInlineAt(copy), poolOfItem(item), poolOfItem(copy));
  return true;
}
