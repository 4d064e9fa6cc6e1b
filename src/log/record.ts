/**
 * A record is one change: the state that a key has from now on. It is the record of the feed, byte
 * for byte, so that the log takes it over with one copy; a test compares the two.
 *
 *    0 size u32, a multiple of 8     4 kind u8     5 encoding u8     6 key length u16
 *    8 version u64                  16 expiry u64, Unix ms, 0 = never
 *   24 value length u32             28 origin u32, 0 = this node
 *   32 key, value, zeros up to the size
 */

/** Bytes before the key of a record. */
export const RECORD_HEADER_BYTES = 32;
/** Records start at multiples of this. */
export const RECORD_ALIGN_BYTES = 8;
/** The longest key, in bytes. */
export const KEY_BYTES_MAX = 65_535;

/** The kinds of record by their numbers; 0 never stands in a log. */
export const KIND = { put: 1, remove: 2, clear: 3, summary: 4 } as const;
/** The name of a kind. */
export type RecordKind = keyof typeof KIND;

const KIND_NAMES: readonly (RecordKind | undefined)[] = [
  undefined,
  'put',
  'remove',
  'clear',
  'summary',
];

/** One record, taken apart. */
export interface LogRecord {
  readonly kind: RecordKind;
  /** Type and encoding of the value, as on the wire. */
  readonly encoding: number;
  readonly version: bigint;
  /** Unix milliseconds, 0 for never. */
  readonly expiryMs: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The bytes of a record with a key and a value of these lengths. */
export function recordBytes(keyLength: number, valueLength: number): number {
  const bytes = RECORD_HEADER_BYTES + keyLength + valueLength;
  return Math.ceil(bytes / RECORD_ALIGN_BYTES) * RECORD_ALIGN_BYTES;
}

/** The bytes of a record. */
export function encodeRecord(record: LogRecord): Uint8Array<ArrayBuffer> {
  const { key, value } = record;
  const bytes = new Uint8Array(recordBytes(key.length, value.length));
  const view = new DataView(bytes.buffer);
  const keyAt = beginRecord(view, 0, record, key.length, value.length);
  bytes.set(key, keyAt);
  bytes.set(value, keyAt + key.length);
  return bytes;
}

const TWO_32 = 2 ** 32;

/** What a record says, but for its key and its value. */
export type RecordFields = Omit<LogRecord, 'key' | 'value'>;

/** Writes the header of a record at `at`; where its key goes, and behind it its value. */
export function beginRecord(
  view: DataView,
  at: number,
  { kind, encoding, version, expiryMs }: RecordFields,
  keyLength: number,
  valueLength: number,
): number {
  view.setUint32(at, recordBytes(keyLength, valueLength), true);
  view.setUint8(at + 4, KIND[kind]);
  view.setUint8(at + 5, encoding);
  view.setUint16(at + 6, keyLength, true);
  view.setBigUint64(at + 8, version, true);
  view.setUint32(at + 16, expiryMs % TWO_32, true);
  view.setUint32(at + 20, Math.floor(expiryMs / TWO_32), true);
  view.setUint32(at + 24, valueLength, true);
  view.setUint32(at + 28, 0, true);
  return at + RECORD_HEADER_BYTES;
}

/**
 * Steps through the records that lie one behind the other in `bytes`. The bytes may be anything:
 * what can't be a record ends the walk with a `problem`.
 */
export class RecordWalk {
  kind: RecordKind = 'clear';
  encoding = 0;
  expiryMs = 0;
  /** Where the current record, its key and its value start, and how long they are. */
  at = 0;
  size = 0;
  keyAt = 0;
  keyLength = 0;
  valueAt = 0;
  valueLength = 0;
  /** Why the walk ended before the end of the bytes. */
  problem: string | undefined;

  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #next = 0;
  #end = 0;

  /** Starts over with the records in `bytes` from `from` to `end`. */
  reset(bytes: Uint8Array, from: number, end: number): void {
    if (bytes.buffer !== this.#bytes.buffer || bytes.byteOffset !== this.#bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#bytes = bytes;
    this.#next = from;
    this.#end = end;
    this.problem = undefined;
  }

  /** Steps to the next record and describes it; false at the end, and where none can be. */
  next(): boolean {
    const at = this.#next;
    const left = this.#end - at;
    if (left === 0) return false;
    if (left < RECORD_HEADER_BYTES) return this.#fail('a record is cut off');
    const view = this.#view;
    const size = view.getUint32(at, true);
    const kind = KIND_NAMES[view.getUint8(at + 4)];
    const keyLength = view.getUint16(at + 6, true);
    const valueLength = view.getUint32(at + 24, true);
    if (kind === undefined) return this.#fail('a record is of a kind that this version lacks');
    if (size > left || size !== recordBytes(keyLength, valueLength)) {
      return this.#fail("a record's lengths make no sense");
    }
    this.kind = kind;
    this.encoding = view.getUint8(at + 5);
    this.expiryMs = view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * TWO_32;
    this.at = at;
    this.size = size;
    this.keyAt = at + RECORD_HEADER_BYTES;
    this.keyLength = keyLength;
    this.valueAt = this.keyAt + keyLength;
    this.valueLength = valueLength;
    this.#next = at + size;
    return true;
  }

  #fail(problem: string): false {
    this.problem = problem;
    return false;
  }

  /** The version of the current record. */
  version(): bigint {
    return this.#view.getBigUint64(this.at + 8, true);
  }

  /** The upper half of the current record's version. */
  versionHigh(): number {
    return this.#view.getUint32(this.at + 12, true);
  }

  /** The lower half of the current record's version. */
  versionLow(): number {
    return this.#view.getUint32(this.at + 8, true);
  }

  /** A view of the current record's key. */
  key(): Uint8Array {
    return this.#bytes.subarray(this.keyAt, this.valueAt);
  }

  /** A view of the current record's value. */
  value(): Uint8Array {
    return this.#bytes.subarray(this.valueAt, this.valueAt + this.valueLength);
  }
}
