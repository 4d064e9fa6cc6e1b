import { describe, expect, it } from 'vitest';
import {
  fileBytes,
  harmless,
  jsonText,
  jsonValue,
  shownValue,
} from '../../../src/cli/shownValue.js';

const ESC = String.fromCharCode(27);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a value on a terminal', () => {
  it('is text, JSON or a note', () => {
    expect(shownValue('hello', true)).toBe('hello\n');
    expect(shownValue({ a: [1n] }, true)).toBe('{\n  "a": [\n    "1"\n  ]\n}\n');
    expect(shownValue(bytes(0x68, 0x69), true)).toBe('hi\n');
    expect(shownValue(bytes(0x68, 0x0a), true)).toBe('h\n');
    expect(shownValue(bytes(0xff, 0xfe), true)).toMatch(/2b of binary data.*--out/);
    expect(shownValue(bytes(0x00), true)).toMatch(/1b of binary data/);
  });

  it('can not move the cursor or ring the bell', () => {
    expect(shownValue(`${ESC}[2Jgone\u0007`, true)).toBe('\\x1b[2Jgone\\x07\n');
    expect(shownValue(bytes(27, 0x5b), true)).toMatch(/binary data/);
    expect(harmless('a\tb\nc\u009b')).toBe('a\tb\nc\\x9b');
  });
});

describe('a value in a pipe', () => {
  it('is exactly what is stored', () => {
    expect(shownValue(`${ESC}[2J`, false)).toBe(`${ESC}[2J\n`);
    expect(shownValue(bytes(0, 255), false)).toEqual(bytes(0, 255));
  });
});

describe('a value in a file', () => {
  it('is bytes as they are, text as UTF-8, data as JSON', () => {
    expect(fileBytes(bytes(0, 255))).toEqual(bytes(0, 255));
    expect(Buffer.from(fileBytes('é')).toString('hex')).toBe('c3a9');
    expect(Buffer.from(fileBytes({ a: 1 })).toString()).toBe('{"a":1}');
  });
});

describe('a value as JSON', () => {
  it('says what it is', () => {
    expect(jsonText(jsonValue('x'))).toBe('{"type":"text","value":"x"}');
    expect(jsonText(jsonValue(Buffer.from([1, 2])))).toBe('{"type":"bytes","value":"AQI="}');
    expect(jsonText(jsonValue(bytes(1, 2)))).toBe('{"type":"bytes","value":"AQI="}');
    expect(jsonText(jsonValue(new Map([['a', new Set([2n ** 60n])]])))).toBe(
      '{"type":"data","value":{"a":["1152921504606846976"]}}',
    );
    expect(jsonText(undefined)).toBe('null');
  });
});
