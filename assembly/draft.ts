/** The item a write is about to publish: built whole in the lane's own segment, or taken back. */
import {
  PAGES_PER_SEGMENT, pageBytes, pageShift, segmentBytes, segments, tierLeast,
} from "./layout";
import {
  ITEM_GONE, ITEM_LOCATED, ITEM_MERGED, ITEM_PAGED, STATE_LIVE, STATE_PENDING, expiryFrom,
  itemBytesFor, itemFlags, itemInlineAt, itemInlineLength, itemKeyAt, itemKeyLength, itemKind,
  itemVersion, lifetimeFor, locationBytes, writeItemHeader,
} from "./item";
import { allocate, completeItem, survivorReserve, takeBack, weighCursor } from "./allocator";
import { heldBy } from "./segment";
import { fillPages, pageListBytes, pagesFor, releasePages, takePages } from "./pages";

/** The cursor of the draft in work, so that it can be taken back. */
let draftCursor: u32 = 0;
/** The epoch that has to pass before the draft that found no memory finds some; 0: none has to. */
export let draftHeldAt: u64 = 0;
/** Pages that the draft that found no memory was short of; 0: it lacked a segment. */
export let pagesWanted: u32 = 0;

export const FITS: u32 = 0;
export const KEY_TOO_LONG: u32 = 1;
export const NO_SUCH_SPACE: u32 = 2;

/** Whether a value of this length goes to pages. */
@inline
function goesToPages(keyLength: u32, length: u32): bool {
  return length > pageBytes && itemBytesFor(keyLength, length) > segmentBytes >> 2;
}

/** Whether this arena can hold such an item at all: half of it at most goes to one value. */
export function fitsArena(keyLength: u32, length: u32): u32 {
  if (!goesToPages(keyLength, length)) {
    return itemBytesFor(keyLength, length) + beside(length) <= segmentBytes ? FITS : KEY_TOO_LONG;
  }
  if (pagesFor(length) > (segments / 2) * PAGES_PER_SEGMENT) return NO_SUCH_SPACE;
  const bytes = itemBytesFor(keyLength, pageListBytes(length)) + beside(length);
  return bytes <= segmentBytes ? FITS : NO_SUCH_SPACE;
}

/** Bytes that a value of this length has beside it where there is a tier. */
@inline
function beside(length: u32): u32 {
  return tierLeast != 0 && length >= tierLeast ? locationBytes(ITEM_LOCATED) : 0;
}

/** Room for an item in `pool`, or 0. */
@inline
function reserve(pool: u32, bytes: u32): u32 {
  const item = allocate(pool, bytes, survivorReserve(), 0);
  pagesWanted = 0;
  draftHeldAt = item == 0 ? heldBy(survivorReserve()) : 0;
  draftCursor = pool;
  return item;
}

/** Forgets that memory was held. */
@inline
export function forgetHeld(): void {
  draftHeldAt = 0;
}

/**
 * Builds an item from its parts. If `flags` say LOCATED it has room for a location where there is a
 * tier and the value is long enough. A pending item is for `insertItem`, a live one for
 * `replaceEntry`.
 * Returns 0 when there is no memory at the moment.
 */
export function draftItem(
  pool: u32, version: u64, expiryMs: u64, flags: u32, pending: bool, keyAt: u32, keyLength: u32,
  valueAt: u32, length: u32, kind: u32, rank: u32,
): u32 {
  const paged = goesToPages(keyLength, length);
  const inlineLength = paged ? pageListBytes(length) : length;
  if (beside(length) == 0) flags &= ~ITEM_LOCATED;
  const inlineBytes = itemBytesFor(keyLength, inlineLength);
  const item = reserve(pool, inlineBytes + locationBytes(flags));
  if (item == 0) return 0;
  const lifetime = lifetimeFor(version, expiryMs);
  const state = (pending ? STATE_PENDING : STATE_LIVE) | flags | (paged ? ITEM_PAGED : 0);
  writeItemHeader(item, version, lifetime, state, keyLength, inlineLength, kind, rank);
  if (flags & ITEM_LOCATED) store<u64>(item + inlineBytes, 0);
  if (!paged && valueAt == keyAt + keyLength) {
    memory.copy(itemKeyAt(item), keyAt, keyLength + length);
    completeItem(pool, expiryFrom(version, lifetime));
    return item;
  }
  memory.copy(itemKeyAt(item), keyAt, keyLength);
  if (paged) {
    if (!takePages(item, itemInlineAt(item), length)) {
      pagesWanted = pagesFor(length);
      takeBack(pool, item);
      return 0;
    }
    fillPages(itemInlineAt(item), valueAt, length);
    weighCursor(pool, pagesFor(length) << pageShift);
  } else {
    memory.copy(itemInlineAt(item), valueAt, length);
  }
  completeItem(pool, expiryFrom(version, lifetime));
  return item;
}

/** Builds a live copy of `old` with another version and expiry; it lists the same pages. */
export function draftCopy(old: u32, pool: u32, version: u64, expiryMs: u64, rank: u32): u32 {
  const keyLength = itemKeyLength(old);
  const inlineLength = itemInlineLength(old);
  const flags = (itemFlags(old) & ~(ITEM_MERGED | ITEM_GONE)) | STATE_LIVE;
  const inlineBytes = itemBytesFor(keyLength, inlineLength);
  const item = reserve(pool, inlineBytes + locationBytes(flags));
  if (item == 0) return 0;
  const lifetime = lifetimeFor(version, expiryMs);
  if (flags & ITEM_LOCATED) store<u64>(item + inlineBytes, 0);
  writeItemHeader(item, version, lifetime, flags, keyLength, inlineLength, itemKind(old), rank);
  memory.copy(itemKeyAt(item), itemKeyAt(old), keyLength + inlineLength);
  completeItem(pool, expiryFrom(version, lifetime));
  return item;
}

/**
 * Builds the live tombstone of `old` under its version, or returns 0: it takes no segment that
 * lanes need for cleaning. It has nothing to do with the draft in work.
 */
export function draftGrave(
  old: u32, pool: u32, flags: u32, expiryMs: u64, kind: u32, rank: u32,
): u32 {
  const keyLength = itemKeyLength(old);
  const item = allocate(pool, itemBytesFor(keyLength, 0), 2 * survivorReserve(), 0);
  if (item == 0) return 0;
  const version = itemVersion(old);
  const lifetime = lifetimeFor(version, expiryMs);
  writeItemHeader(item, version, lifetime, flags | STATE_LIVE, keyLength, 0, kind, rank);
  memory.copy(itemKeyAt(item), itemKeyAt(old), keyLength);
  completeItem(pool, expiryFrom(version, lifetime));
  return item;
}

/** Takes back the tombstone nobody has seen; it was allocated last. */
@inline
export function discardGrave(pool: u32, item: u32): void {
  takeBack(pool, item);
}

/** Gives back the pages of an item that was not published. */
@inline
export function releaseDraftPages(item: u32): void {
  if ((itemFlags(item) & ITEM_PAGED) == 0) return;
  releasePages(itemInlineAt(item), pagesFor(load<u32>(itemInlineAt(item))));
}

/** Takes back the draft nobody has seen. */
export function discardDraft(item: u32, ownsPages: bool): void {
  if (ownsPages) releaseDraftPages(item);
  takeBack(draftCursor, item);
}
