import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError, ValueError } from '../../../src/protocol/errors.js';
import { textBytes } from '../../../src/protocol/text.js';
import { decodeValue, encodeValue, encodingOf } from '../../../src/protocol/value.js';
import { ENCODING_MSGPACK, ENCODING_RAW, ENCODING_UTF8 } from '../../../src/protocol/wire.js';

function stored(value: unknown): { bytes: Uint8Array<ArrayBuffer>; encoding: number } {
  const encoding = encodingOf(value);
  const data = encodeValue(value, encoding);
  return { bytes: typeof data === 'string' ? textBytes(data) : Uint8Array.from(data), encoding };
}

function back(value: unknown): unknown {
  const { bytes, encoding } = stored(value);
  return decodeValue(bytes, 0, bytes.length, encoding);
}

describe('values', () => {
  test('strings come back, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(encodingOf(text)).toBe(ENCODING_UTF8);
        expect(back(text)).toBe(text);
      }),
      { numRuns: 1000 },
    );
    expect(back('\ufeffbom')).toBe('\ufeffbom');
    expect(back('é'.repeat(1000))).toBe('é'.repeat(1000));
  });

  test('bytes pass through', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(encodeValue(bytes)).toBe(bytes);
        expect(back(bytes)).toEqual(Uint8Array.from(bytes));
      }),
    );
    const buffer = back(Buffer.from('abc'));
    expect(encodingOf(Buffer.from('abc'))).toBe(ENCODING_RAW);
    expect(Object.getPrototypeOf(buffer)).toBe(Uint8Array.prototype);
  });

  test('whatever is like JSON comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(typeof value !== 'string' && !JSON.stringify(value).includes('__proto__'));
        expect(encodingOf(value)).toBe(ENCODING_MSGPACK);
        // MessagePack has no negative zero among its integers, and neither has JSON.
        expect(JSON.stringify(back(value))).toBe(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [null],
    [true],
    [0],
    [1.5],
    [2 ** 53],
    [2n ** 63n],
    [-(2n ** 70n)],
    [new Date(5)],
    [[]],
    [{}],
    [{ a: [1, { b: null }], c: undefined }],
    [new Set([1, 'x'])],
    [Float64Array.of(1.5, -2)],
    [{ bytes: Uint8Array.of(1, 2) }],
  ])('%o comes back with its type', (value) => {
    expect(back(value)).toEqual(value);
  });

  test('maps come back as objects, like JSON', () => {
    expect(back(new Map([['a', 1]]))).toEqual({ a: 1 });
  });

  test('what is read lies in memory of its own, also from shared memory', () => {
    for (const value of [
      Uint8Array.of(1, 2, 3),
      { nested: Uint8Array.of(4, 5) },
      'text of a value',
    ]) {
      const { bytes, encoding } = stored(value);
      for (const buffer of [new ArrayBuffer(100), new SharedArrayBuffer(100)]) {
        const memory = new Uint8Array(buffer);
        memory.set(bytes, 7);
        const read = decodeValue(memory, 7, 7 + bytes.length, encoding);
        memory.fill(0xff);
        expect(read).toEqual(value);
      }
    }
  });

  test.each([[undefined], [() => 1], [Symbol('s')]])('%o is no value', (value) => {
    expect(() => encodingOf(value)).toThrow(InvalidArgumentError);
  });

  test('what cannot be encoded says so', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => encodeValue(circle)).toThrow(InvalidArgumentError);
    expect(() => encodeValue([Symbol('s')])).toThrow(InvalidArgumentError);
    expect(back({ fine: 1 })).toEqual({ fine: 1 });
  });

  test('what is not what its encoding says is a ValueError', () => {
    expect(() => decodeValue(Uint8Array.of(0xdc, 0xff), 0, 2, ENCODING_MSGPACK)).toThrow(
      ValueError,
    );
    expect(() => decodeValue(Uint8Array.of(), 0, 0, ENCODING_MSGPACK)).toThrow(ValueError);
    expect(() => decodeValue(Uint8Array.of(1), 0, 1, 3)).toThrow(ValueError);
  });

  test('msgpack that is broken in any way is a value or a ValueError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeValue(bytes, 0, bytes.length, ENCODING_MSGPACK);
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError);
        }
        expect(back([1, 'x'])).toEqual([1, 'x']);
      }),
      { numRuns: 2000 },
    );
  });

  test('bytes that are not UTF-8 are replaced, not refused', () => {
    expect(decodeValue(Uint8Array.of(0xff), 0, 1, ENCODING_UTF8)).toBe('\ufffd');
  });
});
