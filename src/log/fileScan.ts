/**
 * Reads a log file block by block, checking each. The scan ends in one of three ways: at the block
 * that ends the file in order (`last`), where the bytes end (`end`), or where no block of this file
 * stands although bytes do (`broken`).
 */
import { messageOf } from '../base/errors.js';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  blockLength,
  FLAG_LAST,
  openBlock,
} from './block.js';
import { type Device, type DeviceFile, readFully } from './device.js';
import {
  decodeFileHeader,
  FILE_HEADER_BYTES,
  type FileHeader,
  keyFieldsOf,
  seedOf,
  storedSeed,
} from './fileHeader.js';
import { type FileCipher, NO_KEYS, TAG_BYTES } from './keys.js';

/** How a scan ended, once it has. */
export type ScanEnd = 'last' | 'end' | 'broken';

/** Bytes that are read at once, unless a block is longer. */
const CHUNK_BYTES = 1 << 20;

const NO_BLOCK: BlockHeader = { bytes: 0, number: 0, synced: 0, records: 0, flags: 0 };

/** One pass over a log file; see the top of this file. */
export class FileScan {
  /** What the file's header says; nothing when it is damaged. */
  readonly header: FileHeader | undefined;
  /** Whether blocks can be told from other bytes: always, unless the header is damaged. */
  readonly readable: boolean;
  /** What checksums in this file start from. */
  seed: number;
  /** The bytes of the file that count, which may be fewer than it has. */
  readonly fileBytes: number;
  /** Bytes that hold the records of the current block; decrypted, if the file is encrypted. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the records of the current block are in `bytes`. */
  recordsAt = 0;
  recordsEnd = 0;
  block: BlockHeader = NO_BLOCK;
  /** Where in the file the current block starts. */
  offset = 0;
  ended: ScanEnd | undefined;
  /** Why the scan is broken, in a few words. */
  problem = '';
  /** What the device said when it could not read a part of the file. */
  unreadable: string | undefined;
  /** Where the next block would start; where the whole part of the file ends. */
  next = FILE_HEADER_BYTES;

  readonly #file: DeviceFile;
  /** What the file is encrypted with; 'lost' when nobody knows. */
  readonly #cipher: FileCipher | 'lost' | undefined;
  #count = 0;
  /** The bytes around the current block, as the file has them. */
  #raw: Uint8Array<ArrayBuffer>;
  /** `#raw` holds the file from here … */
  #from = 0;
  /** … up to here. */
  #to = 0;

  /** Opens a file. Reads it only up to `end`, when that is given. */
  constructor(device: Device, path: string, end?: number) {
    this.#file = device.openToRead(path);
    this.fileBytes = Math.min(end ?? Number.POSITIVE_INFINITY, this.#file.size());
    const near = Math.max(FILE_HEADER_BYTES, Math.min(CHUNK_BYTES, this.fileBytes));
    this.#raw = new Uint8Array(near);
    this.bytes = this.#raw;
    this.#load(0, Math.min(FILE_HEADER_BYTES, this.fileBytes));
    const head = this.#raw.subarray(0, Math.min(FILE_HEADER_BYTES, this.#to));
    const header = decodeFileHeader(head);
    this.readable = head.length === FILE_HEADER_BYTES;
    this.seed = this.readable ? seedOf(head) : 0;
    this.header = typeof header === 'string' ? undefined : header;
    this.#cipher = this.#cipherOf(device, path, head);
    if (typeof header === 'string') this.#break(header, 0);
  }

  /** Closes the file when it throws. */
  #cipherOf(device: Device, path: string, head: Uint8Array): FileCipher | 'lost' | undefined {
    if (!this.readable) return undefined;
    const { keyId, salt } = keyFieldsOf(head);
    try {
      return (device.keys ?? NO_KEYS).cipherOf(keyId, salt, path);
    } catch (error) {
      // What a damaged header says about keys need not be true.
      if (this.header === undefined) return 'lost';
      this.#file.close();
      throw error;
    }
  }

  /** Bytes behind the records of each block. */
  get tagBytes(): number {
    return this.#cipher === undefined ? 0 : TAG_BYTES;
  }

  /**
   * Goes by the checksum that a damaged header says it has, rather than by that of its bytes: if
   * either is what it was, blocks can still be told.
   */
  trustStoredSeed(): void {
    this.#load(0, FILE_HEADER_BYTES);
    this.seed = storedSeed(this.#raw);
  }

  /** Steps to the next block; false when the scan has ended. */
  step(): boolean {
    if (this.ended !== undefined) return false;
    const offset = this.next;
    if (offset === this.fileBytes) {
      this.ended = 'end';
      return false;
    }
    const block = this.blockAt(offset);
    if (typeof block === 'string') return this.#break(block, offset);
    if (block.number !== this.#count) return this.#break('a block is out of turn', offset);
    this.#count++;
    this.block = block;
    this.offset = offset;
    this.next = offset + BLOCK_HEADER_BYTES + block.bytes;
    if ((block.flags & FLAG_LAST) !== 0) this.#endAfterLast();
    return true;
  }

  #endAfterLast(): void {
    if (this.next === this.fileBytes) this.ended = 'last';
    else this.#break('there are bytes behind the end of the file', this.next);
  }

  #break(problem: string, offset: number): false {
    this.ended = 'broken';
    this.problem = this.unreadable ?? problem;
    this.next = offset;
    return false;
  }

  /** Something in the current block makes no sense although its checksum is right. */
  refuse(problem: string): void {
    this.#break(problem, this.offset);
  }

  /** The block at any offset of the file, which is then the current one; or why there is none. */
  blockAt(offset: number): BlockHeader | string {
    const left = this.fileBytes - offset;
    if (left < BLOCK_HEADER_BYTES) return "a block's header is cut off";
    this.#load(offset, BLOCK_HEADER_BYTES);
    const length = blockLength(this.#raw, offset - this.#from);
    if (length === 0) return 'there is no block';
    if (length > left) return 'a block is cut off';
    this.#load(offset, length);
    const at = offset - this.#from;
    this.bytes = this.#raw;
    this.recordsAt = at + BLOCK_HEADER_BYTES;
    this.recordsEnd = at + length;
    const block = openBlock(this.#raw, at, this.seed, offset);
    if (typeof block === 'string' || this.#cipher === undefined) return block;
    if (this.#cipher === 'lost') return 'the block is encrypted, and nothing tells with which key';
    const { number } = block;
    const plain = this.#cipher.open(this.#raw, at, this.recordsAt, this.recordsEnd, number);
    if (plain === undefined) return 'the block was not made with the key of its file';
    this.bytes = plain;
    this.recordsAt = 0;
    this.recordsEnd = plain.length;
    return block;
  }

  /** The bytes from `offset` on that are near; at least one, unless the file has none there. */
  window(offset: number): Uint8Array {
    this.#load(offset, Math.min(CHUNK_BYTES, this.fileBytes - offset));
    return this.#raw.subarray(offset - this.#from, this.#to - this.#from);
  }

  /** Gets `length` bytes from `offset` on, which the file has, into `#raw`. */
  #load(offset: number, length: number): void {
    if (offset >= this.#from && offset + length <= this.#to) return;
    const kept = this.#keep(offset, length);
    const want = Math.min(this.#raw.length, this.fileBytes - offset) - kept;
    this.#from = offset;
    this.#to = offset + kept + this.#read(kept, want, offset + kept);
    // What can't be had reads as zeros, which are no block.
    if (this.#to < offset + length) this.#raw.fill(0, this.#to - offset, length);
  }

  #read(at: number, length: number, offset: number): number {
    try {
      return readFully(this.#file, this.#raw, at, length, offset);
    } catch (error) {
      this.unreadable = `the device can't read it: ${messageOf(error)}`;
      return 0;
    }
  }

  /** Moves what `#raw` has from `offset` on to its front; how much that is. */
  #keep(offset: number, length: number): number {
    const kept = offset >= this.#from && offset < this.#to ? this.#to - offset : 0;
    const source = this.#raw;
    const at = offset - this.#from;
    if (length > source.length) {
      this.#raw = new Uint8Array(Math.max(length, 2 * source.length));
      if (kept > 0) this.#raw.set(source.subarray(at, at + kept));
    } else if (kept > 0) source.copyWithin(0, at, at + kept);
    return kept;
  }

  close(): void {
    this.#file.close();
  }
}
