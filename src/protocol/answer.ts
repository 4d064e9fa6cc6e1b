import { FrameWriter } from './frameWriter.js';
import {
  ANSWER_CURSOR,
  ANSWER_ENCODING_AT,
  ANSWER_FIELD_FLAGS,
  ANSWER_FLAGS_AT,
  ANSWER_HEADER_BYTES,
  ANSWER_OPCODE_AT,
  ANSWER_STATUS_AT,
  ANSWER_TTL,
  ANSWER_VERSION,
  FIELD_BYTES,
  ID_AT,
  SIZE_AT,
} from './wire.js';

/** One answer. A field counts only if its flag is set in `flags`. */
export interface Answer {
  id: number;
  status: number;
  /** The opcode of the request. */
  opcode: number;
  /** `ANSWER_…` bits. */
  flags?: number;
  /** `ENCODING_…` of the body when it is a value. */
  encoding?: number;
  /** `ANSWER_VERSION`. */
  version?: bigint;
  /** `ANSWER_TTL`: remaining time to live in milliseconds. */
  ttlMs?: number;
  /** `ANSWER_CURSOR`. */
  cursor?: bigint;
  /** Text is written as UTF-8. */
  body?: string | Uint8Array;
}

function writeFields(writer: FrameWriter, answer: Answer, flags: number): void {
  if (flags & ANSWER_VERSION) writer.bigU64(answer.version ?? 0n);
  if (flags & ANSWER_TTL) writer.u64(answer.ttlMs ?? 0);
  if (flags & ANSWER_CURSOR) writer.bigU64(answer.cursor ?? 0n);
}

/** Room for the header and all three fields. */
const FIXED_BYTES = ANSWER_HEADER_BYTES + 3 * FIELD_BYTES;

/** Appends one answer and returns how many bytes it took. */
export function encodeAnswer(writer: FrameWriter, answer: Answer): number {
  const start = writer.at;
  const flags = answer.flags ?? 0;
  writer.reserve(FIXED_BYTES);
  const view = writer.view;
  view.setUint32(start + ID_AT, answer.id, true);
  view.setUint8(start + ANSWER_STATUS_AT, answer.status);
  view.setUint8(start + ANSWER_FLAGS_AT, flags);
  view.setUint8(start + ANSWER_ENCODING_AT, answer.encoding ?? 0);
  view.setUint8(start + ANSWER_OPCODE_AT, answer.opcode);
  writer.at = start + ANSWER_HEADER_BYTES;
  if (flags & ANSWER_FIELD_FLAGS) writeFields(writer, answer, flags);
  if (answer.body !== undefined) writer.data(answer.body);
  writer.view.setUint32(start + SIZE_AT, writer.at - start, true);
  return writer.at - start;
}

/** A message of one answer, with bytes of its own. */
export function answerMessage(answer: Answer): Uint8Array {
  const writer = new FrameWriter(FIXED_BYTES + (answer.body?.length ?? 0));
  encodeAnswer(writer, answer);
  return writer.frame().slice();
}
