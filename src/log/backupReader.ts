/**
 * Reads a backup as it arrives, in pieces of any size, and hands on its records once the block they
 * stand in has been checked. What is wrong with it is found at the latest at its end: a backup
 * without its last block is not complete.
 */
import { InputError } from '../base/errors.js';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  blockLength,
  FLAG_LAST,
  openBlock,
} from './block.js';
import { decodeFileHeader, FILE_HEADER_BYTES, type FileHeader, seedOf } from './fileHeader.js';
import { type FileCipher, type KeyRing, NO_KEYS } from './keys.js';
import { RecordWalk } from './record.js';
import { Summary } from './summary.js';

/** So many bytes of a piece are taken at once, and there is room for twice as many at first. */
const STEP_BYTES = 64 * 1024;
/** Bytes of memory that reading needs, unless blocks are longer. */
export const READ_BYTES = 2 * STEP_BYTES;
/** Where in a block's header the number of its records stands. */
const RECORDS_AT = 20;

/** A backup that is not as it was written, or none at all. */
export class BackupDamage extends InputError {
  constructor(offset: number, reason: string) {
    super(`the backup is damaged at offset ${offset}: ${reason}`);
  }
}

/** What is done with each put of a backup; `bytes` are what the walk counts in. */
export type OnPut = (walk: RecordWalk, bytes: Uint8Array) => void;

/** Reads one backup; see the top of this file. */
export class BackupReader {
  /** Records in blocks that are longer than what was to be taken; nobody has looked at them. */
  skipped = 0;
  readonly #maxBlockBytes: number;
  readonly #onPut: OnPut;
  readonly #keys: KeyRing | 'unopened';
  #cipher: FileCipher | 'unopened' | undefined;
  /** Items that are encrypted with a key that nobody asked for. */
  #sealed = 0;
  readonly #walk = new RecordWalk();
  readonly #counted = new Summary();
  /** What has come and was not read yet, from a multiple of eight on. */
  #bytes: Uint8Array<ArrayBuffer>;
  #end = 0;
  /** Where in the backup `#bytes` begins. */
  #offset = 0;
  #seed: number | undefined;
  #blocks = 0;
  /** Bytes to come of a block that is passed over. */
  #passing = 0;
  #complete = false;

  /**
   * Blocks of more than `maxBlockBytes` are passed over. Those of an encrypted backup that is to
   * stay unopened are checked, and not read. `room` is used by nobody else.
   */
  constructor(
    maxBlockBytes: number,
    onPut: OnPut,
    keys: KeyRing | 'unopened' = NO_KEYS,
    room: Uint8Array<ArrayBuffer> = new Uint8Array(READ_BYTES),
  ) {
    this.#maxBlockBytes = maxBlockBytes;
    this.#onPut = onPut;
    this.#keys = keys;
    this.#bytes = room;
  }

  /** Items read so far. */
  get items(): number {
    return this.#counted.puts + this.#sealed;
  }

  /** Takes the next piece, which is copied. Throws `InputError`. */
  take(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; at += STEP_BYTES) {
      this.#take(piece.subarray(at, at + STEP_BYTES));
    }
  }

  #take(piece: Uint8Array): void {
    const passed = Math.min(piece.length, this.#passing);
    this.#passing -= passed;
    this.#offset += passed;
    const rest = piece.subarray(passed);
    if (this.#end + rest.length > this.#bytes.length) this.#grow(this.#end + rest.length);
    this.#bytes.set(rest, this.#end);
    this.#end += rest.length;
    this.#read();
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
  }

  /** Reads as much as has come. */
  #read(): void {
    let at = 0;
    for (let length = this.#next(at); length > 0; length = this.#next(at)) at += length;
    this.#bytes.copyWithin(0, at, this.#end);
    this.#end -= at;
    this.#offset += at;
    if (this.#end >= 0) return;
    // A block that is passed over has not come as a whole.
    this.#passing = -this.#end;
    this.#offset += this.#end;
    this.#end = 0;
  }

  /** Reads what starts at `at`, if it is there; its length. */
  #next(at: number): number {
    const left = this.#end - at;
    if (this.#seed === undefined) return left < FILE_HEADER_BYTES ? 0 : this.#readHeader();
    if (left <= 0) return 0;
    if (this.#complete) this.#refuse(at, 'there are bytes behind its end');
    if (left < BLOCK_HEADER_BYTES) return 0;
    const length = blockLength(this.#bytes, at);
    if (length === 0) this.#refuse(at, 'there is no block');
    if (length > this.#maxBlockBytes) return this.#passOver(at, length);
    if (left < length) return 0;
    this.#readBlock(at);
    return length;
  }

  #readHeader(): number {
    const head = this.#bytes.subarray(0, FILE_HEADER_BYTES);
    const header = decodeFileHeader(head);
    if (typeof header === 'string') this.#refuse(0, header);
    else if (header.purpose !== 'backup') this.#refuse(0, 'this is a file of a log, not a backup');
    else this.#cipher = this.#cipherOf(header);
    this.#seed = seedOf(head);
    return FILE_HEADER_BYTES;
  }

  #cipherOf({ keyId, salt }: FileHeader): FileCipher | 'unopened' | undefined {
    if (this.#keys !== 'unopened') return this.#keys.cipherOf(keyId, salt, 'the backup');
    return NO_KEYS.isStale(keyId) ? 'unopened' : undefined;
  }

  #passOver(at: number, length: number): number {
    const view = new DataView(this.#bytes.buffer, at, BLOCK_HEADER_BYTES);
    this.skipped += view.getUint32(RECORDS_AT, true);
    this.#blocks++;
    return length;
  }

  #readBlock(at: number): void {
    const block = openBlock(this.#bytes, at, this.#seed ?? 0, this.#offset + at);
    if (typeof block === 'string') throw this.#damage(at, block);
    if (block.number !== this.#blocks) this.#refuse(at, 'a block is out of turn');
    this.#blocks++;
    this.#complete = (block.flags & FLAG_LAST) !== 0;
    // The last has the summary alone.
    if (this.#cipher !== 'unopened') this.#readRecords(at, block, this.#cipher);
    else if (!this.#complete) this.#sealed += block.records;
  }

  #readRecords(
    at: number,
    { bytes: length, number }: BlockHeader,
    cipher: FileCipher | undefined,
  ): void {
    const walk = this.#walk;
    const from = at + BLOCK_HEADER_BYTES;
    const plain = cipher?.open(this.#bytes, at, from, from + length, number);
    if (cipher === undefined) walk.reset(this.#bytes, from, from + length);
    else if (plain === undefined) this.#refuse(at, 'a block was not made with the key of its file');
    else walk.reset(plain, 0, plain.length);
    const bytes = plain ?? this.#bytes;
    while (walk.next()) {
      if (walk.kind === 'summary') this.#compare(at, Summary.decode(walk.value()));
      else if (walk.kind !== 'put') this.#refuse(at, `a backup has no ${walk.kind}`);
      else {
        this.#counted.note(walk);
        this.#onPut(walk, bytes);
      }
    }
    if (walk.problem !== undefined) this.#refuse(at, walk.problem);
  }

  /** The summary at the end must say what was read. */
  #compare(at: number, summary: Summary | undefined): void {
    if (summary?.puts === this.#counted.puts + this.skipped) return;
    this.#refuse(at, 'it says that it has another number of items');
  }

  #refuse(at: number, reason: string): never {
    throw this.#damage(at, reason);
  }

  #damage(at: number, reason: string): BackupDamage {
    return new BackupDamage(this.#offset + at, reason);
  }

  /** There are no more pieces. Throws `BackupDamage` when something is missing. */
  finish(): void {
    if (!this.#complete) this.#refuse(this.#end, 'its end is missing');
  }
}
