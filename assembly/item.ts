/**
 * An item: header, key, value. Written whole, published by one compare-and-swap, and from then on
 * unchanged but for its state and its rank.
 *
 *    0        8         12      13     14     15       16       18
 *    +--------+---------+-------+------+------+--------+--------+-----+-------+
 *    | version| lifetime| state | rank | kind | key    | value  | key | value |
 *    | u64    | u32     | flags | u8   | u8   | length | length |     |       |
 *    |        |         | u8    |      |      | u8     | u16    |     |       |
 *    +--------+---------+-------+------+------+--------+--------+-----+-------+
 *
 * A key of more than 255 bytes or a value of 64 KiB or more does not fit these lengths. The length
 * of the key is 0 then, which no key has, and four more bytes of header follow:
 *
 *   16 value length, low half u16 | 18 key length u16 | 20 value length, high half u16 | 22 key
 *
 *   state    bits 0-1  0 pending, 1 live, 2 dead (see `insert.ts`)
 *   flags    bit 2 tombstone, bit 3 paged (the value is a page list, see `pages.ts`), bit 4 intent
 *            (reserved), bit 5 located (behind the value comes a location, see `stub.ts`), bit 6
 *            merged, bit 7 gone:
 *            the table has stopped pointing at it, so that a cleaner need not look
 *   kind     the wire's encoding byte: low nibble encoding, high nibble type
 *   rank     belongs to the policy: a saturating counter or an access stamp
 *   lifetime the expiry, counted from the version's clock so that 32 bits are enough (0 = none):
 *              bit 31 clear  a signed 31-bit number of milliseconds after the version's millisecond
 *              bit 31 set    a signed 31-bit number of seconds after the version's whole second
 *            The second form rounds the expiry up to a whole second, and such an expiry is carried
 *            from version to version without drift. As 0 says never, an expiry in the very
 *            millisecond of its version is kept a millisecond later.
 *
 * Items are aligned to two bytes; of all their fields only the state is read with atomic loads.
 */
import { SEGMENT_HEADER_BYTES, segmentShift, segmentsAt, storeAt } from "./layout";
import { VERSION_COUNTER_BITS } from "./version";

export const ITEM_HEADER_BYTES: u32 = 18;
export const ITEM_LONG_HEADER_BYTES: u32 = 22;
export const ITEM_ALIGN: u32 = 2;
/** Longer keys and values need the long header. */
export const ITEM_SHORT_KEY_MAX: u32 = 0xff;
export const ITEM_SHORT_VALUE_MAX: u32 = 0xffff;

export const STATE_MASK: u32 = 3;
export const STATE_PENDING: u32 = 0;
export const STATE_LIVE: u32 = 1;
export const STATE_DEAD: u32 = 2;
export const ITEM_TOMBSTONE: u32 = 1 << 2;
export const ITEM_PAGED: u32 = 1 << 3;
export const ITEM_INTENT: u32 = 1 << 4;
export const ITEM_LOCATED: u32 = 1 << 5;
const LOCATED_SHIFT: u32 = 2;
export const ITEM_MERGED: u32 = 1 << 6;
export const ITEM_GONE: u32 = 1 << 7;

export const ITEM_VERSION: u32 = 0;
export const ITEM_LIFETIME: u32 = 8;
export const ITEM_STATE: u32 = 12;
export const ITEM_RANK: u32 = 13;
export const ITEM_KIND: u32 = 14;
export const ITEM_KEY_LENGTH: u32 = 15;
export const ITEM_VALUE_LENGTH: u32 = 16;
export const ITEM_LONG_KEY_LENGTH: u32 = 18;
export const ITEM_LONG_VALUE_LENGTH: u32 = 20;

export const LIFETIME_NONE: u32 = 0;
export const LIFETIME_SECONDS: u32 = 1 << 31;
/** Beyond this distance from the version's clock an expiry is kept in whole seconds. */
export const LIFETIME_MS_MAX: i64 = (1 << 30) - 1;
/** No expiry lies further away than this: about 34 years. */
export const LIFETIME_S_MAX: i64 = (1 << 30) - 1;

@inline
export function itemVersion(item: u32): u64 {
  return load<u64>(item, ITEM_VERSION);
}

@inline
export function itemState(item: u32): u32 {
  return u32(atomic.load<u8>(item, ITEM_STATE)) & STATE_MASK;
}

@inline
export function itemFlags(item: u32): u32 {
  return u32(load<u8>(item, ITEM_STATE)) & ~STATE_MASK;
}

/** The length of a short key; 0 says that the header is a long one. */
@inline
function shortKeyLength(item: u32): u32 {
  return u32(load<u8>(item, ITEM_KEY_LENGTH));
}

@inline
export function itemKeyLength(item: u32): u32 {
  const length = shortKeyLength(item);
  return length != 0 ? length : u32(load<u16>(item, ITEM_LONG_KEY_LENGTH));
}

/** Bytes before the key. */
@inline
export function itemHeaderBytes(item: u32): u32 {
  return shortKeyLength(item) != 0 ? ITEM_HEADER_BYTES : ITEM_LONG_HEADER_BYTES;
}

/** Marks an item that was live as out of the table; after it is. */
@inline
export function markGone(item: u32): void {
  store<u8>(item, load<u8>(item, ITEM_STATE) | u8(ITEM_GONE), ITEM_STATE);
}

/** Whether an item is known to be out of the table; one that is may not be known yet. */
@inline
export function isGone(item: u32): bool {
  const state = u32(load<u8>(item, ITEM_STATE));
  return (state & ITEM_GONE) != 0 || (state & STATE_MASK) == STATE_DEAD;
}

/** The length of the value as it lies in the segment: of a paged item, of its page list. */
@inline
export function itemInlineLength(item: u32): u32 {
  const low = u32(load<u16>(item, ITEM_VALUE_LENGTH));
  if (shortKeyLength(item) != 0) return low;
  return low | (u32(load<u16>(item, ITEM_LONG_VALUE_LENGTH)) << 16);
}

@inline
export function itemKind(item: u32): u32 {
  return u32(load<u8>(item, ITEM_KIND));
}

@inline
export function itemKeyAt(item: u32): u32 {
  return item + itemHeaderBytes(item);
}

@inline
export function itemInlineAt(item: u32): u32 {
  const length = shortKeyLength(item);
  return length != 0
    ? item + ITEM_HEADER_BYTES + length
    : item + ITEM_LONG_HEADER_BYTES + u32(load<u16>(item, ITEM_LONG_KEY_LENGTH));
}

/** Whether such an item needs the long header. */
@inline
function isLong(keyLength: u32, inlineLength: u32): bool {
  return keyLength > ITEM_SHORT_KEY_MAX || inlineLength > ITEM_SHORT_VALUE_MAX;
}

/** Bytes an item of this shape takes in its segment. */
@inline
export function itemBytesFor(keyLength: u32, inlineLength: u32): u32 {
  const header = isLong(keyLength, inlineLength) ? ITEM_LONG_HEADER_BYTES : ITEM_HEADER_BYTES;
  return (header + keyLength + inlineLength + ITEM_ALIGN - 1) & ~(ITEM_ALIGN - 1);
}

@inline
export function itemBytes(item: u32): u32 {
  return itemBytesFor(itemKeyLength(item), itemInlineLength(item))
    + locationBytes(u32(load<u8>(item, ITEM_STATE)));
}

/** Bytes of the location that an item with these flags has: 8 or none. */
@inline
export function locationBytes(flags: u32): u32 {
  return (flags & ITEM_LOCATED) >> LOCATED_SHIFT;
}

/** The header of the segment that holds `item`. */
@inline
export function segmentOfItem(item: u32): u32 {
  return segmentsAt + ((item - storeAt) >> segmentShift) * SEGMENT_HEADER_BYTES;
}

/** Moves an item's state if it is still pending; one winner. */
@inline
export function settle(item: u32, state: u32): bool {
  const flags = itemFlags(item);
  const was = atomic.cmpxchg<u8>(item, u8(flags | STATE_PENDING), u8(flags | state), ITEM_STATE);
  return (u32(was) & STATE_MASK) == STATE_PENDING;
}

/** Writes the header of an item at `item`; key and value are the caller's. */
@inline
export function writeItemHeader(
  item: u32, version: u64, lifetime: u32, flags: u32, keyLength: u32, inlineLength: u32, kind: u32,
  rank: u32,
): void {
  store<u64>(item, version, ITEM_VERSION);
  store<u32>(item, lifetime, ITEM_LIFETIME);
  const marks = flags | (rank << 8) | (kind << 16);
  if (isLong(keyLength, inlineLength)) {
    store<u32>(item, marks, ITEM_STATE);
    store<u16>(item, u16(inlineLength), ITEM_VALUE_LENGTH);
    store<u16>(item, u16(keyLength), ITEM_LONG_KEY_LENGTH);
    store<u16>(item, u16(inlineLength >> 16), ITEM_LONG_VALUE_LENGTH);
  } else {
    store<u32>(item, marks | (keyLength << 24), ITEM_STATE);
    store<u16>(item, u16(inlineLength), ITEM_VALUE_LENGTH);
  }
}

@inline
function versionMs(version: u64): i64 {
  return i64(version >> VERSION_COUNTER_BITS);
}

/** The lifetime that makes an item of `version` expire at `expiryMs` (Unix ms; 0 = never). */
export function lifetimeFor(version: u64, expiryMs: u64): u32 {
  if (expiryMs == 0) return LIFETIME_NONE;
  const startMs = versionMs(version);
  const aheadMs = i64(expiryMs) - startMs;
  if (aheadMs <= LIFETIME_MS_MAX && aheadMs >= -LIFETIME_MS_MAX) {
    return aheadMs == 0 ? 1 : u32(aheadMs) & ~LIFETIME_SECONDS;
  }
  const aheadS = (i64(expiryMs) + 999) / 1000 - startMs / 1000;
  const clamped = min<i64>(max<i64>(aheadS, -LIFETIME_S_MAX), LIFETIME_S_MAX);
  return (u32(clamped) & ~LIFETIME_SECONDS) | LIFETIME_SECONDS;
}

/** When an item of `version` and `lifetime` expires, Unix ms; 0 = never. */
@inline
export function expiryFrom(version: u64, lifetime: u32): u64 {
  if (lifetime == LIFETIME_NONE) return 0;
  const ahead = i64(i32(lifetime << 1) >> 1);
  return lifetime & LIFETIME_SECONDS
    ? u64((versionMs(version) / 1000 + ahead) * 1000)
    : u64(versionMs(version) + ahead);
}

@inline
export function itemExpiryMs(item: u32): u64 {
  return expiryFrom(itemVersion(item), load<u32>(item, ITEM_LIFETIME));
}

/** Whether the eight bytes of key at a time are the same. */
export function sameBytes(a: u32, b: u32, length: u32): bool {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  if (length & 4) {
    if (load<u32>(a + i) != load<u32>(b + i)) return false;
    i += 4;
  }
  if (length & 2) {
    if (load<u16>(a + i) != load<u16>(b + i)) return false;
    i += 2;
  }
  return !(length & 1) || load<u8>(a + i) == load<u8>(b + i);
}

@inline
export function itemHasKey(item: u32, keyAt: u32, keyLength: u32): bool {
  return itemKeyLength(item) == keyLength && sameBytes(itemKeyAt(item), keyAt, keyLength);
}
