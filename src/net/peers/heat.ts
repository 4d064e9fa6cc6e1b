/**
 * A sample of the requests that clients send, so that it can be told which ranges are hot. The
 * threads of a node share it: each writes into a part of its own, and the main thread reads.
 *
 *   part    0 counted u32, wraps | 4 written u32, wraps | 64 entries, as a ring
 *   entry   0 mark i32: 0 while it is written, otherwise turn << 8 | length | 4 the key's beginning
 *
 * Looking up the range of each request would cost as much as routing it. So one frame in eight or
 * so is gone through, by chance, and the key of every fourth request in it is kept: what comes in
 * at even intervals is not taken for more or less than it is. Whoever reads late finds the newest
 * keys, which then stand for all.
 */
import type { Random } from '../../base/random.js';
import { copyBytes, u32At } from '../../protocol/bytes.js';
import {
  FIELD_BYTES,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../../protocol/wire.js';
import { fieldsIn } from './forHere.js';
import { isRouted } from './headers.js';

const COUNTED = 0;
const WRITTEN = 1;
const HEAD_BYTES = 64;
const ENTRY_BYTES = 64;
/** How much of a key is kept. */
const KEY_BYTES = ENTRY_BYTES - 4;
const ENTRIES = 512;
const PART_BYTES = HEAD_BYTES + ENTRIES * ENTRY_BYTES;
const TURN_MASK = 0x7f_ffff;
const LENGTH_MASK = 0xff;

/** One frame in so many is gone through. */
const FRAMES = 8;
/** One request in so many of those is kept. */
const KEPT = 4;

/** A key, and for how many requests it stands. */
export interface HeatSample {
  readonly key: Uint8Array;
  readonly weight: number;
}

/** Makes the memory for the threads of so many lanes. */
export function heatMemory(lanes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(lanes * PART_BYTES);
}

/** What one thread notes requests with. */
export class HeatWriter {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #random: Random;
  #skip = 0;
  #kept = 0;

  /** `random` is used often, and need not be secure. */
  constructor(buffer: SharedArrayBuffer, lane: number, random: Random) {
    this.#words = new Int32Array(buffer, lane * PART_BYTES, PART_BYTES / 4);
    this.#bytes = new Uint8Array(buffer, lane * PART_BYTES, PART_BYTES);
    this.#random = random;
  }

  /** Notes a frame of a client. */
  note(frame: Uint8Array): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    this.#skip = this.#random.below(2 * FRAMES - 1);
    const last = frame.length - REQUEST_HEADER_BYTES;
    let counted = 0;
    for (let at = 0; at <= last; ) {
      const size = u32At(frame, at + SIZE_AT);
      if (size < REQUEST_HEADER_BYTES || at + size > frame.length) break;
      if (isRouted(frame[at + REQUEST_OPCODE_AT] as number)) {
        counted++;
        this.#kept = (this.#kept + 1) % KEPT;
        if (this.#kept === 0) this.#keep(frame, at, at + size);
      }
      at += size;
    }
    if (counted > 0) Atomics.add(this.#words, COUNTED, counted * FRAMES);
  }

  #keep(frame: Uint8Array, at: number, end: number): void {
    const low = frame[at + REQUEST_FLAGS_AT] as number;
    const high = frame[at + REQUEST_FLAGS_AT + 1] as number;
    const fields = fieldsIn(low | (high << 8));
    const keyAt = at + REQUEST_HEADER_BYTES + FIELD_BYTES * fields;
    const lengthAt = at + REQUEST_KEY_LENGTH_AT;
    const length = (frame[lengthAt] as number) | ((frame[lengthAt + 1] as number) << 8);
    if (length === 0 || keyAt + length > end) return;
    const written = Atomics.load(this.#words, WRITTEN) >>> 0;
    const entryAt = HEAD_BYTES + (written % ENTRIES) * ENTRY_BYTES;
    const kept = Math.min(length, KEY_BYTES);
    Atomics.store(this.#words, entryAt / 4, 0);
    this.#bytes.set(frame.subarray(keyAt, keyAt + kept), entryAt + 4);
    Atomics.store(this.#words, entryAt / 4, markOf(written, kept));
    Atomics.store(this.#words, WRITTEN, written + 1);
  }
}

/** Never 0: no kept key is empty. */
function markOf(written: number, length: number): number {
  return ((written & TURN_MASK) << 8) | length;
}

/** What the main thread reads the requests of all threads with. */
export class HeatReader {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #lanes: { counted: number; written: number }[];

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    const lanes = buffer.byteLength / PART_BYTES;
    this.#lanes = Array.from({ length: lanes }, () => ({ counted: 0, written: 0 }));
  }

  /** The requests since it was last asked, for which some keys stand. */
  take(): HeatSample[] {
    return this.#lanes.flatMap((_, lane) => this.#takeFrom(lane));
  }

  #takeFrom(lane: number): HeatSample[] {
    const before = this.#lanes[lane];
    const base = lane * PART_BYTES;
    const counted = Atomics.load(this.#words, base / 4 + COUNTED) >>> 0;
    const written = Atomics.load(this.#words, base / 4 + WRITTEN) >>> 0;
    if (before === undefined || written === before.written) return [];
    const fresh = Math.min(ENTRIES, (written - before.written) >>> 0);
    const requests = (counted - before.counted) >>> 0;
    this.#lanes[lane] = { counted, written };
    const keys: Uint8Array[] = [];
    for (let back = fresh; back > 0; back--) {
      const key = this.#entry(base, (written - back) >>> 0);
      if (key !== undefined) keys.push(key);
    }
    return keys.map((key) => ({ key, weight: requests / keys.length }));
  }

  /** A key, unless it was overwritten meanwhile. */
  #entry(base: number, place: number): Uint8Array | undefined {
    const at = base + HEAD_BYTES + (place % ENTRIES) * ENTRY_BYTES;
    const mark = Atomics.load(this.#words, at / 4);
    const length = mark & LENGTH_MASK;
    if (mark !== markOf(place, length) || length === 0) return undefined;
    const key = copyBytes(this.#bytes, at + 4, at + 4 + length);
    return Atomics.load(this.#words, at / 4) === mark ? key : undefined;
  }
}
