/**
 * Reads single records of a log, without blocking the thread. Whoever asks knows the file, the
 * block, the key and the version; the file may have been removed, rewritten or damaged since. So
 * nothing is believed that the checksum of the block does not cover, and a record is the one that
 * is meant only if key, version and length are the same.
 *
 * Blocks are short (`BLOCK_BYTES`), so one read gets a whole block with the record. Files stay open
 * while they are used: one that compaction has removed meanwhile can still be read, and what it
 * says of a version is still true.
 */

import type { AsyncDevice, AsyncFile } from './asyncDevice.js';
import { BLOCK_HEADER_BYTES, blockLength, openBlock } from './block.js';
import { decodeFileHeader, FILE_HEADER_BYTES, seedOf } from './fileHeader.js';
import { type FileCipher, type KeyRing, TAG_BYTES } from './keys.js';
import { BLOCK_BYTES } from './logFile.js';
import { logPath } from './names.js';
import type { Place } from './place.js';
import { RecordWalk, recordBytes } from './record.js';

/** Files that are open at once at most, unless more are being read. */
const FILES_MAX = 64;
/** Buffers for ordinary blocks that are kept for the next reads. */
const BUFFERS_MAX = 16;
const ORDINARY_BYTES = BLOCK_HEADER_BYTES + BLOCK_BYTES + TAG_BYTES;

/** The record that is wanted. */
export interface Sought extends Place {
  readonly key: Uint8Array;
  readonly version: bigint;
  /** Bytes of the value. */
  readonly length: number;
}

/** What a reader works with. */
export interface RecordReaderParts {
  readonly device: AsyncDevice;
  readonly folder: string;
  /** The keys of a log that is encrypted. */
  readonly keys: KeyRing;
}

interface OpenFile {
  readonly file: AsyncFile;
  /** What checksums in it start from. */
  readonly seed: number;
  readonly cipher: FileCipher | undefined;
}

interface Entry {
  readonly opening: Promise<OpenFile | undefined>;
  users: number;
  /** It was used since `tidy` looked last. */
  recent: boolean;
}

/** See the top of this file. */
export class RecordReader {
  readonly #parts: RecordReaderParts;
  readonly #files = new Map<number, Entry>();
  readonly #walk = new RecordWalk();
  #buffers: Uint8Array<ArrayBuffer>[] = [];

  constructor(parts: RecordReaderParts) {
    this.#parts = parts;
  }

  /**
   * Calls `use` with the value, a view that holds only during the call, and returns what it
   * returns; nothing when the record is not there any more. Throws what the device throws.
   */
  async read<T>(sought: Sought, use: (value: Uint8Array) => T): Promise<T | undefined> {
    const entry = this.#entryOf(sought.file);
    entry.users++;
    entry.recent = true;
    try {
      const open = await entry.opening;
      return open && (await this.#readFrom(open, sought, use));
    } finally {
      entry.users--;
      this.#closeSurplus();
    }
  }

  /** Closes the files that were not read since the last call. */
  tidy(): void {
    for (const [number, entry] of this.#files) {
      if (!entry.recent && entry.users === 0) this.#forget(number, entry);
      entry.recent = false;
    }
  }

  /** Closes all files; nothing may be being read. */
  close(): void {
    for (const [number, entry] of this.#files) this.#forget(number, entry);
  }

  #entryOf(number: number): Entry {
    const known = this.#files.get(number);
    if (known !== undefined) {
      // The map's order is the order of use.
      this.#files.delete(number);
      this.#files.set(number, known);
      return known;
    }
    const entry = { opening: this.#open(number), users: 0, recent: true };
    this.#files.set(number, entry);
    // What could not be opened is tried again by the next who asks.
    entry.opening.then(
      (open) => open === undefined && this.#files.delete(number),
      () => this.#files.delete(number),
    );
    return entry;
  }

  /** Opens a file; nothing when it is not the log file of that number. */
  async #open(number: number): Promise<OpenFile | undefined> {
    const { device, folder, keys } = this.#parts;
    const path = logPath(folder, number);
    const file = await device.openToRead(path);
    try {
      const head = new Uint8Array(FILE_HEADER_BYTES);
      await readUpTo(file, head, FILE_HEADER_BYTES, 0);
      const header = decodeFileHeader(head);
      if (typeof header !== 'string' && header.number === number) {
        const cipher = keys.cipherOf(header.keyId, header.salt, path);
        return { file, seed: seedOf(head), cipher };
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  }

  async #readFrom<T>(
    { file, seed, cipher }: OpenFile,
    sought: Sought,
    use: (value: Uint8Array) => T,
  ): Promise<T | undefined> {
    const record = recordBytes(sought.key.length, sought.length);
    const most = BLOCK_HEADER_BYTES + Math.max(BLOCK_BYTES, record) + TAG_BYTES;
    const buffer = most === ORDINARY_BYTES ? this.#takeBuffer() : new Uint8Array(most);
    try {
      const count = await readUpTo(file, buffer, most, sought.offset);
      if (count < BLOCK_HEADER_BYTES) return undefined;
      const length = blockLength(buffer, 0);
      if (length === 0 || length > count) return undefined;
      const block = openBlock(buffer, 0, seed, sought.offset);
      if (typeof block === 'string') return undefined;
      if (cipher === undefined) {
        return this.#find(buffer, BLOCK_HEADER_BYTES, length, sought, use);
      }
      const plain = cipher.open(buffer, 0, BLOCK_HEADER_BYTES, length, block.number);
      return plain && this.#find(plain, 0, plain.length, sought, use);
    } finally {
      if (most === ORDINARY_BYTES && this.#buffers.length < BUFFERS_MAX) this.#buffers.push(buffer);
    }
  }

  #find<T>(
    bytes: Uint8Array,
    from: number,
    end: number,
    { key, version, length }: Sought,
    use: (value: Uint8Array) => T,
  ): T | undefined {
    const walk = this.#walk;
    walk.reset(bytes, from, end);
    while (walk.next()) {
      if (walk.kind !== 'put' || walk.valueLength !== length) continue;
      if (walk.version() !== version || Buffer.compare(walk.key(), key) !== 0) continue;
      return use(walk.value());
    }
    return undefined;
  }

  #takeBuffer(): Uint8Array<ArrayBuffer> {
    return this.#buffers.pop() ?? new Uint8Array(ORDINARY_BYTES);
  }

  #closeSurplus(): void {
    if (this.#files.size <= FILES_MAX) return;
    for (const [number, entry] of this.#files) {
      if (entry.users > 0) continue;
      this.#forget(number, entry);
      if (this.#files.size <= FILES_MAX) return;
    }
  }

  #forget(number: number, { opening }: Entry): void {
    this.#files.delete(number);
    opening.then(
      (open) => open?.file.close(),
      () => {},
    );
  }
}

/** Reads `length` bytes, or as many as the file has; how many those were. */
async function readUpTo(
  file: AsyncFile,
  bytes: Uint8Array,
  length: number,
  offset: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const count = await file.read(bytes.subarray(done), length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
