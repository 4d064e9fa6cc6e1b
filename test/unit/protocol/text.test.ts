import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../../src/protocol/errors.js';
import { maxTextBytes, readText, textBytes, writeText } from '../../../src/protocol/text.js';

const reference = (text: string): number[] => [...new TextEncoder().encode(text)];

function written(text: string, at: number): number[] {
  const bytes = new Uint8Array(at + maxTextBytes(text));
  const end = writeText(bytes, at, text);
  return [...bytes.subarray(at, end)];
}

describe('text', () => {
  test('is written and read as the standard encoder does it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.nat(9), (text, at) => {
        expect(written(text, at)).toEqual(reference(text));
        expect([...textBytes(text)]).toEqual(reference(text));
        const bytes = Uint8Array.from([...new Array(at).fill(120), ...reference(text), 120]);
        expect(readText(bytes, at, bytes.length - 1)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('of each length around the fast paths comes back', () => {
    for (let length = 0; length < 100; length++) {
      for (const letter of ['a', 'é', '語', '😀']) {
        const text = 'x'.repeat(length) + letter;
        expect(written(text, 3)).toEqual(reference(text));
        expect(readText(textBytes(text))).toBe(text);
      }
    }
  });

  test('is read from shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(400));
    for (const text of ['short', 'é', 'a longer text, with é and 語, that takes another way']) {
      const bytes = textBytes(text);
      shared.set(bytes, 5);
      expect(readText(shared, 5, 5 + bytes.length)).toBe(text);
    }
  });

  test.each([
    '\ud800',
    'a\udc00b',
    '\udc00\ud800',
    `${'x'.repeat(50)}\ud800`,
    `${'é'.repeat(50)}\udfff`,
  ])('that UTF-8 cannot say is refused (%#)', (text) => {
    expect(() => written(text, 0)).toThrow(InvalidArgumentError);
    expect(() => textBytes(text)).toThrow(InvalidArgumentError);
  });
});

describe('in a browser, where Node has nothing to offer,', () => {
  test('text is written and read just the same', async () => {
    const buffer = globalThis.Buffer;
    const { resetModules } = await import('vitest').then(({ vi }) => vi);
    try {
      resetModules();
      Reflect.deleteProperty(globalThis, 'Buffer');
      const browser = await import('../../../src/protocol/text.js');
      globalThis.Buffer = buffer;
      for (const text of ['', 'short', 'é', 'x'.repeat(100), `${'語'.repeat(60)}😀`, '\ufeffbom']) {
        const bytes = new Uint8Array(browser.maxTextBytes(text));
        const end = browser.writeText(bytes, 0, text);
        expect([...bytes.subarray(0, end)]).toEqual(reference(text));
        expect(browser.readText(bytes, 0, end)).toBe(text);
        const shared = new Uint8Array(new SharedArrayBuffer(500));
        shared.set(bytes);
        expect(browser.readText(shared, 0, end)).toBe(text);
      }
      expect(() => browser.textBytes('\ud800')).toThrow('surrogate');
      expect(() => browser.writeText(new Uint8Array(300), 0, `${'x'.repeat(60)}\ud800`)).toThrow(
        'surrogate',
      );
    } finally {
      globalThis.Buffer = buffer;
    }
  });
});
