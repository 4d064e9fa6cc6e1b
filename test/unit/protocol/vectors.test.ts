import { describe, expect, test } from 'vitest';
import { encodeAnswer } from '../../../src/protocol/answer.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../../src/protocol/request.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import { STATUS } from '../../../src/protocol/status.js';
import {
  bigOf,
  bytesOf,
  dataOf,
  fieldOf,
  hex,
  numberOf,
  type Vector,
  vectorsOf,
} from './support/vectors.js';

function requestOf(vector: Vector): Request {
  return {
    id: numberOf(vector, 'id'),
    opcode: numberOf(vector, 'opcode'),
    flags: numberOf(vector, 'flags'),
    deadlineMs: numberOf(vector, 'deadlineMs'),
    encoding: numberOf(vector, 'encoding'),
    ttlMs: Number(bigOf(vector, 'ttlMs') ?? 0n),
    version: bigOf(vector, 'version') ?? 0n,
    delta: bigOf(vector, 'delta') ?? 0n,
    initial: bigOf(vector, 'initial') ?? 0n,
    cursor: bigOf(vector, 'cursor') ?? 0n,
    limit: Number(bigOf(vector, 'limit') ?? 0n),
    expiryMs: Number(bigOf(vector, 'expiryMs') ?? 0n),
    key: dataOf(vector, 'key'),
    value: dataOf(vector, 'value'),
  };
}

describe('the page has vectors', () => {
  test.each([
    ['request', 14],
    ['answer', 10],
    ['refused', 13],
    ['malformed', 6],
    ['malformed-answer', 4],
    ['exchange', 1],
  ])('of the kind %s', (kind, least) => {
    expect(vectorsOf(kind).length).toBeGreaterThanOrEqual(least);
  });
});

describe('a request of the page', () => {
  test.each(vectorsOf('request').map((v) => [v.name, v] as const))('is encoded: %s', (_, v) => {
    const writer = new FrameWriter(1);
    expect(encodeRequest(writer, requestOf(v))).toBe(bytesOf(v).length);
    expect(hex(writer.frame())).toBe(hex(bytesOf(v)));
  });

  test.each(vectorsOf('request').map((v) => [v.name, v] as const))('is decoded: %s', (_, v) => {
    const reader = new RequestReader(bytesOf(v));
    expect(reader.next()).toBe(true);
    expect(reader.formStatus()).toBe(STATUS.OK);
    const { id, opcode, flags, deadlineMs, encoding } = reader;
    const wanted = requestOf(v);
    expect(wanted).toMatchObject({ id, opcode, flags, deadlineMs, encoding });
    for (const [name, value] of Object.entries(reader.fields())) {
      expect([name, value]).toEqual([name, bigOf(v, name)]);
    }
    expect(reader.key()).toEqual(wanted.key);
    expect(reader.value()).toEqual(wanted.value);
    expect(reader.next()).toBe(false);
    expect(reader.malformed).toBe(false);
  });
});

describe('an answer of the page', () => {
  test.each(vectorsOf('answer').map((v) => [v.name, v] as const))('is encoded: %s', (_, v) => {
    const writer = new FrameWriter(1);
    encodeAnswer(writer, {
      id: numberOf(v, 'id'),
      status: numberOf(v, 'status'),
      opcode: numberOf(v, 'opcode'),
      flags: numberOf(v, 'flags'),
      encoding: numberOf(v, 'encoding'),
      version: bigOf(v, 'version') ?? 0n,
      ttlMs: Number(bigOf(v, 'ttlMs') ?? 0n),
      cursor: bigOf(v, 'cursor') ?? 0n,
      body: dataOf(v, 'body'),
    });
    expect(hex(writer.frame())).toBe(hex(bytesOf(v)));
  });

  test.each(vectorsOf('answer').map((v) => [v.name, v] as const))('is decoded: %s', (_, v) => {
    const reader = new AnswerReader();
    reader.reset(bytesOf(v));
    expect(reader.next()).toBe(true);
    for (const name of ['id', 'status', 'opcode', 'flags', 'encoding'] as const) {
      expect([name, reader[name]]).toEqual([name, numberOf(v, name)]);
    }
    expect(reader.version()).toBe(bigOf(v, 'version'));
    expect(reader.ttlMs()).toBe(fieldOf(v, 'ttlMs') && numberOf(v, 'ttlMs'));
    expect(reader.cursor()).toBe(bigOf(v, 'cursor'));
    expect(reader.body()).toEqual(dataOf(v, 'body'));
    expect(reader.size).toBe(bytesOf(v).length);
    expect(reader.next()).toBe(false);
  });
});

describe('what the page calls wrong', () => {
  test.each(vectorsOf('refused').map((v) => [v.name, v] as const))('is refused: %s', (_, v) => {
    const reader = new RequestReader(bytesOf(v));
    expect(reader.next()).toBe(true);
    expect(reader.id).toBe(numberOf(v, 'id'));
    expect(reader.formStatus()).toBe(numberOf(v, 'status'));
  });

  test.each(vectorsOf('malformed').map((v) => [v.name, v] as const))('is malformed: %s', (_, v) => {
    const reader = new RequestReader(bytesOf(v));
    let before = 0;
    while (reader.next()) before++;
    expect(before).toBe(numberOf(v, 'answersBefore'));
    expect(reader.malformed).toBe(true);
    expect(reader.hasId ? String(reader.id) : 'none').toBe(fieldOf(v, 'id'));
  });

  test.each(vectorsOf('malformed-answer').map((v) => [v.name, v] as const))(
    'is no answer: %s',
    (_, v) => {
      const reader = new AnswerReader();
      reader.reset(bytesOf(v));
      expect(() => reader.next()).toThrow(ProtocolError);
      expect(reader.next()).toBe(false);
    },
  );
});

describe('the exchange of the page', () => {
  test('is made of whole requests and answers to them', () => {
    for (const vector of vectorsOf('exchange')) {
      const frames = vector.fields.filter(([name]) => name === 'send' || name === 'receive');
      expect(frames.length % 2).toBe(0);
      for (const [name] of vector.fields)
        expect(['vector', 'name', 'send', 'receive']).toContain(name);
    }
  });
});
