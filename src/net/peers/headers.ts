/** What has to be known of requests and answers on their way from node to node. */
import type { AnswerReader } from '../../protocol/answerReader.js';
import {
  ANSWER_FIELD_FLAGS,
  ANSWER_HEADER_BYTES,
  ANSWER_OPCODE_AT,
  ANSWER_STATUS_AT,
  FIELD_BYTES,
  FLAG_IF_ABSENT,
  FLAG_IF_PRESENT,
  FLAG_KEEP_TTL,
  FLAG_VERSION,
  ID_AT,
  OP_DELETE,
  OP_GET,
  OP_INCR,
  OP_SET,
  OP_TOUCH,
} from '../../protocol/wire.js';

const CONDITIONS = FLAG_VERSION | FLAG_IF_ABSENT | FLAG_IF_PRESENT | FLAG_KEEP_TTL;

/** Whether what comes of a change depends on what is there: then one owner decides for all. */
export function dependsOnPresent(opcode: number, flags: number): boolean {
  if (opcode === OP_INCR || opcode === OP_TOUCH) return true;
  return (opcode === OP_SET || opcode === OP_DELETE) && (flags & CONDITIONS) !== 0;
}

/** Whether clients may ask it of any owner of the key. */
export function isRouted(opcode: number): boolean {
  return opcode >= OP_GET && opcode <= OP_INCR;
}

/** An answer that is a status and nothing else. */
export function statusAnswer(id: number, opcode: number, status: number): Uint8Array {
  const bytes = new Uint8Array(ANSWER_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ANSWER_HEADER_BYTES, true);
  view.setUint32(ID_AT, id, true);
  bytes[ANSWER_STATUS_AT] = status;
  bytes[ANSWER_OPCODE_AT] = opcode;
  return bytes;
}

function fieldsOf(flags: number): number {
  let fields = 0;
  for (let left = flags & ANSWER_FIELD_FLAGS; left !== 0; left &= left - 1) fields++;
  return fields;
}

/** A copy of the answer that a reader stands at, under another id. */
export function answerUnder(id: number, answer: AnswerReader): Uint8Array {
  const at = answer.bodyAt - ANSWER_HEADER_BYTES - FIELD_BYTES * fieldsOf(answer.flags);
  const bytes = answer.bytes.slice(at, answer.bodyEnd);
  new DataView(bytes.buffer).setUint32(ID_AT, id, true);
  return bytes;
}
