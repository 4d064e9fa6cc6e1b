/**
 * A configuration as bytes: what is agreed on, stored, sent to clients, and named by its digest.
 * All integers are little-endian; texts are ASCII behind their length as u8.
 *
 *    0        2          3             4         5     8         16       24         32      40
 *   +--------+----------+-------------+---------+-----+---------+--------+----------+-------+- - -
 *   | format | strategy | partitioner | leaving | 0   | cluster | number | previous | epoch | name,
 *   | u16    | u8       | u8          | 0 or 1  | 3 B | u64     | u64    | u64      | u64   | lay-
 *   +--------+----------+-------------+---------+-----+---------+--------+----------+-------+ outs
 *
 * One layout, or two when `leaving` is 1, each of them:
 *
 *    0          1    2         4        6
 *   +----------+----+---------+--------+- - - - -+- - - - +
 *   | replicas | 0  | members | ranges | members | ranges |
 *   | u8       | u8 | u16     | u16    |         |        |
 *   +----------+----+---------+--------+- - - - -+- - - - +
 *
 * A member, and a range:
 *
 *    0      8        10       12     14            16                     0    4
 *   +------+--------+--------+------+-------------+- - +- - - +- - - +   +----+- - - -+
 *   | boot | weight | flags  | port | gossip port | id | host | zone |   | id | from  |
 *   | u64  | u16    | u16    | u16  | u16         |    |      |      |   | u32| u8, B |
 *   +------+--------+--------+------+-------------+- - +- - - +- - - +   +----+- - - -+
 *
 * Bit 0 of a member's flags says that it is passed over.
 */
import {
  type Configuration,
  flawOf,
  type KeyRange,
  type Layout,
  MAX_MEMBERS,
  MAX_RANGES,
  MAX_SPLIT_BYTES,
  type Member,
  type Partitioner,
  type Strategy,
} from './configuration.js';
import { FieldReader, FieldWriter, FormatError } from './fields.js';
import { digestOf } from './murmur.js';

/** The format that is written. */
export const FORMAT = 1;
/** Bytes before the name. */
export const HEADER_BYTES = 40;
/** Offset of the number in an encoded configuration: u64. */
export const NUMBER_AT = 16;
/** The longest configuration in bytes: two of them fit into one message between nodes. */
export const MAX_CONFIGURATION_BYTES = 120 * 1024;

const STRATEGIES: readonly Strategy[] = ['multi-master', 'primary-replica', 'chain'];
const PARTITIONERS: readonly Partitioner[] = ['hash', 'range'];
const PASSED_OVER = 1 << 0;

/** Writes a member as configurations and messages hold it. */
export function writeMember(writer: FieldWriter, member: Member): void {
  writer.hex64(member.boot);
  writer.u16(member.weight);
  writer.u16(member.passedOver ? PASSED_OVER : 0);
  writer.u16(member.port);
  writer.u16(member.gossipPort);
  writer.text(member.id);
  writer.text(member.host);
  writer.text(member.zone);
}

/** Reads a member; whether its fields make sense is for `flawOf` to say. */
export function readMember(reader: FieldReader): Member {
  const boot = reader.hex64();
  const weight = reader.u16();
  const flags = reader.u16();
  if ((flags & ~PASSED_OVER) !== 0) throw new FormatError('a member has unknown flags');
  const [port, gossipPort] = [reader.u16(), reader.u16()];
  const [id, host, zone] = [reader.text(), reader.text(), reader.text()];
  return { id, boot, host, port, gossipPort, zone, weight, passedOver: flags === PASSED_OVER };
}

function writeLayout(writer: FieldWriter, layout: Layout): void {
  writer.u8(layout.replicas);
  writer.u8(0);
  writer.u16(layout.members.length);
  writer.u16(layout.ranges.length);
  for (const member of layout.members) writeMember(writer, member);
  for (const { id, from } of layout.ranges) {
    writer.u32(id);
    writer.u8(from.length);
    writer.raw(from);
  }
}

function readRange(reader: FieldReader): KeyRange {
  const id = reader.u32();
  const length = reader.u8();
  if (length > MAX_SPLIT_BYTES) throw new FormatError('a split point is too long');
  return { id, from: reader.raw(length) };
}

function readLayout(reader: FieldReader): Layout {
  const replicas = reader.u8();
  if (reader.u8() !== 0) throw new FormatError('a byte that has to be zero is not');
  const [memberCount, rangeCount] = [reader.u16(), reader.u16()];
  if (memberCount > MAX_MEMBERS) throw new FormatError(`${memberCount} members`);
  if (rangeCount > MAX_RANGES) throw new FormatError(`${rangeCount} ranges`);
  const members = Array.from({ length: memberCount }, () => readMember(reader));
  const ranges = Array.from({ length: rangeCount }, () => readRange(reader));
  return { members, replicas, ranges };
}

/** The bytes of a configuration without flaws. Throws `FormatError` for any other. */
export function encodeConfiguration(configuration: Configuration): Uint8Array<ArrayBuffer> {
  const flaw = flawOf(configuration);
  if (flaw !== undefined) throw new FormatError(flaw);
  const { strategy, partitioner, leaving } = configuration;
  const writer = new FieldWriter();
  writer.u16(FORMAT);
  writer.u8(STRATEGIES.indexOf(strategy));
  writer.u8(PARTITIONERS.indexOf(partitioner));
  writer.u8(leaving === undefined ? 0 : 1);
  writer.raw(new Uint8Array(3));
  writer.hex64(configuration.cluster);
  writer.count(configuration.number);
  writer.hex64(configuration.previous);
  writer.count(configuration.epoch);
  writer.text(configuration.name);
  writeLayout(writer, configuration.layout);
  if (leaving !== undefined) writeLayout(writer, leaving);
  const bytes = writer.done();
  if (bytes.length > MAX_CONFIGURATION_BYTES) {
    throw new FormatError(`${bytes.length} bytes are more than ${MAX_CONFIGURATION_BYTES}`);
  }
  return bytes;
}

function oneOf<T>(names: readonly T[], index: number, what: string): T {
  const name = names[index];
  if (name === undefined) throw new FormatError(`${what} ${index} is unknown`);
  return name;
}

function readAll(reader: FieldReader): Configuration {
  const format = reader.u16();
  if (format !== FORMAT) throw new FormatError(`format ${format} is not ${FORMAT}`);
  const strategy = oneOf(STRATEGIES, reader.u8(), 'strategy');
  const partitioner = oneOf(PARTITIONERS, reader.u8(), 'partitioner');
  const both = oneOf([false, true], reader.u8(), 'a layout');
  if (reader.raw(3).some((byte) => byte !== 0)) throw new FormatError('a zero is not zero');
  const [cluster, number] = [reader.hex64(), reader.count()];
  const [previous, epoch] = [reader.hex64(), reader.count()];
  const name = reader.text();
  const layout = readLayout(reader);
  const leaving = both ? readLayout(reader) : undefined;
  reader.end();
  const head = { cluster, name, number, previous, epoch, strategy, partitioner, layout };
  return leaving === undefined ? head : { ...head, leaving };
}

/** The configuration in `bytes`. Throws `FormatError` when they are none, or one with flaws. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  if (bytes.length > MAX_CONFIGURATION_BYTES) throw new FormatError('a configuration is too long');
  const configuration = readAll(new FieldReader(bytes));
  const flaw = flawOf(configuration);
  if (flaw !== undefined) throw new FormatError(flaw);
  return configuration;
}

/** 16 hex digits that name a configuration and all it says. */
export function digestOfConfiguration(configuration: Configuration): string {
  return digestOf(encodeConfiguration(configuration));
}
