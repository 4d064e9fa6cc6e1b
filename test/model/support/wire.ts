/**
 * The wire format, written a second time for the tests: what `src/protocol` encodes and what the
 * core answers is checked against this copy, which neither of them uses.
 */

export const OP = {
  HELLO: 0x01,
  PING: 0x02,
  GET: 0x10,
  SET: 0x11,
  DELETE: 0x12,
  TOUCH: 0x13,
  INCR: 0x14,
  MERGE: 0x15,
  SCAN: 0x16,
  CLEAR: 0x17,
} as const;

export const STATUS = {
  OK: 0,
  NOT_FOUND: 1,
  EXISTS: 2,
  VERSION_MISMATCH: 3,
  NOT_A_NUMBER: 4,
  OVERFLOW: 5,
  BAD_REQUEST: 16,
  UNSUPPORTED: 17,
  TOO_LARGE: 18,
  UNAUTHENTICATED: 19,
  FORBIDDEN: 20,
  BUSY: 21,
  TIMEOUT: 22,
  NO_SPACE: 23,
  SHUTTING_DOWN: 24,
  BAD_NAMESPACE: 25,
  UNSUPPORTED_VERSION: 26,
  INTERNAL: 27,
  DISK_FULL: 28,
  DISK_FAILED: 29,
  UNAVAILABLE: 30,
  UNDECIDED: 31,
  AHEAD: 32,
} as const;

export const FLAG = {
  TTL: 1 << 0,
  VERSION: 1 << 1,
  DELTA: 1 << 2,
  INITIAL: 1 << 3,
  CURSOR: 1 << 4,
  LIMIT: 1 << 5,
  EXPIRY: 1 << 6,
  LOCATION: 1 << 7,
  IF_ABSENT: 1 << 8,
  IF_PRESENT: 1 << 9,
  KEEP_TTL: 1 << 10,
  RETURN_OLD: 1 << 11,
  WITH_META: 1 << 12,
  TOMBSTONE: 1 << 13,
  NO_VALUE: 1 << 14,
  PEEK: 1 << 15,
} as const;

export const ANSWER = { VERSION: 1, TTL: 2, CURSOR: 4, HAS_VALUE: 16 } as const;

export const ENCODING = { RAW: 0, TEXT: 1, MSGPACK: 2 } as const;

export const REQUEST_HEADER_BYTES = 20;
export const ANSWER_HEADER_BYTES = 12;

export const CLOSE_MALFORMED = 4400;

/**
 * A request; what is left out is left out on the wire. `size` and `keyLength` override the truth.
 */
export interface Request {
  op: number;
  id?: number;
  level?: number;
  namespace?: number;
  deadlineMs?: number;
  encoding?: number;
  reserved?: number;
  key?: string | Uint8Array;
  value?: string | Uint8Array;
  ttlMs?: number | bigint;
  version?: bigint;
  delta?: bigint;
  initial?: bigint;
  cursor?: bigint;
  limit?: number | bigint;
  expiryMs?: number | bigint;
  /** Modifier bits, and bits of fields that are then missing. */
  flags?: number;
  size?: number;
  keyLength?: number;
}

export interface Answer {
  id: number;
  status: number;
  flags: number;
  encoding: number;
  op: number;
  version: bigint | undefined;
  ttlMs: number | undefined;
  cursor: bigint | undefined;
  /** The body; undefined when the answer carries no value. */
  value: Uint8Array | undefined;
  body: Uint8Array;
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(data: string | Uint8Array | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array(0);
  return typeof data === 'string' ? utf8.encode(data) : data;
}

export function textOf(data: Uint8Array | undefined): string | undefined {
  return data === undefined ? undefined : decoder.decode(Uint8Array.from(data));
}

function fieldsOf(request: Request): [number, bigint][] {
  const fields: [number, bigint | number | undefined][] = [
    [FLAG.TTL, request.ttlMs],
    [FLAG.VERSION, request.version],
    [FLAG.DELTA, request.delta],
    [FLAG.INITIAL, request.initial],
    [FLAG.CURSOR, request.cursor],
    [FLAG.LIMIT, request.limit],
    [FLAG.EXPIRY, request.expiryMs],
  ];
  return fields.flatMap(([flag, value]) =>
    value === undefined ? [] : [[flag, BigInt.asUintN(64, BigInt(value))] as [number, bigint]],
  );
}

export function encodeRequest(request: Request): Uint8Array {
  const key = bytesOf(request.key);
  const value = bytesOf(request.value);
  const fields = fieldsOf(request);
  const size = REQUEST_HEADER_BYTES + fields.length * 8 + key.length + value.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, request.size ?? size, true);
  view.setUint32(4, request.id ?? 0, true);
  view.setUint8(8, request.op);
  view.setUint8(9, request.level ?? 0);
  view.setUint16(10, request.namespace ?? 0, true);
  view.setUint16(
    12,
    fields.reduce((flags, [flag]) => flags | flag, request.flags ?? 0),
    true,
  );
  view.setUint16(14, request.keyLength ?? key.length, true);
  view.setUint16(16, request.deadlineMs ?? 0, true);
  view.setUint8(18, request.encoding ?? 0);
  view.setUint8(19, request.reserved ?? 0);
  fields.forEach(([, field], index) => {
    view.setBigUint64(REQUEST_HEADER_BYTES + index * 8, field, true);
  });
  bytes.set(key, REQUEST_HEADER_BYTES + fields.length * 8);
  bytes.set(value, REQUEST_HEADER_BYTES + fields.length * 8 + key.length);
  return bytes;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function encodeFrame(requests: readonly Request[]): Uint8Array {
  return concat(requests.map(encodeRequest));
}

const KNOWN_ANSWER_FLAGS = ANSWER.VERSION | ANSWER.TTL | ANSWER.CURSOR | ANSWER.HAS_VALUE;

function decodeAnswer(bytes: Uint8Array): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(9);
  if ((flags & ~KNOWN_ANSWER_FLAGS) !== 0) throw new Error(`an answer has flags ${flags}`);
  let at = ANSWER_HEADER_BYTES;
  const field = (bit: number): bigint | undefined => {
    if ((flags & bit) === 0) return undefined;
    at += 8;
    if (at > bytes.length) throw new Error('an answer is shorter than its fields');
    return view.getBigUint64(at - 8, true);
  };
  const version = field(ANSWER.VERSION);
  const ttl = field(ANSWER.TTL);
  const cursor = field(ANSWER.CURSOR);
  const body = bytes.slice(at);
  return {
    id: view.getUint32(4, true),
    status: view.getUint8(8),
    flags,
    encoding: view.getUint8(10),
    op: view.getUint8(11),
    version,
    ttlMs: ttl === undefined ? undefined : Number(ttl),
    cursor,
    value: (flags & ANSWER.HAS_VALUE) === 0 ? undefined : body,
    body,
  };
}

/** The answers of one message; throws when their sizes do not add up to it. */
export function decodeAnswers(message: Uint8Array): Answer[] {
  const bytes = Uint8Array.from(message);
  const view = new DataView(bytes.buffer);
  const answers: Answer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + ANSWER_HEADER_BYTES > bytes.length) throw new Error('an answer header is cut');
    const size = view.getUint32(at, true);
    if (size < ANSWER_HEADER_BYTES || at + size > bytes.length) {
      throw new Error(`an answer of size ${size} stands at ${at} of ${bytes.length}`);
    }
    answers.push(decodeAnswer(bytes.subarray(at, at + size)));
    at += size;
  }
  return answers;
}

/** The keys of a scan's body. */
export function decodeKeys(body: Uint8Array): Uint8Array[] {
  const keys: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    const length = (body[at] ?? 0) | ((body[at + 1] ?? 0) << 8);
    if (at + 2 + length > body.length) throw new Error('a scanned key is cut');
    keys.push(body.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return keys;
}
