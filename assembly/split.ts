/**
 * The splitter: sorts the requests of one frame by the arena that has their key.
 *
 * A node with more memory than one arena can hold has several, and the slot of a key picks its
 * arena. Walking through a frame in JavaScript costs as much as carrying it out, and an instance of
 * the core can't reach into two memories. So a splitter is an instance over a small memory of its
 * own, one for each thread. The host copies a frame in, `split` puts the requests of each arena one
 * behind the other, and the host copies each part on into the inbox of its arena.
 *
 *   0            ends           4 bytes an arena: where its part ends
 *   TABLES_AT    CRC tables     8 x 256 x 2 bytes
 *   FRAME_AT     frame          frameBytes
 *   homesAt      homes          a byte for each request: its arena
 *   partsAt      parts          frameBytes: the requests again, those of arena 0 first
 *
 * Requests that are not of one arena (a clear, a scan) and bytes that are no request are left to
 * the host: `split` stops before them.
 *
 * The slot is that of Redis Cluster: CRC16/XMODEM of the key, or of what stands in its first pair
 * of braces if that is not empty, modulo 16384. The CRC goes eight bytes at a time: table k holds
 * what a byte becomes when k zero bytes follow it, and the CRC of a sum is the sum of the CRCs.
 */
import { BOX_ALIGN, alignUp } from "./layout";
import { OP_CLEAR, OP_SCAN, REQUEST_HEADER_BYTES } from "./wire";
import { hasKey } from "./verbs/run";
import { isWellFramed, keyAtOf, keyLengthOf, opcodeAt, requestSize } from "./request";

/** A home fits into a byte. */
export const SPLIT_ARENAS_MAX: u32 = 256;
export const SPLIT_FRAME_AT: u32 = 8192;
export const SLOTS: u32 = 16384;
/** What `splitStop` says of a frame that went through as a whole, and of a malformed one. */
export const SPLIT_WHOLE: u32 = 0;
export const SPLIT_MALFORMED: u32 = 0x100;

const TABLES_AT: u32 = 1024;
const TABLE_BYTES: u32 = 512;
const TABLES: u32 = 8;
const POLYNOMIAL: u32 = 0x1021;

const OPENING: u32 = 0x7b;
const CLOSING: u32 = 0x7d;
const OPENINGS: u64 = 0x7b7b7b7b7b7b7b7b;
const ONES: u64 = 0x0101010101010101;
const HIGH_BITS: u64 = 0x8080808080808080;

let homesAt: u32 = 0;
let partsAt: u32 = 0;
let stop: u32 = 0;

/** Lays out a zeroed memory for frames of up to `frameBytes`; returns how long it must be. */
export function splitFormat(frameBytes: u32): u32 {
  homesAt = alignUp(SPLIT_FRAME_AT + frameBytes, BOX_ALIGN);
  partsAt = alignUp(homesAt + frameBytes / REQUEST_HEADER_BYTES + 1, BOX_ALIGN);
  return partsAt + frameBytes;
}

/** Fills the tables; the memory is as long as `splitFormat` said. */
export function splitPrepare(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
    }
    storeTable(0, byte, crc);
  }
  for (let table: u32 = 1; table < TABLES; table++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const crc = lookUp(table - 1, byte);
      storeTable(table, byte, (crc << 8) ^ lookUp(0, crc >> 8));
    }
  }
}

function storeTable(table: u32, byte: u32, crc: u32): void {
  store<u16>(TABLES_AT + table * TABLE_BYTES + (byte << 1), u16(crc));
}

@inline
function lookUp(table: u32, byte: u32): u32 {
  return u32(load<u16>(TABLES_AT + table * TABLE_BYTES + (byte << 1)));
}

/** Where the parts begin; they lie one behind the other. */
export function splitPartsAt(): u32 {
  return partsAt;
}

/** Why the last `split` stopped: SPLIT_WHOLE, SPLIT_MALFORMED, or the opcode that it left. */
export function splitStop(): u32 {
  return stop;
}

/**
 * Sorts the first `length` bytes of the frame for `arenas` arenas; returns how many of them the
 * parts hold. A request without a key is for the first arena.
 */
export function split(length: u32, arenas: u32): u32 {
  for (let arena: u32 = 0; arena < arenas; arena++) store<u32>(arena << 2, 0);
  const end = SPLIT_FRAME_AT + length;
  let at = SPLIT_FRAME_AT;
  let home = homesAt;
  stop = SPLIT_WHOLE;
  while (at < end) {
    stop = reasonToStop(at, end - at);
    if (stop != SPLIT_WHOLE) break;
    const arena = hasKey(opcodeAt(at)) ? slotOf(keyAtOf(at), keyLengthOf(at)) % arenas : 0;
    const size = requestSize(at);
    store<u8>(home++, u8(arena));
    store<u32>(arena << 2, load<u32>(arena << 2) + size);
    at += size;
  }
  layParts(at, arenas);
  return at - SPLIT_FRAME_AT;
}

@inline
function reasonToStop(at: u32, left: u32): u32 {
  if (!isWellFramed(at, left)) return SPLIT_MALFORMED;
  const op = opcodeAt(at);
  return op == OP_SCAN || op == OP_CLEAR ? op : SPLIT_WHOLE;
}

/** Copies the requests before `end` to their parts; the sizes of the parts become their ends. */
function layParts(end: u32, arenas: u32): void {
  let next = partsAt;
  for (let arena: u32 = 0; arena < arenas; arena++) {
    const size = load<u32>(arena << 2);
    store<u32>(arena << 2, next);
    next += size;
  }
  let home = homesAt;
  for (let at = SPLIT_FRAME_AT; at < end;) {
    const size = requestSize(at);
    const part = u32(load<u8>(home++)) << 2;
    const to = load<u32>(part);
    memory.copy(to, at, size);
    store<u32>(part, to + size);
    at += size;
  }
}

/** The slot of the key at `at`; all but its tag is fast. */
export function slotOf(at: u32, length: u32): u32 {
  const end = at + length;
  let from = at;
  let crc: u32 = 0;
  let opened: u64 = 0;
  for (; from + 8 <= end; from += 8) {
    const word = load<u64>(from);
    const masked = word ^ OPENINGS;
    opened |= (masked - ONES) & ~masked & HIGH_BITS;
    crc = crcOfWord(word ^ u64((crc >> 8) | ((crc & 0xff) << 8)));
  }
  for (; from < end; from++) {
    const byte = u32(load<u8>(from));
    opened |= u64(byte == OPENING);
    crc = crcOfByte(crc, byte);
  }
  return opened == 0 ? crc & (SLOTS - 1) : slotOfTag(at, end);
}

@inline
function crcOfByte(crc: u32, byte: u32): u32 {
  return ((crc << 8) & 0xffff) ^ lookUp(0, (crc >> 8) ^ byte);
}

@inline
function crcOfWord(word: u64): u32 {
  const low = u32(word);
  const high = u32(word >> 32);
  return lookUp(7, low & 0xff) ^ lookUp(6, (low >> 8) & 0xff) ^ lookUp(5, (low >> 16) & 0xff)
    ^ lookUp(4, low >> 24) ^ lookUp(3, high & 0xff) ^ lookUp(2, (high >> 8) & 0xff)
    ^ lookUp(1, (high >> 16) & 0xff) ^ lookUp(0, high >> 24);
}

/** The slot of a key with a brace: that of what its first pair of braces encloses, if it does. */
function slotOfTag(at: u32, end: u32): u32 {
  const open = seek(at, end, OPENING);
  const close = seek(open, end, CLOSING);
  if (close == end || close == open + 1) return crcBetween(at, end) & (SLOTS - 1);
  return crcBetween(open + 1, close) & (SLOTS - 1);
}

/** Where the first such byte is, or `end`. */
function seek(at: u32, end: u32, byte: u32): u32 {
  while (at < end && u32(load<u8>(at)) != byte) at++;
  return at;
}

function crcBetween(at: u32, end: u32): u32 {
  let crc: u32 = 0;
  for (; at < end; at++) crc = crcOfByte(crc, u32(load<u8>(at)));
  return crc;
}
