/**
 * A block is what the log writes, checks and, with a key, encrypts as one piece: a header and whole
 * records. Blocks follow each other without gaps and have the length they need.
 *
 *    0 crc32c u32       of everything after it, from the file's seed xor the block's offset
 *    4 magic u32        to find blocks behind a damaged one
 *    8 bytes u32        of what follows the header, a multiple of 8
 *   12 number u32       0, 1, 2 … in its file; the nonce when the file is encrypted
 *   16 synced u32       up to this offset the file was on disk when this block was made
 *   20 records u32      how many there are
 *   24 flags u16        bit 0: the file ends here, and the one record is its summary
 *   26 zeros
 *   32 records; in an encrypted file as AES-256-GCM leaves them, and its tag of 16 bytes
 *
 * The offset is in the seed of the checksum, so a block that was written to a wrong place, or is
 * left over from another file, does not pass.
 */
import { checksum } from './checksum.js';
import { type FileCipher, TAG_BYTES } from './keys.js';

/** Bytes before the records of a block. */
export const BLOCK_HEADER_BYTES = 32;
/** The four bytes at 4 of every block. */
export const BLOCK_MAGIC = 0x4b4c424f;
/** This block ends its file. */
export const FLAG_LAST = 1 << 0;
const KNOWN_FLAGS = FLAG_LAST;
/** Everything in a file starts at a multiple of this. */
export const ALIGN_BYTES = 8;

/** Where in a block's header the fields of four bytes stand, counted in such fields. */
const SUM = 0;
const MAGIC = 1;
const BYTES = 2;
const NUMBER = 3;
const SYNCED = 4;
const RECORDS = 5;
const FLAGS = 6;
const ZEROS = 7;
const WORD_BYTES = 4;

/** What the header of a block says. */
export interface BlockHeader {
  /** What follows the header: the records, and the tag of an encrypted block. */
  readonly bytes: number;
  readonly number: number;
  readonly synced: number;
  readonly records: number;
  readonly flags: number;
}

/** A view of `bytes` as words; it must start at a multiple of four. */
function wordsOf(bytes: Uint8Array, at: number, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + at, count);
}

/**
 * Completes the block at `at` of `bytes`, whose records are in place: writes its header, encrypts
 * the records if there is a cipher, and writes the checksum. `offset` is where in its file the
 * block will stand.
 */
export function sealBlock(
  bytes: Uint8Array,
  at: number,
  header: BlockHeader,
  seed: number,
  offset: number,
  cipher?: FileCipher,
): void {
  const words = wordsOf(bytes, at, BLOCK_HEADER_BYTES / WORD_BYTES);
  words[MAGIC] = BLOCK_MAGIC;
  words[BYTES] = header.bytes;
  words[NUMBER] = header.number;
  words[SYNCED] = header.synced;
  words[RECORDS] = header.records;
  words[FLAGS] = header.flags;
  words[ZEROS] = 0;
  const from = at + BLOCK_HEADER_BYTES;
  const end = from + header.bytes;
  cipher?.seal(bytes, at, from, end - TAG_BYTES, header.number);
  words[SUM] = checksum(bytes.subarray(at + WORD_BYTES, end), seedAt(seed, offset));
}

function seedAt(seed: number, offset: number): number {
  return (seed ^ offset) >>> 0;
}

/**
 * The bytes of the block that starts at `at`, header included, if that can be a block at all; else
 * 0. Needs `BLOCK_HEADER_BYTES` bytes there, and trusts none of them.
 */
export function blockLength(bytes: Uint8Array, at: number): number {
  const words = wordsOf(bytes, at, BLOCK_HEADER_BYTES / WORD_BYTES);
  const length = words[BYTES] ?? 0;
  if (words[MAGIC] !== BLOCK_MAGIC || length % ALIGN_BYTES !== 0) return 0;
  return length + BLOCK_HEADER_BYTES;
}

/**
 * The header of the block at `at`, whose bytes are all there, or in a few words why there is no
 * block of the file with this seed at this offset.
 */
export function openBlock(
  bytes: Uint8Array,
  at: number,
  seed: number,
  offset: number,
): BlockHeader | string {
  const length = blockLength(bytes, at);
  if (length === 0) return 'there is no block';
  const words = wordsOf(bytes, at, BLOCK_HEADER_BYTES / WORD_BYTES);
  const sum = checksum(bytes.subarray(at + WORD_BYTES, at + length), seedAt(seed, offset));
  if (words[SUM] !== sum) return 'the checksum of the block is wrong';
  const flags = words[FLAGS] ?? 0;
  if ((flags & ~KNOWN_FLAGS) !== 0) return 'the block has flags that this version does not know';
  return {
    bytes: length - BLOCK_HEADER_BYTES,
    number: words[NUMBER] ?? 0,
    synced: words[SYNCED] ?? 0,
    records: words[RECORDS] ?? 0,
    flags,
  };
}
