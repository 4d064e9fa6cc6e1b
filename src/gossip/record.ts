/**
 * A statement about a node in bytes, the same in datagrams and in exchanges of the full state:
 *
 *   0      1            5     13    15           17      19
 *   +------+------------+-----+-----+------------+-------+----------------------------------------+
 *   |state |incarnation |boot |port |gossip port |weight | id | host | zone | version | accuser   |
 *   +------+------------+-----+-----+------------+-------+----------------------------------------+
 *    u8     u32          8     u16   u16          u16      texts: a byte of length, then ASCII
 */
import { type ByteReader, ByteWriter, Malformed } from './bytes.js';
import { gravityOf, MEMBER_STATES, type MemberRecord } from './member.js';

/** Bytes before the texts. */
export const RECORD_HEADER_BYTES = 19;
/** The longest id of a node, in characters. */
export const ID_MAX = 64;
/** What an id looks like. */
export const ID_SHAPE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** The longest zone, in characters. */
export const ZONE_MAX = 32;
/** What a zone looks like. */
export const ZONE_SHAPE = /^[A-Za-z0-9._/-]{0,32}$/;
/** The largest weight. */
export const WEIGHT_MAX = 1000;
/** The highest incarnation; there is room above it for one more of everything. */
export const INCARNATION_MAX = 2 ** 32 - 2;
/** The longest record, in bytes. */
export const RECORD_MAX = RECORD_HEADER_BYTES + 5 + 2 * ID_MAX + 45 + ZONE_MAX + 32;

const HOST_MAX = 45;
const HOST_SHAPE = /^[0-9A-Fa-f.:]{2,45}$/;
const VERSION_MAX = 32;
const VERSION_SHAPE = /^[\x21-\x7e]{0,32}$/;
const ACCUSER_SHAPE = /^[A-Za-z0-9._-]{0,64}$/;

/** Writes a record. */
export function writeRecord(to: ByteWriter, record: MemberRecord): void {
  to.u8(gravityOf(record.state));
  to.u32(record.incarnation);
  to.hex(record.boot);
  to.u16(record.port);
  to.u16(record.gossipPort);
  to.u16(record.weight);
  to.text(record.id);
  to.text(record.host);
  to.text(record.zone);
  to.text(record.version);
  to.text(record.accuser);
}

/** A record in bytes of its own. */
export function encodeRecord(record: MemberRecord): Uint8Array {
  const writer = new ByteWriter(RECORD_MAX);
  writeRecord(writer, record);
  return writer.done();
}

/** Reads a record. Throws `Malformed`. */
export function readRecord(from: ByteReader): MemberRecord {
  const state = MEMBER_STATES[from.u8()];
  const incarnation = from.u32();
  if (state === undefined || incarnation > INCARNATION_MAX) throw new Malformed('no such state');
  const boot = from.hex(8);
  const port = from.u16();
  const gossipPort = from.u16();
  const weight = from.u16();
  if (gossipPort === 0 || weight > WEIGHT_MAX) throw new Malformed('a number is out of range');
  const id = from.text(ID_SHAPE, ID_MAX);
  const host = from.text(HOST_SHAPE, HOST_MAX);
  const zone = from.text(ZONE_SHAPE, ZONE_MAX);
  const version = from.text(VERSION_SHAPE, VERSION_MAX);
  const accuser = from.text(ACCUSER_SHAPE, ID_MAX);
  return {
    ...{ id, boot, host, port, gossipPort, zone, weight, version },
    ...{ incarnation, state, accuser },
  };
}
