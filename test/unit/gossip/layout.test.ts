/** The drawings in src/gossip are true. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { ByteReader, ByteWriter, Malformed } from '../../../src/gossip/bytes.js';
import { DATAGRAM_MAX } from '../../../src/gossip/channel.js';
import {
  BODY_MAX,
  clusterTag,
  ENVELOPE,
  FORMS,
  formOf,
  PLAIN_HEADER_BYTES,
  SEAL_BYTES,
  SEALED_HEADER_BYTES,
  senderOf,
  writeEnvelope,
} from '../../../src/gossip/envelope.js';
import type { MemberRecord } from '../../../src/gossip/member.js';
import {
  HERALD_MAX,
  KINDS,
  MESSAGE_HEADER_BYTES,
  type Message,
  PART_BYTES,
  readMessages,
  writeMessage,
} from '../../../src/gossip/message.js';
import { encodeMessage } from '../../../src/gossip/post.js';
import {
  encodeRecord,
  RECORD_HEADER_BYTES,
  RECORD_MAX,
  readRecord,
} from '../../../src/gossip/record.js';
import { encodeState, readState } from '../../../src/gossip/state.js';

const LONGEST: MemberRecord = {
  ...{ id: 'i'.repeat(64), boot: 'ffeeddccbbaa9988', host: 'f'.repeat(45), port: 65_535 },
  ...{ gossipPort: 65_535, zone: 'z'.repeat(32), weight: 1000, version: 'v'.repeat(32) },
  ...{ incarnation: 2 ** 32 - 2, state: 'left', accuser: 'a'.repeat(64) },
};

const ALL: readonly Message[] = [
  { kind: 'ping', seq: 1, state: 'suspect', incarnation: 7, target: 'b' },
  { kind: 'ack', seq: 2 },
  { kind: 'nack', seq: 3 },
  {
    ...{ kind: 'relay', seq: 4, state: 'alive', incarnation: 1, target: 'b' },
    endpoint: '[fd00::1]:7701',
  },
  { kind: 'rumour', record: LONGEST },
  { kind: 'herald', topic: 9, version: 2 ** 52 + 1, from: 'a', bytes: Buffer.from('fact') },
  {
    ...{ kind: 'request', call: 5, part: 1, parts: 2, topic: 3, from: 'a' },
    bytes: Buffer.from('x'),
  },
  { kind: 'answer', call: 5, part: 0, parts: 1, bytes: Buffer.alloc(0) },
  { kind: 'receipt', call: 5, part: 0, of: 'answer' },
];

describe('a record', () => {
  it('is as it is drawn', () => {
    const bytes = Buffer.from(encodeRecord({ ...LONGEST, state: 'dead' }));
    expect(bytes.length).toBe(RECORD_MAX);
    expect(bytes[0]).toBe(2);
    expect(bytes.readUInt32LE(1)).toBe(2 ** 32 - 2);
    expect(bytes.toString('hex', 5, 13)).toBe(LONGEST.boot);
    expect([bytes.readUInt16LE(13), bytes.readUInt16LE(15)]).toEqual([65_535, 65_535]);
    expect(bytes.readUInt16LE(17)).toBe(1000);
    expect(bytes[RECORD_HEADER_BYTES]).toBe(64);
  });

  it('is read as it was written', () => {
    expect(readRecord(new ByteReader(encodeRecord(LONGEST)))).toEqual(LONGEST);
  });
});

describe('messages', () => {
  it('are read as they were written, one behind the other', () => {
    const body = Buffer.concat(ALL.map((message) => encodeMessage(message)));
    expect(readMessages(body)).toEqual(ALL);
  });

  it('have a kind and a length first', () => {
    const bytes = Buffer.from(encodeMessage({ kind: 'ack', seq: 0x01020304 }));
    expect(bytes.toString('hex')).toBe('02040004030201');
    expect(bytes.length).toBe(MESSAGE_HEADER_BYTES + 4);
    expect(new Set(Object.values(KINDS)).size).toBe(Object.keys(KINDS).length);
  });

  it('of kinds that are not known are skipped', () => {
    const unknown = Buffer.from([250, 2, 0, 1, 2]);
    const body = Buffer.concat([unknown, encodeMessage({ kind: 'ack', seq: 1 })]);
    expect(readMessages(body)).toEqual([{ kind: 'ack', seq: 1 }]);
  });

  it('have room in a datagram, the longest, too', () => {
    const [id, bytes] = ['i'.repeat(64), new Uint8Array(PART_BYTES)];
    const part = {
      kind: 'request',
      call: 1,
      part: 0,
      parts: 1,
      topic: 1,
      from: id,
      bytes,
    } as const;
    const fact = new Uint8Array(HERALD_MAX);
    const herald = { kind: 'herald', topic: 1, version: 1, from: id, bytes: fact } as const;
    for (const message of [part, herald, { kind: 'rumour', record: LONGEST } as const]) {
      const writer = new ByteWriter(BODY_MAX);
      writeMessage(writer, message);
      expect(writer.length).toBeLessThanOrEqual(BODY_MAX);
    }
  });

  it('cut short or changed are malformed, or other messages, and nothing else', () => {
    const seed = 20_261_120;
    const random = seededRandom(seed);
    const whole = Buffer.concat(ALL.map((message) => encodeMessage(message)));
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(whole.subarray(0, 1 + random.below(whole.length)));
      for (let flips = random.below(4); flips > 0; flips--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      try {
        readMessages(bytes);
      } catch (error) {
        expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(Malformed);
      }
    }
  });
});

describe('a state', () => {
  it('is read as it was written, its sender first', () => {
    const member = { ...LONGEST, sinceMs: 0 };
    const other = { ...member, id: 'b', boot: '0000000000000001' };
    const fact = {
      kind: 'herald',
      topic: 2,
      version: 5,
      from: 'b',
      bytes: Buffer.from('x'),
    } as const;
    const state = readState(encodeState(other, [member, other], [fact]));
    expect(state.records.map(({ id }) => id)).toEqual(['b', member.id]);
    expect(state.facts).toEqual([fact]);
  });

  it('that is cut short is malformed', () => {
    const member = { ...LONGEST, sinceMs: 0 };
    const bytes = encodeState(member, [member], []);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readState(bytes.subarray(0, length))).toThrow(Malformed);
    }
  });
});

describe('an envelope', () => {
  it('is as it is drawn', () => {
    expect(ENVELOPE).toEqual({
      ...{ magic: 0, version: 2, form: 3, cluster: 4, from: 8, to: 16, counter: 24, keyTag: 30 },
    });
    expect([PLAIN_HEADER_BYTES, SEALED_HEADER_BYTES, SEAL_BYTES]).toEqual([16, 32, 16]);
    expect(BODY_MAX + SEALED_HEADER_BYTES + SEAL_BYTES).toBe(DATAGRAM_MAX);
    const bytes = Buffer.alloc(16);
    writeEnvelope(bytes, FORMS.plain, clusterTag('orlop'), '0123456789abcdef');
    expect(bytes.toString('latin1', 0, 2)).toBe('og');
    expect(senderOf(bytes)).toBe('0123456789abcdef');
    expect(formOf(bytes, clusterTag('orlop'))).toBe(FORMS.plain);
    expect(formOf(bytes, clusterTag('other'))).toBeUndefined();
  });

  it('that is too short, too long or of another version is none', () => {
    const cluster = clusterTag('orlop');
    const bytes = Buffer.alloc(DATAGRAM_MAX + 1);
    writeEnvelope(bytes, FORMS.sealed, cluster, '0123456789abcdef');
    expect(formOf(bytes, cluster)).toBeUndefined();
    expect(formOf(bytes.subarray(0, DATAGRAM_MAX), cluster)).toBe(FORMS.sealed);
    expect(formOf(bytes.subarray(0, 47), cluster)).toBeUndefined();
    expect(formOf(bytes.subarray(0, 15), cluster)).toBeUndefined();
    bytes[2] = 2;
    expect(formOf(bytes.subarray(0, 100), cluster)).toBeUndefined();
  });
});
