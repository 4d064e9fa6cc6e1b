/**
 * The first bytes of a log file say what it is, and tell it from every other file there ever was:
 * the checksum of the header goes into that of each block, so that a block of another file, or of
 * an earlier life of the same disk sectors, is never taken for one of this.
 *
 *    0 magic "ORLOPLOG"          8 format u16    10 purpose u16    12 number u32
 *   16 node, 16 bytes           32 salt, 32 bytes, random for each file
 *   64 key identity, 16 bytes, zero when the file is not encrypted
 *   80 made u64, Unix ms        88 zeros        124 crc32c u32 of the bytes before it
 */
import { checksum } from './checksum.js';

/** Bytes of a file's header; its first block follows. */
export const FILE_HEADER_BYTES = 128;
/** The version of the format that this code writes, and the only one so far. */
export const FORMAT = 1;
/** Bytes of a node's identity. */
export const NODE_BYTES = 16;
/** Bytes of a file's salt, from which the key of an encrypted file is derived. */
export const SALT_BYTES = 32;
/** Bytes that tell keys apart without giving them away. */
export const KEY_ID_BYTES = 16;

const MAGIC = Buffer.from('ORLOPLOG', 'latin1');
const FORMAT_AT = 8;
const PURPOSE_AT = 10;
const NUMBER_AT = 12;
const NODE_AT = 16;
const SALT_AT = 32;
const KEY_ID_AT = 64;
const MADE_AT = 80;
const SUM_AT = 124;

/**
 * What a file is for: it took changes as they came, it was rewritten from other files, or it is a
 * backup and no part of a log.
 */
export const PURPOSES = ['feed', 'compacted', 'backup'] as const;
/** The name of a purpose; its place in the list is its number in the header. */
export type Purpose = (typeof PURPOSES)[number];

/** What the header of a log file says. */
export interface FileHeader {
  readonly purpose: Purpose;
  /** Files are numbered from 1 and a number is never used again. */
  readonly number: number;
  readonly node: Uint8Array;
  readonly salt: Uint8Array;
  /** All zero when the file is not encrypted. */
  readonly keyId: Uint8Array;
  /** Unix milliseconds. */
  readonly madeMs: number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The bytes of a header. */
export function encodeFileHeader(header: FileHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(FORMAT_AT, FORMAT, true);
  view.setUint16(PURPOSE_AT, PURPOSES.indexOf(header.purpose), true);
  view.setUint32(NUMBER_AT, header.number, true);
  bytes.set(header.node, NODE_AT);
  bytes.set(header.salt, SALT_AT);
  bytes.set(header.keyId, KEY_ID_AT);
  view.setBigUint64(MADE_AT, BigInt(header.madeMs), true);
  view.setUint32(SUM_AT, seedOf(bytes), true);
  return bytes;
}

/** What the checksums of a file's blocks start from: the checksum of its encoded header. */
export function seedOf(bytes: Uint8Array): number {
  return checksum(bytes.subarray(0, SUM_AT));
}

/** The checksum that an encoded header says it has. */
export function storedSeed(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(SUM_AT, true);
}

/** The salt and the identity of the key in an encoded header, whether it is whole or not. */
export function keyFieldsOf(bytes: Uint8Array): { salt: Uint8Array; keyId: Uint8Array } {
  return {
    salt: bytes.slice(SALT_AT, SALT_AT + SALT_BYTES),
    keyId: bytes.slice(KEY_ID_AT, KEY_ID_AT + KEY_ID_BYTES),
  };
}

/** What a header says, or in a few words why it is none. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | string {
  if (bytes.length < FILE_HEADER_BYTES) return `only ${bytes.length} bytes of the file's header`;
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) return 'this is no log file';
  const view = viewOf(bytes);
  const format = view.getUint16(FORMAT_AT, true);
  if (storedSeed(bytes) !== seedOf(bytes)) return "the file's header is damaged";
  if (format !== FORMAT) return `the file has format ${format}; this version reads ${FORMAT}`;
  const purpose = PURPOSES[view.getUint16(PURPOSE_AT, true)];
  if (purpose === undefined) return "the file's purpose is unknown to this version";
  return {
    purpose,
    number: view.getUint32(NUMBER_AT, true),
    node: bytes.slice(NODE_AT, NODE_AT + NODE_BYTES),
    ...keyFieldsOf(bytes),
    madeMs: Number(view.getBigUint64(MADE_AT, true)),
  };
}
