/**
 * What a node does not do before it knows its cluster. It listens before that, and who has started
 * again is connected to by clients at once: by itself it would answer a read with what little it
 * has, and acknowledge a change at `quorum` that nobody else is told of.
 */
import { answerMessage } from '../../protocol/answer.js';
import { RequestReader } from '../../protocol/requestReader.js';
import { STATUS } from '../../protocol/status.js';
import { OP_CLEAR } from '../../protocol/wire.js';
import type { Party } from '../party.js';
import { isRouted } from './headers.js';

/** Refuses what is about keys; what is left of a client's frame, perhaps nothing. */
export function tooEarly(
  party: Party,
  frame: Uint8Array,
  deliver: (party: Party, answers: Uint8Array) => void,
): Uint8Array | undefined {
  const reader = new RequestReader(frame);
  const rest: Uint8Array[] = [];
  while (reader.next()) {
    const { id, opcode, at, end } = reader;
    if (!isRouted(opcode) && opcode !== OP_CLEAR) rest.push(frame.subarray(at, end));
    else deliver(party, answerMessage({ id, opcode, status: STATUS.UNAVAILABLE }));
  }
  // What makes no sense is for the core to refuse.
  if (reader.malformed) rest.push(frame.subarray(reader.at));
  return rest.length === 0 ? undefined : Buffer.concat(rest);
}
