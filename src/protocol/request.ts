import { InvalidArgumentError } from './errors.js';
import type { FrameWriter } from './frameWriter.js';
import {
  FIELD_FLAGS,
  FLAG_CURSOR,
  FLAG_DELTA,
  FLAG_EXPIRY,
  FLAG_INITIAL,
  FLAG_LIMIT,
  FLAG_TTL,
  FLAG_VERSION,
  MAX_KEY_BYTES,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
} from './wire.js';

/** One request. A field counts only if its flag is set in `flags`. */
export interface Request {
  id: number;
  opcode: number;
  /** `LEVEL_…`: how many owners have to answer; `LEVEL_ONE` when it is not given. */
  level?: number;
  /** `FLAG_…` bits: which fields are there, and modifiers. */
  flags?: number;
  /** Milliseconds from arrival after which the node does not execute it; 0 or nothing: no limit. */
  deadlineMs?: number;
  /** `ENCODING_…` of the value. */
  encoding?: number;
  /** `FLAG_TTL`: relative time to live in milliseconds. */
  ttlMs?: number;
  /** `FLAG_VERSION`. */
  version?: bigint;
  /** `FLAG_DELTA`. */
  delta?: bigint;
  /** `FLAG_INITIAL`. */
  initial?: bigint;
  /** `FLAG_CURSOR`. */
  cursor?: bigint;
  /** `FLAG_LIMIT`. */
  limit?: number;
  /** `FLAG_EXPIRY`: absolute, in Unix milliseconds. */
  expiryMs?: number;
  /** Text is written as UTF-8. */
  key?: string | Uint8Array;
  /** Already encoded; text is written as UTF-8. */
  value?: string | Uint8Array;
}

/** Fields in the order of their bits, as they stand on the wire. */
function writeFields(writer: FrameWriter, request: Request, flags: number): void {
  if (flags & FLAG_TTL) writer.u64(request.ttlMs ?? 0);
  if (flags & FLAG_VERSION) writer.bigU64(request.version ?? 0n);
  if (flags & FLAG_DELTA) writer.bigI64(request.delta ?? 0n);
  if (flags & FLAG_INITIAL) writer.bigI64(request.initial ?? 0n);
  if (flags & FLAG_CURSOR) writer.bigU64(request.cursor ?? 0n);
  if (flags & FLAG_LIMIT) writer.u64(request.limit ?? 0);
  if (flags & FLAG_EXPIRY) writer.u64(request.expiryMs ?? 0);
}

/** The header as four words and a half; size and key length follow when they are known. */
function writeHeader(writer: FrameWriter, request: Request, flags: number): void {
  const view = writer.view;
  const at = writer.at;
  view.setUint32(at + 4, request.id, true);
  view.setUint32(at + 8, request.opcode | ((request.level ?? 0) << 8), true);
  view.setUint32(at + 12, flags, true);
  view.setUint32(at + 16, (request.deadlineMs ?? 0) | ((request.encoding ?? 0) << 16), true);
  writer.at = at + REQUEST_HEADER_BYTES;
}

function refuseKey(writer: FrameWriter, start: number, keyBytes: number): never {
  writer.at = start;
  throw new InvalidArgumentError(
    `the key has ${keyBytes} bytes, but at most ${MAX_KEY_BYTES} are possible`,
  );
}

function writeKey(writer: FrameWriter, start: number, key: string | Uint8Array): void {
  const keyAt = writer.at;
  writer.data(key);
  const keyBytes = writer.at - keyAt;
  if (keyBytes > MAX_KEY_BYTES) refuseKey(writer, start, keyBytes);
  writer.view.setUint16(start + REQUEST_KEY_LENGTH_AT, keyBytes, true);
}

function writeParts(writer: FrameWriter, request: Request, start: number): void {
  const flags = request.flags ?? 0;
  writeHeader(writer, request, flags);
  if (flags & FIELD_FLAGS) writeFields(writer, request, flags);
  if (request.key !== undefined) writeKey(writer, start, request.key);
  if (request.value !== undefined) writer.data(request.value);
  writer.view.setUint32(start, writer.at - start, true);
}

/** Room for the header and all seven fields. */
const FIXED_BYTES = REQUEST_HEADER_BYTES + 7 * 8;

/**
 * Appends one request and returns how many bytes it took. When it throws (`InvalidArgumentError`:
 * the key is too long, or text is not well-formed), nothing is appended.
 */
export function encodeRequest(writer: FrameWriter, request: Request): number {
  const start = writer.at;
  writer.reserve(FIXED_BYTES);
  try {
    writeParts(writer, request, start);
  } catch (error) {
    writer.at = start;
    throw error;
  }
  return writer.at - start;
}
