/**
 * Takes the answers of a message apart without allocating: one reader steps over all of them, and
 * says what holds for the current one. The message may be a view on anything, shared memory
 * included (an outbox of the core), and is not kept.
 */
import { copyBytes } from './bytes.js';
import { ProtocolError } from './errors.js';
import {
  ANSWER_CURSOR,
  ANSWER_ENCODING_AT,
  ANSWER_FIELD_FLAGS,
  ANSWER_FLAGS_AT,
  ANSWER_HAS_VALUE,
  ANSWER_HEADER_BYTES,
  ANSWER_OPCODE_AT,
  ANSWER_STATUS_AT,
  ANSWER_TTL,
  ANSWER_VERSION,
  FIELD_BYTES,
  ID_AT,
} from './wire.js';

const TWO_32 = 2 ** 32;
const NOTHING = new Uint8Array(0);

function countFields(flags: number): number {
  return (flags & 1) + ((flags >> 1) & 1) + ((flags >> 2) & 1);
}

/** Steps over the answers of messages. */
export class AnswerReader {
  /** The bytes that `bodyAt` and `bodyEnd` count in. */
  bytes: Uint8Array = NOTHING;
  id = 0;
  status = 0;
  flags = 0;
  /** The whole byte: type and encoding. */
  encoding = 0;
  opcode = 0;
  /** Where the answer begins. */
  at = 0;
  bodyAt = 0;
  bodyEnd = 0;

  #view: DataView = new DataView(NOTHING.buffer);
  #fieldsAt = 0;
  #next = 0;
  #end = 0;

  /** Starts before the first answer of a message: `bytes` from `at` on, `length` of them. */
  reset(bytes: Uint8Array, at = 0, length = bytes.length - at): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#next = at;
    this.#end = at + length;
  }

  /** Lets go of the message, so that it can be collected. */
  release(): void {
    this.reset(NOTHING);
  }

  /** Steps to the next answer; false at the end. Throws `ProtocolError` when it is malformed. */
  next(): boolean {
    const at = this.#next;
    if (at >= this.#end) return false;
    this.at = at;
    const view = this.#view;
    const left = this.#end - at;
    const size = left >= ANSWER_HEADER_BYTES ? view.getUint32(at, true) : 0;
    if (size < ANSWER_HEADER_BYTES || size > left) this.#refuse(size, left);
    this.id = view.getUint32(at + ID_AT, true);
    this.status = view.getUint8(at + ANSWER_STATUS_AT);
    this.flags = view.getUint8(at + ANSWER_FLAGS_AT);
    this.encoding = view.getUint8(at + ANSWER_ENCODING_AT);
    this.opcode = view.getUint8(at + ANSWER_OPCODE_AT);
    this.#fieldsAt = at + ANSWER_HEADER_BYTES;
    this.bodyAt = this.#fieldsAt + FIELD_BYTES * countFields(this.flags & ANSWER_FIELD_FLAGS);
    this.bodyEnd = at + size;
    if (this.bodyAt > this.bodyEnd) this.#refuse(size, left);
    this.#next = this.bodyEnd;
    return true;
  }

  #refuse(size: number, left: number): never {
    this.#next = this.#end;
    throw new ProtocolError(`malformed answer: size ${size} with ${left} bytes left`);
  }

  /** The bytes that the current answer takes. */
  get size(): number {
    return this.bodyEnd - this.at;
  }

  /** The body is a value, though perhaps an empty one. */
  get hasValue(): boolean {
    return (this.flags & ANSWER_HAS_VALUE) !== 0;
  }

  /** The item's version, if the answer tells it. */
  version(): bigint | undefined {
    if ((this.flags & ANSWER_VERSION) === 0) return undefined;
    return this.#view.getBigUint64(this.#fieldsAt, true);
  }

  /** The remaining time to live in milliseconds; nothing when the item does not expire. */
  ttlMs(): number | undefined {
    if ((this.flags & ANSWER_TTL) === 0) return undefined;
    const at = this.#fieldsAt + FIELD_BYTES * (this.flags & ANSWER_VERSION);
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * TWO_32;
  }

  /** Where a scan goes on, 0 when it is done; nothing in other answers. */
  cursor(): bigint | undefined {
    if ((this.flags & ANSWER_CURSOR) === 0) return undefined;
    const before = countFields(this.flags & (ANSWER_VERSION | ANSWER_TTL));
    return this.#view.getBigUint64(this.#fieldsAt + FIELD_BYTES * before, true);
  }

  /** A copy of the body. */
  body(): Uint8Array<ArrayBuffer> {
    return copyBytes(this.bytes, this.bodyAt, this.bodyEnd);
  }
}
