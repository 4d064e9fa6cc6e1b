/**
 * A log file that is being written. Records are copied into a buffer and packed into blocks there;
 * whole blocks go to the device with one call. A call that fails for want of room leaves the file
 * as it was: what is in the buffer stays, and the next call goes on where that one stopped.
 *
 *   file    │ header │ block │ block │ 0 0 0 0 0 │          buffer  │ block │ block │ open block
 *           0               synced  written     zeroed ◀──────────────── 0 … flushed    sealed
 *
 * A sync of a file that has just grown also has the file system write where its new part lies,
 * which takes as long again as the few records that somebody waits for. So a file that is synced
 * often is written ahead: zeros go where the next blocks will come, and most syncs find a file that
 * neither grows nor gets new places on the disk. Zeros are no block: a file that was not ended ends
 * before them, and one that is ended has them cut off.
 */
import { BLOCK_HEADER_BYTES, FLAG_LAST, sealBlock } from './block.js';
import { type Device, type DeviceFile, isFull, writeFully } from './device.js';
import { encodeFileHeader, FILE_HEADER_BYTES, type FileHeader, seedOf } from './fileHeader.js';
import { type FileCipher, type KeyRing, NO_KEYS, TAG_BYTES } from './keys.js';
import { logPath } from './names.js';
import { encodeRecord, RecordWalk } from './record.js';
import { Summary } from './summary.js';

/**
 * A block is closed when it has this many bytes of records: few enough that one value is read and
 * checked fast, and enough that headers are a quarter of a percent.
 */
export const BLOCK_BYTES = 16_384;
const BUFFER_BYTES = 1 << 20;
const NOTHING = new Uint8Array(0);
/** So many zeros are written ahead: a millisecond's work, once for thousands of syncs. */
export const AHEAD_BYTES = 256 * 1024;
const ZEROS = new Uint8Array(AHEAD_BYTES);

/** The header of a file to be made; the device says with which key. */
export type NewFileHeader = Omit<FileHeader, 'keyId'>;

/** A log file that grows; see the top of this file. */
export class LogFile {
  readonly number: number;
  /** What the records in it are, those in the buffer included. */
  readonly summary = new Summary();
  /** Told of each record that is taken, and of where in the file its block will stand. */
  onRecord: ((walk: RecordWalk, blockOffset: number) => void) | undefined;
  /** Whole blocks, and behind them the records of the open one. */
  bytes = new Uint8Array(BUFFER_BYTES);
  readonly #file: DeviceFile;
  readonly #seed: number;
  readonly #cipher: FileCipher | undefined;
  /** Bytes that each block needs behind its records. */
  readonly #tagBytes: number;
  readonly #walk = new RecordWalk();
  /** Where in the file the buffer begins; everything before it was written. */
  #written = FILE_HEADER_BYTES;
  #synced = FILE_HEADER_BYTES;
  #blocks = 0;
  /** How much of the buffer was written by a call that took only a part. */
  #flushed = 0;
  /** Where in the buffer the open block begins, where its records end, and how many it has. */
  #open = 0;
  #end = BLOCK_HEADER_BYTES;
  #records = 0;
  #ending = false;
  /** The file is written ahead up to this length at most, and has been up to that. */
  #aheadTo: number;
  #zeroed = 0;

  private constructor(
    file: DeviceFile,
    number: number,
    seed: number,
    cipher: FileCipher | undefined,
    aheadTo: number,
  ) {
    this.#file = file;
    this.#aheadTo = aheadTo;
    this.number = number;
    this.#seed = seed;
    this.#cipher = cipher;
    this.#tagBytes = cipher === undefined ? 0 : TAG_BYTES;
  }

  /**
   * Makes a file in `folder`, with the key that the device writes with; it survives a loss of
   * power, but is not in the manifest yet. It is written ahead as long
   * as it is shorter than `aheadTo`.
   */
  static create(device: Device, folder: string, header: NewFileHeader, aheadTo = 0): LogFile {
    const { keys = NO_KEYS } = device;
    const path = logPath(folder, header.number);
    const cipher = keys.cipherOf(keys.writingId, header.salt, path);
    const file = device.create(path);
    try {
      const made = LogFile.#over(file, header, keys, cipher, aheadTo);
      file.sync();
      device.syncFolder(folder);
      return made;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Begins a file whose bytes go to `file`, in their order. */
  static over(file: DeviceFile, header: NewFileHeader, keys: KeyRing): LogFile {
    return LogFile.#over(file, header, keys, keys.cipherOf(keys.writingId, header.salt, ''), 0);
  }

  static #over(
    file: DeviceFile,
    header: NewFileHeader,
    { writingId: keyId }: KeyRing,
    cipher: FileCipher | undefined,
    aheadTo: number,
  ): LogFile {
    const bytes = encodeFileHeader({ ...header, keyId });
    writeFully(file, bytes, 0);
    return new LogFile(file, header.number, seedOf(bytes), cipher, aheadTo);
  }

  /** Bytes of the file when all that is in the buffer is written. */
  get length(): number {
    return this.#written + (this.#records > 0 ? this.#end + this.#tagBytes : this.#open);
  }

  /** Bytes of the file that survive a loss of power. */
  get synced(): number {
    return this.#synced;
  }

  /** Whether the device has everything that was taken, synced or not. */
  get flushed(): boolean {
    return this.#open === 0 && this.#records === 0;
  }

  /** Bytes of blocks and records that the device does not have yet. */
  get pendingBytes(): number {
    return this.length - this.#written - this.#flushed;
  }

  /**
   * Bytes of records that the open block takes before it is closed. A longer record is taken all
   * the same, by an empty block.
   */
  get roomBytes(): number {
    return Math.max(0, BLOCK_BYTES - (this.#end - this.#open - BLOCK_HEADER_BYTES));
  }

  /**
   * Makes room for `length` bytes of whole records behind those of the open block; where in `bytes`
   * they go. They count when `took` is called.
   */
  reserve(length: number): number {
    if (length > this.roomBytes && this.#records > 0) this.closeBlock();
    const need = this.#end + length;
    if (need > this.bytes.length) this.#grow(need);
    return this.#end;
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(need, 2 * this.bytes.length));
    bytes.set(this.bytes.subarray(0, this.#end));
    this.bytes = bytes;
  }

  /** Takes `length` bytes of whole records, which are where `reserve` said. */
  took(length: number): void {
    const walk = this.#walk;
    walk.reset(this.bytes, this.#end, this.#end + length);
    while (walk.next()) {
      this.#records++;
      this.summary.note(walk);
      this.onRecord?.(walk, this.#written + this.#open);
      const from = walk.valueAt + walk.valueLength;
      const to = walk.at + walk.size;
      for (let at = from; at < to; at++) this.bytes[at] = 0;
    }
    if (walk.problem !== undefined) throw new Error(`the feed is broken: ${walk.problem}`);
    this.#end += length;
    if (this.roomBytes === 0) this.closeBlock();
  }

  /** Takes one record. */
  add(record: Uint8Array): void {
    const at = this.reserve(record.length);
    this.bytes.set(record, at);
    this.took(record.length);
  }

  /** Closes the open block, if it has any records. */
  closeBlock(flags = 0): void {
    if (this.#records === 0) return;
    const end = this.#end + this.#tagBytes;
    if (end > this.bytes.length) this.#grow(end);
    const header = {
      bytes: end - this.#open - BLOCK_HEADER_BYTES,
      number: this.#blocks,
      synced: this.#synced,
      records: this.#records,
      flags,
    };
    const offset = this.#written + this.#open;
    sealBlock(this.bytes, this.#open, header, this.#seed, offset, this.#cipher);
    this.#blocks++;
    this.#records = 0;
    this.#open = end;
    this.#end = end + BLOCK_HEADER_BYTES;
    if (this.#end > this.bytes.length) this.#grow(this.#end);
  }

  /** Writes whatever is in the buffer. Throws what the device throws; call it again after that. */
  flush(): void {
    this.closeBlock();
    while (this.#flushed < this.#open) {
      const left = this.#open - this.#flushed;
      const offset = this.#written + this.#flushed;
      const count = this.#file.write(this.bytes, this.#flushed, left, offset);
      if (count === 0) throw new Error('the device takes no bytes and does not say why');
      this.#flushed += count;
    }
    this.#written += this.#open;
    this.#flushed = 0;
    this.#open = 0;
    this.#end = BLOCK_HEADER_BYTES;
    if (this.bytes.length > BUFFER_BYTES) this.bytes = new Uint8Array(BUFFER_BYTES);
    if (this.#written > this.#zeroed && this.#written < this.#aheadTo) this.#writeAhead();
  }

  #writeAhead(): void {
    const from = this.#written;
    const length = Math.min(ZEROS.length, this.#aheadTo - from);
    try {
      this.#zeroed = from + this.#file.write(ZEROS, 0, length, from);
    } catch (error) {
      // There may be room for records where there is none for this.
      if (!isFull(error)) throw error;
      this.#aheadTo = 0;
    }
  }

  /** The file grows as it is written from now on. */
  #cutAhead(): void {
    this.#aheadTo = 0;
    if (this.#zeroed <= this.#written) return;
    this.#file.truncate(this.#written);
    this.#zeroed = 0;
  }

  /** Returns when what was flushed survives a loss of power. Not to be repeated if it throws. */
  sync(): void {
    if (this.#synced === this.#written) return;
    this.#file.sync();
    this.#synced = this.#written;
  }

  /** Ends the file in order, with its summary, and syncs it. Call it again after a full device. */
  finish(): void {
    this.flush();
    this.#cutAhead();
    if (!this.#ending) this.#addSummary();
    this.flush();
    this.sync();
  }

  #addSummary(): void {
    this.#ending = true;
    const value = this.summary.encode();
    const fields = { kind: 'summary', encoding: 0, version: 0n, expiryMs: 0 } as const;
    this.add(encodeRecord({ ...fields, key: NOTHING, value }));
    this.closeBlock(FLAG_LAST);
  }

  /** Lets go of the file, which is not ended by that. */
  close(): void {
    this.#file.close();
  }
}
