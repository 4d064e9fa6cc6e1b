/**
 * Orlop's own protocol. The server may put the answers to many requests into one message, and they
 * carry the number of their key as id, so they are counted one by one inside of the messages.
 */

import { FrameWriter } from '../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../src/protocol/request.js';
import {
  ANSWER_HEADER_BYTES,
  ANSWER_STATUS_AT,
  ID_AT,
  OP_HELLO,
  PROTOCOL_VERSION,
  SOCKET_PATH,
  SUBPROTOCOL,
} from '../../src/protocol/wire.js';
import { HIT_BYTES, HIT_WORD, orlopEncoder, STORED_BYTES, STORED_WORD } from '../orlopRequests.js';
import type { Connection } from './connection.js';
import { type Dialect, refuse } from './dialect.js';
import type { Encoder } from './pool.js';
import {
  BINARY,
  CLOSE,
  handshake,
  headBytesAt,
  maskedHeadBytes,
  maskedMessage,
  PING,
  PONG,
  payloadBytesAt,
  sealMasked,
} from './websocket.js';

const encoder: Encoder = { ...orlopEncoder, headBytes: maskedHeadBytes, seal: sealMasked };

function hello(): Buffer {
  const writer = new FrameWriter();
  const value = new Uint8Array(4);
  value[0] = PROTOCOL_VERSION;
  encodeRequest(writer, { id: 0, opcode: OP_HELLO, key: 'orlop-bench', value });
  return maskedMessage(writer.frame());
}

function isWholeMessage(got: Buffer): boolean {
  const head = headBytesAt(got, 0, got.length);
  return head > 0 && got.length >= head + payloadBytesAt(got, 0);
}

async function open(connection: Connection): Promise<void> {
  const opening = handshake(SOCKET_PATH, connection.port, SUBPROTOCOL);
  opening.check(await connection.exchange(opening.request, opening.isWhole));
  const answer = await connection.exchange(hello(), isWholeMessage);
  if (answer[0] !== BINARY) refuseMessage(answer, 0, answer.length);
  const status = answer[headBytesAt(answer, 0, answer.length) + ANSWER_STATUS_AT];
  if (status !== 0) throw new Error(`hello was answered with status ${status}`);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Takes the whole answers of the current message; returns where it stopped. */
function takeAnswers(connection: Connection, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (connection.messageLeft > 0 && to - at >= ANSWER_HEADER_BYTES) {
    const size = word(bytes, at);
    const kind = word(bytes, at + ANSWER_STATUS_AT);
    if (size === HIT_BYTES && kind === HIT_WORD) {
      if (to - at < HIT_BYTES) return at;
      connection.countHit(bytes, at + ANSWER_HEADER_BYTES, word(bytes, at + ID_AT));
    } else if (size === STORED_BYTES && kind === STORED_WORD) connection.countStored();
    else refuse(bytes, at, to);
    at += size;
    connection.messageLeft -= size;
  }
  return at;
}

/**
 * Takes a message that carries no answers; returns where it ended, or `at` when it is not whole.
 */
function takeControl(connection: Connection, bytes: Uint8Array, at: number, to: number): number {
  const payloadAt = at + headBytesAt(bytes, at, to);
  const end = payloadAt + payloadBytesAt(bytes, at);
  if (end > to) return at;
  if (bytes[at] !== PING) refuseMessage(bytes, at, to);
  connection.sendAside(maskedMessage(bytes.subarray(payloadAt, end), PONG));
  return end;
}

function refuseMessage(bytes: Uint8Array, at: number, to: number): never {
  if (bytes[at] !== CLOSE) refuse(bytes, at, to);
  const payload = Buffer.from(bytes.subarray(at + 2, to));
  const reason =
    payload.length < 2 ? '' : `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`;
  throw new Error(`the server closed the connection: ${reason}`);
}

function take(connection: Connection, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  for (;;) {
    if (connection.messageLeft > 0) {
      at = takeAnswers(connection, bytes, at, to);
      if (connection.messageLeft > 0) return at;
    }
    const head = headBytesAt(bytes, at, to);
    if (head === 0) return at;
    if (bytes[at] === BINARY) {
      connection.messageLeft = payloadBytesAt(bytes, at);
      at += head;
    } else {
      const end = takeControl(connection, bytes, at, to);
      if (end === at) return at;
      at = end;
    }
  }
}

/** The dialect of an Orlop node. */
export const orlop: Dialect = { encoder, open, take };
