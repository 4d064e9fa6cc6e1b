/**
 * Files of the data folder that are not of the log, but encrypted where it is, and as it is
 * (`keys.ts`): with a key of its own for each file, and the number of the block as the nonce. Who
 * goes on with a file of another run writes it anew, so no number comes twice under one key.
 *
 *   file     0 magic u32 | 4 format u32 | 8 salt, 32 bytes | 40 key identity, 16, 0 = not encrypted
 *            56 CRC32C of the bytes before it u32 | 60 blocks
 *   block    0 CRC32C of the rest u32, seeded with the place | 4 size of all of it u32
 *            8 what is in it, perhaps encrypted | tag, 16 bytes, if it is
 */
import type { Random } from '../base/random.js';
import { checksum } from './checksum.js';
import { KEY_ID_BYTES, SALT_BYTES } from './fileHeader.js';
import { type FileCipher, type KeyRing, TAG_BYTES } from './keys.js';

const FORMAT = 2;
const SALT_AT = 8;
const KEY_ID_AT = SALT_AT + SALT_BYTES;
const SUM_AT = KEY_ID_AT + KEY_ID_BYTES;
const BLOCK_HEAD_BYTES = 8;

/** Bytes in front of the blocks. */
export const FILE_HEAD_BYTES = SUM_AT + 4;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The head of a new file, and what its blocks are encrypted with, if they are. */
export interface BegunFile {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly cipher: FileCipher | undefined;
}

/** Begins a file of a kind, encrypted with the first of the keys, if there is one. */
export function beginFile(magic: number, keys: KeyRing, random: Random): BegunFile {
  const head = new Uint8Array(FILE_HEAD_BYTES);
  const view = viewOf(head);
  const isPlain = keys.writingName === undefined;
  const salt = isPlain ? new Uint8Array(SALT_BYTES) : random.bytes(SALT_BYTES);
  view.setUint32(0, magic, true);
  view.setUint32(4, FORMAT, true);
  head.set(salt, SALT_AT);
  head.set(keys.writingId, KEY_ID_AT);
  view.setUint32(SUM_AT, checksum(head.subarray(0, SUM_AT), 0), true);
  return { head, cipher: keys.cipherOf(keys.writingId, salt, '') };
}

/** Whether a file would be encrypted with another key now, or no more, or not yet. */
export function isStaleFile(file: Uint8Array, keys: KeyRing): boolean {
  return keys.isStale(file.subarray(KEY_ID_AT, SUM_AT));
}

/** The bytes of the block with this number, at this place of the file, with these parts in it. */
export function blockOf(
  parts: readonly Uint8Array[],
  cipher: FileCipher | undefined,
  number: number,
  place: number,
): Uint8Array {
  const plainBytes = parts.reduce((sum, { length }) => sum + length, BLOCK_HEAD_BYTES);
  const bytes = new Uint8Array(plainBytes + (cipher === undefined ? 0 : TAG_BYTES));
  const view = viewOf(bytes);
  view.setUint32(4, bytes.length, true);
  let at = BLOCK_HEAD_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  cipher?.seal(bytes, 0, BLOCK_HEAD_BYTES, plainBytes, number);
  view.setUint32(0, checksum(bytes.subarray(4), place >>> 0), true);
  return bytes;
}

/** What is in a block, and where that ends; nothing when it makes no sense. */
function blockAt(
  file: Uint8Array,
  cipher: FileCipher | undefined,
  number: number,
  place: number,
): [contents: Uint8Array, end: number] | undefined {
  const from = place + BLOCK_HEAD_BYTES;
  if (from > file.length) return undefined;
  const view = viewOf(file);
  const end = place + view.getUint32(place + 4, true);
  if (end < from || end > file.length) return undefined;
  const sum = checksum(file.subarray(place + 4, end), place >>> 0);
  if (sum !== view.getUint32(place, true)) return undefined;
  const contents = cipher ? cipher.open(file, place, from, end, number) : file.subarray(from, end);
  return contents && [contents, end];
}

/** Where the blocks of a file of this kind begin; 0 for one of another kind. */
export function blocksFrom(magic: number, file: Uint8Array): number {
  if (file.length < FILE_HEAD_BYTES) return 0;
  const view = viewOf(file);
  const isOurs = view.getUint32(0, true) === magic && view.getUint32(4, true) === FORMAT;
  const sum = checksum(file.subarray(0, SUM_AT), 0);
  return isOurs && view.getUint32(SUM_AT, true) === sum ? FILE_HEAD_BYTES : 0;
}

/**
 * What is in each block of a file, and where that ends, up to the first that makes no sense;
 * nothing of a file of another kind. Throws `InputError` when the file is encrypted with a key that
 * is not on the ring.
 */
export function* blocksIn(
  magic: number,
  file: Uint8Array,
  keys: KeyRing,
  path: string,
): Iterable<[contents: Uint8Array, end: number]> {
  let place = blocksFrom(magic, file);
  if (place === 0) return;
  const salt = file.subarray(SALT_AT, KEY_ID_AT);
  const cipher = keys.cipherOf(file.subarray(KEY_ID_AT, SUM_AT), salt, path);
  for (let number = 0; ; number++) {
    const found = blockAt(file, cipher, number, place);
    if (found === undefined) return;
    yield found;
    place = found[1];
  }
}
