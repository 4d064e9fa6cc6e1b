/**
 * Where connections say that they have a session. Like requests about the cluster, those for
 * sessions stand at the beginning of a frame, where looking for them costs a comparison.
 */
import { answerMessage } from '../protocol/answer.js';
import { RequestReader } from '../protocol/requestReader.js';
import { STATUS } from '../protocol/status.js';
import { OP_SESSION, REQUEST_HEADER_BYTES, REQUEST_OPCODE_AT } from '../protocol/wire.js';
import { readToken } from '../replication/session.js';
import type { Party } from './party.js';
import { PartySession } from './peers/session.js';

/** Whoever has a session. */
export interface SessionParty extends Party {
  /** Sends a message of answers. */
  tell(answers: Uint8Array): void;
}

/** Whether the first request of a frame is about a session. */
export function isAboutSession(frame: Uint8Array): boolean {
  return frame[REQUEST_OPCODE_AT] === OP_SESSION && frame.length >= REQUEST_HEADER_BYTES;
}

/**
 * Answers the requests about sessions that a frame begins with; returns the rest. What can't be
 * taken apart is among the rest: the core says what is wrong with it.
 */
export function takeSession(party: SessionParty, frame: Uint8Array): Uint8Array {
  const reader = new RequestReader(frame);
  let rest = frame;
  while (isAboutSession(rest) && reader.next()) {
    const { id } = reader;
    const status = begun(party, reader, frame);
    party.tell(answerMessage({ id, opcode: OP_SESSION, status }));
    rest = frame.subarray(reader.end);
  }
  return rest;
}

function begun(party: SessionParty, reader: RequestReader, frame: Uint8Array): number {
  if (party.isPeer) return STATUS.FORBIDDEN;
  const { flags, level, namespace, encoding, reserved, keyAt, valueAt, end } = reader;
  const extras = flags | level | namespace | encoding | reserved;
  if (extras !== 0 || keyAt !== valueAt) return STATUS.BAD_REQUEST;
  const token = readToken(frame.slice(valueAt, end));
  if (token === undefined) return STATUS.BAD_REQUEST;
  if (party.session === undefined) party.session = new PartySession(reader.id, token);
  else party.session.renew(reader.id, token);
  return STATUS.OK;
}
