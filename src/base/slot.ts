/**
 * The slot of a key: which of 16384 shares of the key space it belongs to, exactly as in Redis
 * Cluster, so that what people know of its hash tags holds here.
 *
 *   slot = CRC16/XMODEM(tag) mod 16384
 *
 * The tag is what stands between the first `{` of the key and the first `}` after it, if that is at
 * least one byte; otherwise it is the whole key. Keys with the same tag share a slot:
 * `{user:7}:cart` and `{user:7}:name`.
 */

/** How many slots there are. */
export const SLOTS = 16_384;

/** One byte for each slot: 1 where it is so, 0 elsewhere. */
export function slotsWhere(isSo: (slot: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: SLOTS }, (_, slot) => (isSo(slot) ? 1 : 0));
}

const POLYNOMIAL = 0x1021;
const OPENING = 0x7b;
const CLOSING = 0x7d;

function crcOfByte(byte: number): number {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc & 0xffff;
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => crcOfByte(byte));

/** CRC16/XMODEM of the bytes from `start` up to `end`. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}

/** Where the first such byte from `at` on is, or `end`. */
function seek(bytes: Uint8Array, at: number, end: number, byte: number): number {
  let found = at;
  while (found < end && bytes[found] !== byte) found++;
  return found;
}

/** The slot of the key that is in `bytes` from `start` up to `end`. */
export function slotOf(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const open = seek(bytes, start, end, OPENING);
  const close = seek(bytes, open, end, CLOSING);
  const tagged = close < end && close > open + 1;
  const crc = tagged ? crc16(bytes, open + 1, close) : crc16(bytes, start, end);
  return crc % SLOTS;
}
