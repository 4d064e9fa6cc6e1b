/** What has to be known of requests and answers on their way from node to node. */
import type { AnswerReader } from '../../protocol/answerReader.js';
import {
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

/** Whether it makes a change under this node's clock. */
export function isChange(opcode: number): boolean {
  return opcode > OP_GET && opcode <= OP_INCR;
}

/** Whether clients may ask it of any owner of the key. */
export function isRouted(opcode: number): boolean {
  return opcode >= OP_GET && opcode <= OP_INCR;
}

/** A copy of the answer that a reader stands at, under another id. */
export function answerUnder(id: number, answer: AnswerReader): Uint8Array {
  const bytes = answer.bytes.slice(answer.at, answer.bodyEnd);
  new DataView(bytes.buffer).setUint32(ID_AT, id, true);
  return bytes;
}
