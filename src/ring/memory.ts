/**
 * What a node remembers of agreements, and has to have on disk, where it has one, before it
 * answers: the configuration it knows, what it promised and accepted for the next, and whether it
 * has given up its own cluster of one. As bytes:
 *
 *    0        2       3    4      12    16              16 + n
 *   +--------+-------+----+------+-----+---------------+- - - - - - - -+- - - - - - - - - - +
 *   | format | flags | 0  | boot | n   | configuration | group, number | promised, accepted |
 *   | u16    | u8    | u8 | u64  | u32 | n bytes       |               |                    |
 *   +--------+-------+----+------+-----+---------------+- - - - - - - -+- - - - - - - - - - +
 *
 * Flags: bit 0 the node is sealed, bit 1 a ballot is promised, bit 2 a value is accepted. Group and
 * number, both u64, name the register; a ballot is round u64, boot u64, id behind its length; an
 * accepted value is its ballot and the value behind its length as u32.
 */
import { readBallot, writeBallot } from './ballot.js';
import { type Configuration, NO_DIGEST } from './configuration.js';
import {
  decodeConfiguration,
  encodeConfiguration,
  MAX_CONFIGURATION_BYTES,
} from './configurationCodec.js';
import { FieldReader, FieldWriter, FormatError } from './fields.js';
import type { Acceptor } from './register.js';

/** What is agreed on: an encoded configuration. */
export type Value = Uint8Array;

/** Which register: that of a cluster's step, or that of a founding. */
export interface RegisterName {
  /** The cluster, or the digest of the list of those who may found one: 16 hex digits. */
  readonly group: string;
  /** The number of the configuration that it is to hold. */
  readonly number: number;
}

/** Whether two names are those of one register. */
export function sameRegister(a: RegisterName, b: RegisterName): boolean {
  return a.group === b.group && a.number === b.number;
}

/** What has to be kept. */
export interface Memory {
  /** The boot in which this memory began. */
  readonly boot: string;
  readonly current?: Configuration | undefined;
  /** The register of the step after `current`, or of the founding. */
  readonly register: RegisterName;
  readonly acceptor: Acceptor<Value>;
  /** Whether this node, alone in its cluster, has asked to be taken into another one. */
  readonly sealed: boolean;
}

const FORMAT = 1;
const SEALED = 1 << 0;
const PROMISED = 1 << 1;
const ACCEPTED = 1 << 2;
const ALL_FLAGS = SEALED | PROMISED | ACCEPTED;

/** What a node remembers that has never been asked anything. */
export function blankMemory(boot: string): Memory {
  return { boot, register: { group: NO_DIGEST, number: 1 }, acceptor: {}, sealed: false };
}

function flagsOf({ sealed, acceptor }: Memory): number {
  const { promised, accepted } = acceptor;
  return (
    (sealed ? SEALED : 0) |
    (promised === undefined ? 0 : PROMISED) |
    (accepted === undefined ? 0 : ACCEPTED)
  );
}

/** The bytes to keep. */
export function encodeMemory(memory: Memory): Uint8Array<ArrayBuffer> {
  const { current, register, acceptor } = memory;
  const writer = new FieldWriter();
  writer.u16(FORMAT);
  writer.u8(flagsOf(memory));
  writer.u8(0);
  writer.hex64(memory.boot);
  writer.block(current === undefined ? new Uint8Array(0) : encodeConfiguration(current));
  writer.hex64(register.group);
  writer.count(register.number);
  if (acceptor.promised !== undefined) writeBallot(writer, acceptor.promised);
  if (acceptor.accepted !== undefined) {
    writeBallot(writer, acceptor.accepted.ballot);
    writer.block(acceptor.accepted.value);
  }
  return writer.done();
}

function readAcceptor(reader: FieldReader, flags: number): Acceptor<Value> {
  const promised = (flags & PROMISED) === 0 ? undefined : readBallot(reader);
  if ((flags & ACCEPTED) === 0) return promised === undefined ? {} : { promised };
  const accepted = { ballot: readBallot(reader), value: reader.block(MAX_CONFIGURATION_BYTES) };
  return { promised, accepted };
}

/** The memory in `bytes`. Throws `FormatError` when they are none. */
export function decodeMemory(bytes: Uint8Array): Memory {
  const reader = new FieldReader(bytes);
  const format = reader.u16();
  if (format !== FORMAT) throw new FormatError(`format ${format} is not ${FORMAT}`);
  const flags = reader.u8();
  if ((flags & ~ALL_FLAGS) !== 0 || reader.u8() !== 0) throw new FormatError('unknown flags');
  const boot = reader.hex64();
  const encoded = reader.block(MAX_CONFIGURATION_BYTES);
  const register = { group: reader.hex64(), number: reader.count() };
  const acceptor = readAcceptor(reader, flags);
  reader.end();
  const memory = { boot, register, acceptor, sealed: (flags & SEALED) !== 0 };
  return encoded.length === 0 ? memory : { ...memory, current: decodeConfiguration(encoded) };
}
