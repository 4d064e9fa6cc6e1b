import { maxTextBytes, writeText } from './text.js';

const TWO_32 = 2 ** 32;
const FIRST_BYTES = 4096;

/**
 * A byte buffer that grows while requests or answers are written into it, and is used again for the
 * next frame. `bytes` and `view` change when it grows, so nobody keeps them across a write.
 */
export class FrameWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  /** The end of what is written. */
  at = 0;

  /** A writer with room for `capacity` bytes before it first grows. */
  constructor(capacity = FIRST_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** What is written, as a view that holds until the next write. */
  frame(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  /** Forgets what is written; a buffer longer than `keepBytes` is given back. */
  clear(keepBytes = Number.POSITIVE_INFINITY): void {
    this.at = 0;
    if (this.bytes.length <= keepBytes) return;
    this.#move(keepBytes);
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.at + extra;
    if (needed > this.bytes.length) this.#move(Math.max(needed, this.bytes.length * 2));
  }

  #move(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.at));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Appends a u16. */
  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }

  /** Appends a u64 given as an integer up to 2^53; room for it has to be reserved. */
  u64(value: number): void {
    this.view.setUint32(this.at, value % TWO_32, true);
    this.view.setUint32(this.at + 4, Math.floor(value / TWO_32), true);
    this.at += 8;
  }

  /** Appends a u64; room for it has to be reserved. */
  bigU64(value: bigint): void {
    this.view.setBigUint64(this.at, value, true);
    this.at += 8;
  }

  /** Appends an i64; room for it has to be reserved. */
  bigI64(value: bigint): void {
    this.view.setBigInt64(this.at, value, true);
    this.at += 8;
  }

  /** Appends text as UTF-8 or bytes as they are. Throws `InvalidArgumentError` for bad text. */
  data(data: string | Uint8Array): void {
    if (typeof data === 'string') {
      this.reserve(maxTextBytes(data));
      this.at = writeText(this.bytes, this.at, data);
      return;
    }
    this.reserve(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }
}
