/**
 * What has to be known about a message of answers before it leaves, and what may have to be changed
 * in it, when changes must be on disk first. The core wrote the messages, so they are whole.
 */
import { u32At } from '../protocol/bytes.js';
import { FIRST_ERROR } from '../protocol/status.js';
import {
  ANSWER_HEADER_BYTES,
  ANSWER_OPCODE_AT,
  ANSWER_STATUS_AT,
  ID_AT,
  OP_CLEAR,
  OP_DELETE,
  OP_INCR,
  OP_MERGE,
  OP_SET,
  OP_TOUCH,
  SIZE_AT,
} from '../protocol/wire.js';

const WRITES: ReadonlySet<number> = new Set([
  OP_SET,
  OP_DELETE,
  OP_TOUCH,
  OP_INCR,
  OP_MERGE,
  OP_CLEAR,
]);

/**
 * Whether the answer at `at` says something about changes: that one was made, or that none was
 * because of those before it. Reads say what is there, on disk or not; errors say nothing.
 */
function tellsOfChange(answers: Uint8Array, at: number): boolean {
  if ((answers[at + ANSWER_STATUS_AT] ?? 0) >= FIRST_ERROR) return false;
  return WRITES.has(answers[at + ANSWER_OPCODE_AT] ?? 0);
}

/** Whether any answer of a message tells of changes. */
export function mustWait(answers: Uint8Array): boolean {
  for (let at = 0; at < answers.length; at += u32At(answers, at + SIZE_AT)) {
    if (tellsOfChange(answers, at)) return true;
  }
  return false;
}

/** The same message with `status`, an error, in the place of every answer that tells of changes. */
export function withoutChanges(answers: Uint8Array, status: number): Uint8Array {
  return replaced(answers, status, (at) => tellsOfChange(answers, at));
}

/** The same message with `status`, an error, in the place of the answers to some requests. */
export function withStatus(
  answers: Uint8Array,
  ids: readonly number[],
  status: number,
): Uint8Array {
  const view = new DataView(answers.buffer, answers.byteOffset, answers.byteLength);
  return replaced(answers, status, (at) => ids.includes(view.getUint32(at + ID_AT, true)));
}

function replaced(
  answers: Uint8Array,
  status: number,
  isMeant: (at: number) => boolean,
): Uint8Array {
  const changed = new Uint8Array(answers.length);
  let end = 0;
  for (let at = 0; at < answers.length; ) {
    const size = u32At(answers, at + SIZE_AT);
    const refused = isMeant(at);
    const length = refused ? ANSWER_HEADER_BYTES : size;
    changed.set(answers.subarray(at, at + length), end);
    if (refused) refuse(changed, end, status);
    end += length;
    at += size;
  }
  return changed.subarray(0, end);
}

/** Makes a header that was copied to `at` an answer that is a status and nothing else. */
function refuse(answers: Uint8Array, at: number, status: number): void {
  const opcode = answers[at + ANSWER_OPCODE_AT] ?? 0;
  answers.fill(0, at, at + ID_AT);
  answers[at] = ANSWER_HEADER_BYTES;
  answers.fill(0, at + ANSWER_STATUS_AT, at + ANSWER_HEADER_BYTES);
  answers[at + ANSWER_STATUS_AT] = status;
  answers[at + ANSWER_OPCODE_AT] = opcode;
}
