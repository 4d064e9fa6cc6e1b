/**
 * Reads the changes that one lane publishes. They lie in a ring of the arena, which the lane's
 * thread writes and others read, each up to a tail of its own; none waits for another. A lane whose
 * ring is full defers its writes, so a reader should come by often and give back what it has read.
 *
 *   record   0 size u32, padded to 8 | 4 kind u8 | 5 encoding u8 | 6 key length u16
 *            8 version u64 | 16 expiry u64, Unix ms, 0 = never | 24 value length u32
 *            28 origin u32, 0 = this node | 32 key | value
 *
 *        tail                position             head
 *   ──────┴────────────────────┴────────────────────┴──────   byte positions, modulo 2^32
 *         read, not given back   published, not read
 */
import type { Core } from './core.js';
import type { WasmMemory } from './wasm.js';

/** Who reads a feed: the log, or what carries changes to peers. */
export type FeedConsumer = 'log' | 'peers';

/** What a record says about its key: it has this value, it is gone, or everything is. */
export type RecordKind = 'put' | 'remove' | 'clear';

/** Bytes of a record before its key. */
export const RECORD_HEADER_BYTES = 32;

const FILLER = 0;
const KINDS: readonly (RecordKind | undefined)[] = [undefined, 'put', 'remove', 'clear'];
const TWO_32 = 2 ** 32;
/** How often `mark` looks whether a thread that is about to publish has done so. */
const MARK_LOOKS = 1000;

/** Whether a record only fills the end of the ring, by the word that has its kind. */
const isFiller = (kinds: number): boolean => (kinds & 0xff) === FILLER;

/** The changes of one lane, one record at a time; each consumer may have one reader for a lane. */
export class FeedReader {
  /** The whole arena; keys and values are views on it that hold until `release`. */
  readonly memory: Uint8Array<SharedArrayBuffer>;
  kind: RecordKind = 'clear';
  /** Type and encoding of the value, as on the wire. */
  encoding = 0;
  /** Unix milliseconds, 0 for never. */
  expiryMs = 0;
  /** Whether a peer told the change, and not a client of this node. */
  fromPeer = false;
  keyAt = 0;
  keyLength = 0;
  valueAt = 0;
  valueLength = 0;
  /** Where in `memory` the records that `run` found start, and how many bytes they are. */
  runAt = 0;
  runBytes = 0;

  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #versions: BigUint64Array<SharedArrayBuffer>;
  readonly #ringAt: number;
  readonly #ringMask: number;
  readonly #headWord: number;
  readonly #tailWord: number;
  readonly #preparedWord: number;
  #at = 0;
  #position: number;
  /** What `mark` noticed ends here. */
  #marked: number;

  /** Starts at what was not given back yet. */
  constructor(core: Core, memory: WasmMemory, lane: number, consumer: FeedConsumer) {
    const { functions } = core;
    this.memory = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#versions = new BigUint64Array(memory.buffer);
    this.#ringAt = functions.feedAt(lane) >>> 0;
    this.#ringMask = (functions.feedBytes() >>> 0) - 1;
    this.#headWord = (functions.feedHeadAt(lane) >>> 0) / 4;
    const tailAt = consumer === 'log' ? functions.feedTailAt : functions.feedPeersTailAt;
    this.#tailWord = (tailAt(lane) >>> 0) / 4;
    const preparedBytes = core.constant('L_FEED_PREPARED') - core.constant('L_FEED_HEAD');
    this.#preparedWord = this.#headWord + preparedBytes / 4;
    this.#position = Atomics.load(this.#words, this.#tailWord);
    this.#marked = this.#position;
  }

  /** Steps to the next record and describes it; false when none is published. */
  next(): boolean {
    const head = Atomics.load(this.#words, this.#headWord);
    while (this.#position !== head) {
      const at = this.#ringAt + (this.#position & this.#ringMask);
      const word = at >>> 2;
      const size = this.#words[word] ?? 0;
      this.#position = (this.#position + size) >>> 0;
      const kinds = this.#words[word + 1] ?? 0;
      if (isFiller(kinds)) continue;
      this.#describe(at, word, kinds);
      return true;
    }
    return false;
  }

  #describe(at: number, word: number, kinds: number): void {
    const words = this.#words;
    const kind = KINDS[kinds & 0xff];
    if (kind === undefined) throw new Error(`the feed holds a record of kind ${kinds & 0xff}`);
    this.kind = kind;
    this.encoding = (kinds >>> 8) & 0xff;
    this.keyLength = kinds >>> 16;
    this.fromPeer = (words[word + 7] ?? 0) !== 0;
    this.expiryMs = (words[word + 4] ?? 0) + (words[word + 5] ?? 0) * TWO_32;
    this.valueLength = words[word + 6] ?? 0;
    this.keyAt = at + RECORD_HEADER_BYTES;
    this.valueAt = this.keyAt + this.keyLength;
    this.#at = at;
  }

  /** Leaves out everything that is published. */
  skip(): void {
    this.#position = Atomics.load(this.#words, this.#headWord);
    this.release();
  }

  /** Where the next record starts that was not read, modulo 2^32. */
  get position(): number {
    return this.#position;
  }

  /** Where everything ends that is published now, modulo 2^32. */
  get head(): number {
    return Atomics.load(this.#words, this.#headWord);
  }

  /** Bytes that are published and not given back, but for what a ring leaves out to start over. */
  get pendingBytes(): number {
    const words = this.#words;
    const tail = Atomics.load(words, this.#tailWord);
    const pending = (Atomics.load(words, this.#headWord) - tail) >>> 0;
    if (pending === 0) return 0;
    const word = (this.#ringAt + (tail & this.#ringMask)) >>> 2;
    return isFiller(words[word + 1] ?? 0) ? pending - (words[word] ?? 0) : pending;
  }

  /**
   * Notices what is published now, for `run` to find. False when there may be a change that others
   * see already, but whose record is not published: its thread was stopped in between.
   */
  mark(): boolean {
    const words = this.#words;
    const prepared = Atomics.load(words, this.#preparedWord);
    for (let look = 0; look < MARK_LOOKS; look++) {
      const head = Atomics.load(words, this.#headWord);
      this.#marked = head;
      if (((head - prepared) | 0) >= 0) return true;
      // What was prepared was dropped, for the change was not made.
      if (Atomics.load(words, this.#preparedWord) === head) return true;
    }
    return false;
  }

  /**
   * Finds the next of the noticed records that lie one behind the other and have at most `limit`
   * bytes together, in `runAt` and `runBytes`; a longer one is found alone. False when there are no
   * more.
   */
  run(limit: number): boolean {
    const words = this.#words;
    this.runBytes = 0;
    while (this.#position !== this.#marked) {
      const at = this.#ringAt + (this.#position & this.#ringMask);
      const word = at >>> 2;
      const size = words[word] ?? 0;
      if (isFiller(words[word + 1] ?? 0)) {
        if (this.runBytes > 0) return true;
        this.#position = (this.#position + size) >>> 0;
        continue;
      }
      if (this.runBytes === 0) this.runAt = at;
      else if (at !== this.runAt + this.runBytes || this.runBytes + size > limit) return true;
      this.runBytes += size;
      this.#position = (this.#position + size) >>> 0;
    }
    return this.runBytes > 0;
  }

  /** The version of the current record. */
  version(): bigint {
    return this.#versions[this.#at / 8 + 1] ?? 0n;
  }

  /** A view of the current record's key. */
  key(): Uint8Array<SharedArrayBuffer> {
    return this.memory.subarray(this.keyAt, this.valueAt);
  }

  /** A view of the current record's value. */
  value(): Uint8Array<SharedArrayBuffer> {
    return this.memory.subarray(this.valueAt, this.valueAt + this.valueLength);
  }

  /** Gives the room of everything that was read back to the lane; views on it are void. */
  release(): void {
    Atomics.store(this.#words, this.#tailWord, this.#position);
  }
}
