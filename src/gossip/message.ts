/**
 * What is in a datagram once it is opened: messages one behind the other, each with its kind and
 * length, so that a kind that is not known here is skipped.
 *
 *   0      1        3
 *   +------+--------+---------+
 *   | kind | length | payload |
 *   +------+--------+---------+
 *    u8     u16
 *
 *   ping      seq u32, state u8, incarnation u32, id of the target
 *   ack, nack seq u32
 *   relay     seq u32, state u8, incarnation u32, id of the target, its endpoint
 *   rumour    a record
 *   herald    topic u8, version u53, id of the sender, bytes to the end
 *   request   call u53, part u16, parts u16, topic u8, id of the sender, bytes to the end
 *   answer    call u53, part u16, parts u16, bytes to the end
 *   receipt   call u53, part u16, of u8 (0 a request, 1 an answer)
 *
 * The state and the incarnation in a ping are what the sender believes of the target, so that it
 * can object in its answer.
 */
import { ByteReader, type ByteWriter, Malformed } from './bytes.js';
import { gravityOf, MEMBER_STATES, type MemberRecord, type MemberState } from './member.js';
import { ID_MAX, ID_SHAPE, readRecord, writeRecord } from './record.js';

/** The numbers of the kinds. */
export const KINDS = {
  ping: 1,
  ack: 2,
  nack: 3,
  relay: 4,
  rumour: 5,
  herald: 6,
  request: 7,
  answer: 8,
  receipt: 9,
} as const;

/** Bytes before a payload. */
export const MESSAGE_HEADER_BYTES = 3;
/** The longest fact of a herald, in bytes. */
export const HERALD_MAX = 512;
/** The longest part of a request or an answer, in bytes. */
export const PART_BYTES = 1_200;
/** The most parts. */
export const PARTS_MAX = 256;

/** Asks whether the target is there. */
export interface Ping {
  readonly kind: 'ping';
  readonly seq: number;
  readonly state: MemberState;
  readonly incarnation: number;
  readonly target: string;
}

/** Says that it is, or that it did not answer. */
export interface Ack {
  readonly kind: 'ack' | 'nack';
  readonly seq: number;
}

/** Asks for a ping on one's behalf. */
export interface Relay {
  readonly kind: 'relay';
  readonly seq: number;
  readonly state: MemberState;
  readonly incarnation: number;
  readonly target: string;
  readonly endpoint: string;
}

/** A statement about a node. */
export interface RumourMessage {
  readonly kind: 'rumour';
  readonly record: MemberRecord;
}

/** A small fact, of which the highest version holds. */
export interface Herald {
  readonly kind: 'herald';
  readonly topic: number;
  readonly version: number;
  readonly from: string;
  readonly bytes: Uint8Array;
}

/** A part of a request. */
export interface RequestPart {
  readonly kind: 'request';
  readonly call: number;
  readonly part: number;
  readonly parts: number;
  readonly topic: number;
  readonly from: string;
  readonly bytes: Uint8Array;
}

/** A part of an answer. */
export interface AnswerPart {
  readonly kind: 'answer';
  readonly call: number;
  readonly part: number;
  readonly parts: number;
  readonly bytes: Uint8Array;
}

/** Says that a part arrived. */
export interface Receipt {
  readonly kind: 'receipt';
  readonly call: number;
  readonly part: number;
  readonly of: 'request' | 'answer';
}

/** Anything in a datagram. */
export type Message =
  | Ping
  | Ack
  | Relay
  | RumourMessage
  | Herald
  | RequestPart
  | AnswerPart
  | Receipt;

const ENDPOINT_MAX = 54;
const ENDPOINT_SHAPE = /^([0-9.]{7,15}|\[[0-9A-Fa-f.:]{2,45}\]):\d{1,5}$/;

/** Writes the payload of a message. */
function writePayload(to: ByteWriter, message: Message): void {
  switch (message.kind) {
    case 'ping':
    case 'relay':
      to.u32(message.seq);
      to.u8(gravityOf(message.state));
      to.u32(message.incarnation);
      to.text(message.target);
      if (message.kind === 'relay') to.text(message.endpoint);
      break;
    case 'ack':
    case 'nack':
      to.u32(message.seq);
      break;
    case 'rumour':
      writeRecord(to, message.record);
      break;
    case 'herald':
      to.u8(message.topic);
      to.u53(message.version);
      to.text(message.from);
      to.bytes(message.bytes);
      break;
    case 'request':
    case 'answer':
      writePart(to, message);
      break;
    case 'receipt':
      to.u53(message.call);
      to.u16(message.part);
      to.u8(message.of === 'request' ? 0 : 1);
  }
}

function writePart(to: ByteWriter, message: RequestPart | AnswerPart): void {
  to.u53(message.call);
  to.u16(message.part);
  to.u16(message.parts);
  if (message.kind === 'request') {
    to.u8(message.topic);
    to.text(message.from);
  }
  to.bytes(message.bytes);
}

/** Writes a message; there has to be room for it. */
export function writeMessage(to: ByteWriter, message: Message): void {
  to.u8(KINDS[message.kind]);
  const lengthAt = to.length;
  to.u16(0);
  const start = to.length;
  writePayload(to, message);
  const end = to.length;
  to.length = lengthAt;
  to.u16(end - start);
  to.length = end;
}

function stateIn(from: ByteReader): MemberState {
  const state = MEMBER_STATES[from.u8()];
  if (state === undefined) throw new Malformed('no such state');
  return state;
}

function readPing(from: ByteReader): Omit<Ping, 'kind'> {
  const seq = from.u32();
  const state = stateIn(from);
  return { seq, state, incarnation: from.u32(), target: from.text(ID_SHAPE, ID_MAX) };
}

function readHerald(from: ByteReader): Herald {
  const topic = from.u8();
  const version = from.u53();
  const sender = from.text(ID_SHAPE, ID_MAX);
  if (from.left > HERALD_MAX) throw new Malformed('a fact is too long');
  return { kind: 'herald', topic, version, from: sender, bytes: from.bytes(from.left) };
}

function readPartNumbers(from: ByteReader): { call: number; part: number; parts: number } {
  const numbers = { call: from.u53(), part: from.u16(), parts: from.u16() };
  if (numbers.parts > PARTS_MAX || numbers.part >= numbers.parts) throw new Malformed('no part');
  return numbers;
}

function partBytes(from: ByteReader): Uint8Array {
  if (from.left > PART_BYTES) throw new Malformed('a part is too long');
  return from.bytes(from.left);
}

function readPayload(kind: number, from: ByteReader): Message | undefined {
  switch (kind) {
    case KINDS.ping:
      return { kind: 'ping', ...readPing(from) };
    case KINDS.ack:
      return { kind: 'ack', seq: from.u32() };
    case KINDS.nack:
      return { kind: 'nack', seq: from.u32() };
    case KINDS.relay:
      return {
        kind: 'relay',
        ...readPing(from),
        endpoint: from.text(ENDPOINT_SHAPE, ENDPOINT_MAX),
      };
    case KINDS.rumour:
      return { kind: 'rumour', record: readRecord(from) };
    case KINDS.herald:
      return readHerald(from);
    case KINDS.request: {
      const numbers = readPartNumbers(from);
      const topic = from.u8();
      const sender = from.text(ID_SHAPE, ID_MAX);
      return { kind: 'request', ...numbers, topic, from: sender, bytes: partBytes(from) };
    }
    case KINDS.answer:
      return { kind: 'answer', ...readPartNumbers(from), bytes: partBytes(from) };
    case KINDS.receipt: {
      const [call, part] = [from.u53(), from.u16()];
      return { kind: 'receipt', call, part, of: from.u8() === 0 ? 'request' : 'answer' };
    }
    default:
      return undefined;
  }
}

/** The messages of an opened datagram. Throws `Malformed`, and then none of them counts. */
export function readMessages(body: Uint8Array): Message[] {
  const from = new ByteReader(body);
  const messages: Message[] = [];
  while (from.left > 0) {
    const kind = from.u8();
    const payload = new ByteReader(from.bytes(from.u16()));
    const message = readPayload(kind, payload);
    if (message === undefined) continue;
    if (payload.left > 0) throw new Malformed('a message is too long');
    messages.push(message);
  }
  return messages;
}
