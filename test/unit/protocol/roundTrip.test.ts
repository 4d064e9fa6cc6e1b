import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeAnswer } from '../../../src/protocol/answer.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../../src/protocol/request.js';
import { RequestReader } from '../../../src/protocol/requestReader.js';
import {
  decodeRawScanPage,
  decodeScanPage,
  encodeScanPage,
} from '../../../src/protocol/scanPage.js';
import { FIELD_FLAGS } from '../../../src/protocol/wire.js';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const safe = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 300 });
const wellFormed = fc.string({ unit: 'binary' });

const request = fc.record({
  id: fc.nat(0xffff_ffff),
  opcode: fc.nat(255),
  // Bit 7 announces a field that has no name yet, so nothing writes it.
  flags: fc.nat(0xffff).map((flags) => flags & ~0x0080),
  deadlineMs: fc.nat(65_535),
  encoding: fc.nat(255),
  ttlMs: safe,
  version: u64,
  delta: i64,
  initial: i64,
  cursor: u64,
  limit: safe,
  expiryMs: safe,
  key: fc.oneof(wellFormed, bytes),
  value: fc.oneof(wellFormed, bytes),
});

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data);
}

function fieldsOf(wanted: Request): Record<string, bigint | undefined> {
  const names = ['ttlMs', 'version', 'delta', 'initial', 'cursor', 'limit', 'expiryMs'] as const;
  return Object.fromEntries(
    names.map((name, bit) => {
      const announced = ((wanted.flags ?? 0) & FIELD_FLAGS & (1 << bit)) !== 0;
      return [name, announced ? BigInt(wanted[name] ?? 0) : undefined];
    }),
  );
}

describe('requests', () => {
  test('come back as they were written, many in a frame', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 8 }), fc.nat(64), (requests, capacity) => {
        const writer = new FrameWriter(capacity);
        for (const wanted of requests) encodeRequest(writer, wanted);
        const reader = new RequestReader(writer.frame());
        for (const wanted of requests) {
          expect(reader.next()).toBe(true);
          const { id, opcode, flags, deadlineMs, encoding } = reader;
          expect(wanted).toMatchObject({ id, opcode, flags, deadlineMs, encoding });
          expect(reader.fields()).toEqual(fieldsOf(wanted));
          expect(reader.key()).toEqual(bytesOf(wanted.key));
          expect(reader.value()).toEqual(bytesOf(wanted.value));
        }
        expect(reader.next()).toBe(false);
        expect(reader.malformed).toBe(false);
      }),
    );
  });

  test('a decoder takes any bytes without running past them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (frame) => {
        const reader = new RequestReader(frame);
        let end = 0;
        while (reader.next()) {
          expect(reader.at).toBe(end);
          expect(reader.end).toBeGreaterThanOrEqual(end + 20);
          expect(reader.keyAt).toBeLessThanOrEqual(reader.valueAt);
          expect(reader.valueAt).toBeLessThanOrEqual(reader.end);
          expect(reader.formStatus()).toBeLessThan(28);
          end = reader.end;
        }
        expect(end <= frame.length && (reader.malformed || end === frame.length)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

const answer = fc.record({
  id: fc.nat(0xffff_ffff),
  status: fc.nat(255),
  opcode: fc.nat(255),
  flags: fc.nat(255),
  encoding: fc.nat(255),
  version: u64,
  ttlMs: safe,
  cursor: u64,
  body: fc.oneof(wellFormed, bytes),
});

describe('answers', () => {
  test('come back as they were written, wherever the message lies', () => {
    fc.assert(
      fc.property(
        fc.array(answer, { maxLength: 8 }),
        fc.nat(40),
        fc.boolean(),
        (all, at, shared) => {
          const writer = new FrameWriter();
          for (const wanted of all) encodeAnswer(writer, wanted);
          const length = at + writer.at + 8;
          const memory = new Uint8Array(
            shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length),
          );
          memory.set(writer.frame(), at);
          const reader = new AnswerReader();
          reader.reset(memory, at, writer.at);
          for (const wanted of all) {
            expect(reader.next()).toBe(true);
            const { id, status, opcode, flags, encoding } = reader;
            expect(wanted).toMatchObject({ id, status, opcode, flags, encoding });
            expect(reader.version()).toBe(flags & 1 ? wanted.version : undefined);
            expect(reader.ttlMs()).toBe(flags & 2 ? wanted.ttlMs : undefined);
            expect(reader.cursor()).toBe(flags & 4 ? wanted.cursor : undefined);
            expect(reader.hasValue).toBe((flags & 16) !== 0);
            expect(reader.body()).toEqual(bytesOf(wanted.body));
          }
          expect(reader.next()).toBe(false);
        },
      ),
    );
  });

  test('a decoder takes any bytes, or throws a ProtocolError', () => {
    const reader = new AnswerReader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        reader.reset(message);
        try {
          while (reader.next()) {
            expect(reader.bodyAt).toBeLessThanOrEqual(reader.bodyEnd);
            expect(reader.bodyEnd).toBeLessThanOrEqual(message.length);
            expect(reader.size).toBeGreaterThanOrEqual(12);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
        expect(reader.next()).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('pages of a scan', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(bytes), fc.array(wellFormed), (raw, texts) => {
        const writer = new FrameWriter(1);
        encodeScanPage(writer, raw);
        expect(decodeRawScanPage(writer.frame()).map((key) => [...key])).toEqual(
          raw.map((key) => [...key]),
        );
        writer.clear();
        encodeScanPage(writer, texts);
        expect(decodeScanPage(writer.frame())).toEqual(texts);
      }),
    );
  });

  test.each([[[1]], [[2, 0, 65]], [[1, 0, 65, 0]]])('a page that ends within a key: %j', (page) => {
    expect(() => decodeScanPage(Uint8Array.from(page))).toThrow(ProtocolError);
    expect(() => decodeRawScanPage(Uint8Array.from(page))).toThrow(ProtocolError);
  });
});
