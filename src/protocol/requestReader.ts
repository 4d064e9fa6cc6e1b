/**
 * The reference decoder of requests. It takes apart what a node takes apart and judges each request
 * by its form alone, as the core does before it looks at the key. Tests use it, and so does the
 * host of the core for what a connection says before it is greeted.
 */
import { copyBytes } from './bytes.js';
import { grammarOf, type OpcodeGrammar } from './grammar.js';
import { STATUS } from './status.js';
import {
  ENCODING_MASK,
  ENCODING_MSGPACK,
  FIELD_BYTES,
  FIELD_FLAGS,
  FLAG_CURSOR,
  FLAG_DELTA,
  FLAG_EXPIRY,
  FLAG_IF_ABSENT,
  FLAG_IF_PRESENT,
  FLAG_INITIAL,
  FLAG_KEEP_TTL,
  FLAG_LIMIT,
  FLAG_PEEK,
  FLAG_TOMBSTONE,
  FLAG_TTL,
  FLAG_VERSION,
  ID_AT,
  LEVEL_ALL,
  MAX_CLEAR_VERSION,
  MAX_MERGE_VERSION,
  MAX_SCAN_LIMIT,
  MAX_TTL_MS,
  OP_CLEAR,
  OP_DELETE,
  OP_MERGE,
  REQUEST_DEADLINE_AT,
  REQUEST_ENCODING_AT,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_LEVEL_AT,
  REQUEST_NAMESPACE_AT,
  REQUEST_OPCODE_AT,
  REQUEST_RESERVED_AT,
  TYPE_MASK,
} from './wire.js';

/** What a purge carries, and nothing else. */
const PURGE_FLAGS = FLAG_PEEK | FLAG_VERSION;

const FIELD_BITS = 8;
const MAX_U64 = 2n ** 64n - 1n;

function countBits(flags: number): number {
  let count = 0;
  for (let rest = flags; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Whether more than one of the bits of `mask` is set in `flags`. */
function several(flags: number, mask: number): boolean {
  return countBits(flags & mask) > 1;
}

/** Whether a field, if it is there, lies between the two. */
function within(field: bigint | undefined, least: bigint, most: bigint): boolean {
  return field === undefined || (field >= least && field <= most);
}

/** Steps over the requests of one frame; what it says holds for the current one. */
export class RequestReader {
  /** The rest of the frame is not whole requests: the connection has to be closed. */
  malformed = false;
  id = 0;
  opcode = 0;
  level = 0;
  namespace = 0;
  flags = 0;
  deadlineMs = 0;
  /** The whole byte: type and encoding. */
  encoding = 0;
  reserved = 0;
  keyAt = 0;
  valueAt = 0;
  /** The end of the value, and of the request. */
  end = 0;

  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #fieldsAt = 0;
  #next = 0;

  /** Starts before the first request of `frame`. */
  constructor(frame: Uint8Array) {
    this.#bytes = frame;
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  }

  /** Where the current request starts in the frame. */
  at = 0;

  /** Steps to the next request; false at the end of the frame and where it is malformed. */
  next(): boolean {
    const at = this.#next;
    const left = this.#bytes.length - at;
    this.at = at;
    if (left === 0 || this.malformed) return false;
    this.id = left >= ID_AT + 4 ? this.#view.getUint32(at + ID_AT, true) : 0;
    const size = left >= REQUEST_HEADER_BYTES ? this.#view.getUint32(at, true) : 0;
    this.malformed = size < REQUEST_HEADER_BYTES || size > left;
    if (!this.malformed) this.#readHeader(at, size);
    return !this.malformed;
  }

  /** True when a malformed request at least had an id, which is then answered. */
  get hasId(): boolean {
    return this.#bytes.length - this.at >= ID_AT + 4;
  }

  #readHeader(at: number, size: number): void {
    const view = this.#view;
    this.opcode = view.getUint8(at + REQUEST_OPCODE_AT);
    this.level = view.getUint8(at + REQUEST_LEVEL_AT);
    this.namespace = view.getUint16(at + REQUEST_NAMESPACE_AT, true);
    this.flags = view.getUint16(at + REQUEST_FLAGS_AT, true);
    this.deadlineMs = view.getUint16(at + REQUEST_DEADLINE_AT, true);
    this.encoding = view.getUint8(at + REQUEST_ENCODING_AT);
    this.reserved = view.getUint8(at + REQUEST_RESERVED_AT);
    this.#fieldsAt = at + REQUEST_HEADER_BYTES;
    this.keyAt = this.#fieldsAt + FIELD_BYTES * countBits(this.flags & FIELD_FLAGS);
    this.valueAt = this.keyAt + view.getUint16(at + REQUEST_KEY_LENGTH_AT, true);
    this.end = at + size;
    this.malformed = this.valueAt > this.end;
    this.#next = this.end;
  }

  /** A copy of the key. */
  key(): Uint8Array<ArrayBuffer> {
    return copyBytes(this.#bytes, this.keyAt, this.valueAt);
  }

  /** A copy of the value. */
  value(): Uint8Array<ArrayBuffer> {
    return copyBytes(this.#bytes, this.valueAt, this.end);
  }

  /** The optional field of one flag as 64 unsigned bits; nothing when the flag is not set. */
  field(flag: number): bigint | undefined {
    if ((this.flags & flag & FIELD_FLAGS) === 0) return undefined;
    let at = this.#fieldsAt;
    for (let bit = 0; bit < FIELD_BITS && 1 << bit !== flag; bit++) {
      if (this.flags & (1 << bit)) at += FIELD_BYTES;
    }
    return this.#view.getBigUint64(at, true);
  }

  /** Like `field`, as a signed number. */
  signedField(flag: number): bigint | undefined {
    const field = this.field(flag);
    return field === undefined ? undefined : BigInt.asIntN(64, field);
  }

  /** The fields in the order of the wire, by name; for tests and tools. */
  fields(): {
    ttlMs: bigint | undefined;
    version: bigint | undefined;
    delta: bigint | undefined;
    initial: bigint | undefined;
    cursor: bigint | undefined;
    limit: bigint | undefined;
    expiryMs: bigint | undefined;
  } {
    return {
      ttlMs: this.field(FLAG_TTL),
      version: this.field(FLAG_VERSION),
      delta: this.signedField(FLAG_DELTA),
      initial: this.signedField(FLAG_INITIAL),
      cursor: this.field(FLAG_CURSOR),
      limit: this.field(FLAG_LIMIT),
      expiryMs: this.field(FLAG_EXPIRY),
    };
  }

  /**
   * `STATUS.OK` when the request's form is right, otherwise the status that refuses it. The checks
   * stand in the order of the core. What takes a clock or a table to see (an expiry too far away, a
   * cursor that was never told) is left to it.
   */
  formStatus(): number {
    const grammar = grammarOf(this.opcode);
    if (grammar === undefined || this.level > LEVEL_ALL) return STATUS.UNSUPPORTED;
    if (this.namespace !== 0) return STATUS.BAD_NAMESPACE;
    const good =
      this.#headerIsGood(grammar) &&
      this.#partsAreGood(grammar) &&
      this.#fieldsAreGood() &&
      this.#flagsAgree();
    return good ? STATUS.OK : STATUS.BAD_REQUEST;
  }

  #headerIsGood(grammar: OpcodeGrammar): boolean {
    if (this.reserved !== 0 || (this.encoding & TYPE_MASK) !== 0) return false;
    if ((this.encoding & ENCODING_MASK) > ENCODING_MSGPACK) return false;
    return (this.flags & ~grammar.flags) === 0;
  }

  #partsAreGood(grammar: OpcodeGrammar): boolean {
    const keyBytes = this.valueAt - this.keyAt;
    if (grammar.key === 'required' && keyBytes === 0) return false;
    if (grammar.key === 'none' && keyBytes !== 0) return false;
    return grammar.value || this.end === this.valueAt;
  }

  #fieldsAreGood(): boolean {
    return (
      within(this.field(FLAG_TTL), 1n, BigInt(MAX_TTL_MS)) &&
      within(this.field(FLAG_EXPIRY), 1n, MAX_U64) &&
      within(this.field(FLAG_LIMIT), 1n, BigInt(MAX_SCAN_LIMIT))
    );
  }

  /** A record has a version that leaves some above it; that of a clear is a clear with one. */
  #isGoodRecord(): boolean {
    const version = this.field(FLAG_VERSION);
    if (version === undefined) return this.opcode !== OP_MERGE;
    return version <= (this.opcode === OP_CLEAR ? MAX_CLEAR_VERSION : MAX_MERGE_VERSION);
  }

  #flagsAgree(): boolean {
    const { opcode, flags } = this;
    if (opcode === OP_DELETE && (flags & FLAG_PEEK) !== 0) return flags === PURGE_FLAGS;
    if (several(flags, FLAG_TTL | FLAG_EXPIRY | FLAG_KEEP_TTL)) return false;
    if (flags & FLAG_IF_ABSENT && flags & (FLAG_IF_PRESENT | FLAG_VERSION)) return false;
    if (flags & FLAG_TOMBSTONE && this.end !== this.valueAt) return false;
    const isRecord = this.opcode === OP_MERGE || this.opcode === OP_CLEAR;
    return !isRecord || this.#isGoodRecord();
  }
}
