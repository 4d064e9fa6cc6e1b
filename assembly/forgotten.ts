/**
 * Forgotten: for each slot, the highest version that was evicted or purged of its keys. What a peer
 * has of a key that is absent here is taken only above it, so what was deleted, has expired or was
 * evicted does not come back.
 *
 * Floors will not do for this. They are raised for other reasons, too: by a restart to the highest
 * version of the log, and by what is dropped because somebody else owns it now. What was missed by
 * a node that was away lies below them, and would stay missing.
 *
 * The host puts the table behind the boxes of a memory that has feeds, and nothing is noted while
 * no peer is told of changes: then nobody asks.
 *
 *   forgottenAt + 8 * slot   u64, a version
 */
import { FEED_PEERS } from "./feed";
import { H_FEED_ON, H_FORGOTTEN_AT } from "./layout";
import { floorVersion, raise } from "./version";
import { itemKeyAt, itemKeyLength, itemVersion } from "./item";

export const FORGOTTEN_SLOTS: u32 = 16384;

const OPENING: u32 = 0x7b;
const CLOSING: u32 = 0x7d;

/** CRC16/XMODEM without tables, for there is no static data, and removals are rarer than reads. */
function crcBetween(at: u32, end: u32): u32 {
  let crc: u32 = 0;
  for (; at < end; at++) {
    let byte = (crc >> 8) ^ u32(load<u8>(at));
    byte ^= byte >> 4;
    crc = ((crc << 8) ^ (byte << 12) ^ (byte << 5) ^ byte) & 0xffff;
  }
  return crc;
}

/** Where the first such byte is, or `end`. */
function seek(at: u32, end: u32, byte: u32): u32 {
  while (at < end && u32(load<u8>(at)) != byte) at++;
  return at;
}

/** The slot of a key, as of `split.ts`, whose tables are in another memory. */
function slotOfKey(at: u32, length: u32): u32 {
  const end = at + length;
  const open = seek(at, end, OPENING);
  const close = seek(open, end, CLOSING);
  const tagged = close < end && close > open + 1;
  const crc = tagged ? crcBetween(open + 1, close) : crcBetween(at, end);
  return crc & (FORGOTTEN_SLOTS - 1);
}

/** Notes that an item is about to be gone for good. */
export function forget(item: u32): void {
  const table = load<u32>(H_FORGOTTEN_AT);
  if (table == 0 || (atomic.load<u32>(H_FEED_ON) & FEED_PEERS) == 0) return;
  const slot = slotOfKey(itemKeyAt(item), itemKeyLength(item));
  raise(table + (slot << 3), itemVersion(item));
}

/** Up to which version keys like this one are forgotten. */
export function forgottenVersion(hash: u64, keyAt: u32, keyLength: u32): u64 {
  const table = load<u32>(H_FORGOTTEN_AT);
  if (table == 0) return floorVersion(hash);
  return atomic.load<u64>(table + (slotOfKey(keyAt, keyLength) << 3));
}
