/**
 * Everything a node knows of the others, as two nodes exchange it (push-pull):
 *
 *   0         2                    2+n
 *   +---------+--------------------+-----------+----------------------------------+
 *   | records | each with its      | facts, u8 | each: topic u8, version u53,     |
 *   | u16     | length, u16        |           | id of its sender, length u16, …  |
 *   +---------+--------------------+-----------+----------------------------------+
 *
 * The first record is the sender's own.
 */
import { LINK_BODY_MAX } from '../base/links.js';
import { ByteReader, ByteWriter, Malformed } from './bytes.js';
import type { Member, MemberRecord } from './member.js';
import { HERALD_MAX, type Herald } from './message.js';
import { ID_MAX, ID_SHAPE, RECORD_MAX, readRecord, writeRecord } from './record.js';
import { MEMBERS_MAX } from './roster.js';

/** The facts a state holds at most: one for each topic. */
const FACTS_MAX = 255;
/** Bytes of a fact besides its own. */
const FACT_HEADER_BYTES = 1 + 8 + 1 + ID_MAX + 2;

/** What a node knows. */
export interface State {
  readonly records: readonly MemberRecord[];
  readonly facts: readonly Herald[];
}

/** The state of a node in bytes; `self` comes first. */
export function encodeState(self: Member, members: readonly Member[], facts: readonly Herald[]) {
  const records = [self, ...members.filter((member) => member !== self)];
  const size =
    3 + records.length * (RECORD_MAX + 2) + facts.length * (FACT_HEADER_BYTES + HERALD_MAX);
  const writer = new ByteWriter(size);
  writer.u16(records.length);
  for (const record of records) writeSized(writer, record);
  writer.u8(facts.length);
  for (const { topic, version, from, bytes } of facts) {
    writer.u8(topic);
    writer.u53(version);
    writer.text(from);
    writer.u16(bytes.length);
    writer.bytes(bytes);
  }
  return writer.done();
}

function writeSized(to: ByteWriter, record: MemberRecord): void {
  const lengthAt = to.length;
  to.u16(0);
  const start = to.length;
  writeRecord(to, record);
  const end = to.length;
  to.length = lengthAt;
  to.u16(end - start);
  to.length = end;
}

/** Reads a state. Throws `Malformed`. */
export function readState(body: Uint8Array): State {
  const from = new ByteReader(body);
  const count = from.u16();
  if (count === 0 || count > MEMBERS_MAX) throw new Malformed('too many members');
  const records = Array.from({ length: count }, () => {
    return readRecord(new ByteReader(from.bytes(from.u16())));
  });
  const facts = Array.from({ length: from.u8() }, () => readFact(from));
  return { records, facts };
}

function readFact(from: ByteReader): Herald {
  const topic = from.u8();
  const version = from.u53();
  const sender = from.text(ID_SHAPE, ID_MAX);
  const length = from.u16();
  if (length > HERALD_MAX) throw new Malformed('a fact is too long');
  return { kind: 'herald', topic, version, from: sender, bytes: from.bytes(length) };
}

/** The state of the largest cluster fits into a body as long as names are of the usual length. */
const USUAL_RECORD_BYTES = 120;
if (MEMBERS_MAX * USUAL_RECORD_BYTES + FACTS_MAX > LINK_BODY_MAX) {
  throw new Error('the state of a large cluster is longer than a body');
}
