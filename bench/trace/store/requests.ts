/**
 * Frames of GETs and SETs that are written once; only the first four bytes of each key and value,
 * the number of the key, and the times to live change from frame to frame. A request's id is its
 * place in the frame.
 *
 *     GET   | header 20 | key: number u32, ballast … |
 *     SET   | header 20 | ttl u64 | key: number u32, ballast … | value: number u32, ballast … |
 */
import {
  FIELD_BYTES,
  FLAG_TTL,
  ID_AT,
  OP_GET,
  OP_SET,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../../../src/protocol/wire.js';
import type { Shape } from './shape.js';

const BALLAST = 0x2e;

function writeHeaders(
  bytes: Buffer,
  size: number,
  fields: { readonly opcode: number; readonly flags: number; readonly keyBytes: number },
): void {
  for (let at = 0, id = 0; at < bytes.length; at += size, id++) {
    bytes.fill(0, at, at + REQUEST_HEADER_BYTES);
    bytes.writeUInt32LE(size, at + SIZE_AT);
    bytes.writeUInt32LE(id, at + ID_AT);
    bytes[at + REQUEST_OPCODE_AT] = fields.opcode;
    bytes.writeUInt16LE(fields.flags, at + REQUEST_FLAGS_AT);
    bytes.writeUInt16LE(fields.keyBytes, at + REQUEST_KEY_LENGTH_AT);
  }
}

/** A frame of up to so many GETs. */
export class Gets {
  readonly #bytes: Buffer;
  readonly #size: number;

  constructor({ keyBytes, frame }: Shape) {
    this.#size = REQUEST_HEADER_BYTES + keyBytes;
    this.#bytes = Buffer.alloc(this.#size * frame, BALLAST);
    writeHeaders(this.#bytes, this.#size, { opcode: OP_GET, flags: 0, keyBytes });
  }

  /** Makes the request at `place` one for `key`. */
  write(place: number, key: number): void {
    this.#bytes.writeUInt32LE(key, place * this.#size + REQUEST_HEADER_BYTES);
  }

  /** The first `count` requests. */
  frame(count: number): Uint8Array {
    return this.#bytes.subarray(0, count * this.#size);
  }
}

/** A frame of up to so many SETs. */
export class Sets {
  readonly #bytes: Buffer;
  readonly #size: number;
  readonly #keyBytes: number;

  constructor({ keyBytes, valueBytes, frame }: Shape) {
    this.#keyBytes = keyBytes;
    this.#size = REQUEST_HEADER_BYTES + FIELD_BYTES + keyBytes + valueBytes;
    this.#bytes = Buffer.alloc(this.#size * frame, BALLAST);
    writeHeaders(this.#bytes, this.#size, { opcode: OP_SET, flags: FLAG_TTL, keyBytes });
  }

  /** Makes the request at `place` one for `key` that lives for `ttlMs`, below 2^32. */
  write(place: number, key: number, ttlMs: number): void {
    const at = place * this.#size + REQUEST_HEADER_BYTES;
    this.#bytes.writeUInt32LE(ttlMs, at);
    this.#bytes.writeUInt32LE(0, at + 4);
    this.#bytes.writeUInt32LE(key, at + FIELD_BYTES);
    this.#bytes.writeUInt32LE(key, at + FIELD_BYTES + this.#keyBytes);
  }

  /** The first `count` requests. */
  frame(count: number): Uint8Array {
    return this.#bytes.subarray(0, count * this.#size);
  }
}
