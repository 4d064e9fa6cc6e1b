/**
 * What nodes say to each other about configurations. A message is a kind as u8 and its fields:
 *
 *   0 prepare   register, ballot                    1 accept    register, ballot, value
 *   2 promised  register, ballot, member, u8 0/1,   3 accepted  register, ballot
 *               accepted ballot and value           4 refused   register, ballot, promised ballot
 *   5 learned   configuration                       6 ask       cluster, number
 *   7 join      member, sealed u8, cluster
 *
 * A register is its group and its number, both u64; values and configurations stand behind their
 * length as u32; members and ballots are written as in configurations and memories.
 */
import { readBallot, writeBallot } from './ballot.js';
import { type Configuration, isMemberId, type Member } from './configuration.js';
import {
  decodeConfiguration,
  encodeConfiguration,
  MAX_CONFIGURATION_BYTES,
  readMember,
  writeMember,
} from './configurationCodec.js';
import { FieldReader, FieldWriter, FormatError, isHex64 } from './fields.js';
import type { RegisterName, Value } from './memory.js';
import type { Answer, Request } from './register.js';

/** One message. */
export type Message =
  | { readonly kind: 'request'; readonly register: RegisterName; readonly request: Request<Value> }
  | {
      readonly kind: 'answer';
      readonly register: RegisterName;
      readonly answer: Answer<Value>;
      /** With a promise: who promises, so that a founder knows whom it founds with. */
      readonly member?: Member | undefined;
    }
  | { readonly kind: 'learned'; readonly configuration: Configuration }
  /** Whoever knows a later configuration of the cluster answers with it. */
  | { readonly kind: 'ask'; readonly cluster: string; readonly number: number }
  | {
      readonly kind: 'join';
      readonly member: Member;
      /** The cluster of one that the node has given up, and zeros when it had none. */
      readonly cluster: string;
      readonly sealed: boolean;
    };

const KINDS = ['prepare', 'accept', 'promised', 'accepted', 'refused', 'learned', 'ask', 'join'];

function writeRegister(writer: FieldWriter, { group, number }: RegisterName): void {
  writer.hex64(group);
  writer.count(number);
}

function writeAnswer(writer: FieldWriter, answer: Answer<Value>, member?: Member): void {
  if (answer.kind === 'refused') writeBallot(writer, answer.promised);
  if (answer.kind !== 'promised') return;
  if (member === undefined) throw new FormatError('a promise names nobody');
  writeMember(writer, member);
  writer.u8(answer.accepted === undefined ? 0 : 1);
  if (answer.accepted === undefined) return;
  writeBallot(writer, answer.accepted.ballot);
  writer.block(answer.accepted.value);
}

function kindOf(message: Message): string {
  if (message.kind === 'request') return message.request.kind;
  return message.kind === 'answer' ? message.answer.kind : message.kind;
}

function writeBody(writer: FieldWriter, message: Message): void {
  switch (message.kind) {
    case 'request':
      writeRegister(writer, message.register);
      writeBallot(writer, message.request.ballot);
      if (message.request.kind === 'accept') writer.block(message.request.value);
      return;
    case 'answer':
      writeRegister(writer, message.register);
      writeBallot(writer, message.answer.ballot);
      writeAnswer(writer, message.answer, message.member);
      return;
    case 'learned':
      writer.block(encodeConfiguration(message.configuration));
      return;
    case 'ask':
      writer.hex64(message.cluster);
      writer.count(message.number);
      return;
    case 'join':
      writeMember(writer, message.member);
      writer.u8(message.sealed ? 1 : 0);
      writer.hex64(message.cluster);
  }
}

/** The bytes of a message. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const writer = new FieldWriter();
  writer.u8(KINDS.indexOf(kindOf(message)));
  writeBody(writer, message);
  return writer.done();
}

function readFlag(reader: FieldReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw new FormatError(`${flag} is neither 0 nor 1`);
  return flag === 1;
}

function readSender(reader: FieldReader): Member {
  const member = readMember(reader);
  if (!isMemberId(member.id) || !isHex64(member.boot)) throw new FormatError('nobody says so');
  return member;
}

function readRequest(reader: FieldReader, kind: 'prepare' | 'accept'): Message {
  const register = { group: reader.hex64(), number: reader.count() };
  const ballot = readBallot(reader);
  if (kind === 'prepare') return { kind: 'request', register, request: { kind, ballot } };
  const value = reader.block(MAX_CONFIGURATION_BYTES);
  return { kind: 'request', register, request: { kind, ballot, value } };
}

function readAnswer(reader: FieldReader, kind: 'promised' | 'accepted' | 'refused'): Message {
  const register = { group: reader.hex64(), number: reader.count() };
  const ballot = readBallot(reader);
  if (kind === 'accepted') return { kind: 'answer', register, answer: { kind, ballot } };
  if (kind === 'refused') {
    return { kind: 'answer', register, answer: { kind, ballot, promised: readBallot(reader) } };
  }
  const member = readSender(reader);
  if (!readFlag(reader)) return { kind: 'answer', register, member, answer: { kind, ballot } };
  const accepted = { ballot: readBallot(reader), value: reader.block(MAX_CONFIGURATION_BYTES) };
  return { kind: 'answer', register, member, answer: { kind, ballot, accepted } };
}

function readJoin(reader: FieldReader): Message {
  const member = readSender(reader);
  const sealed = readFlag(reader);
  return { kind: 'join', member, sealed, cluster: reader.hex64() };
}

function readBody(reader: FieldReader, kind: string | undefined): Message {
  switch (kind) {
    case 'prepare':
    case 'accept':
      return readRequest(reader, kind);
    case 'promised':
    case 'accepted':
    case 'refused':
      return readAnswer(reader, kind);
    case 'learned': {
      const configuration = decodeConfiguration(reader.block(MAX_CONFIGURATION_BYTES));
      return { kind, configuration };
    }
    case 'ask':
      return { kind, cluster: reader.hex64(), number: reader.count() };
    case 'join':
      return readJoin(reader);
    default:
      throw new FormatError('a message of an unknown kind');
  }
}

/** The message in `bytes`. Throws `FormatError` when they are none. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new FieldReader(bytes);
  const message = readBody(reader, KINDS[reader.u8()]);
  reader.end();
  return message;
}
