import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.js';
import { formatSize, formatSizeExactly, parseSize } from '../../../src/base/sizes.js';

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['900b', 900],
    ['64k', 65_536],
    ['64kb', 65_536],
    ['64 KiB', 65_536],
    ['512mb', 536_870_912],
    [' 1.5GB ', 1_610_612_736],
    ['2t', 2 * 1024 ** 4],
    [4096, 4096],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'mb', '-1', '1e9', '5 parsecs', '1..5gb', '0x10', '1gbb', '99999999tb', Number.NaN])(
    'refuses %s',
    (text) => {
      expect(() => parseSize(text)).toThrow(InputError);
    },
  );

  it('does not take a name that every object has for a unit', () => {
    expect(() => parseSize('1constructor')).toThrow(InputError);
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0b'],
    [1023, '1023b'],
    [1024, '1kb'],
    [536_870_912, '512mb'],
    [1_610_612_736, '1.5gb'],
    [2 * 1024 ** 4, '2tb'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('can be read back exactly', () => {
    const anySize = fc.integer({ min: 0, max: 2 ** 45 });
    fc.assert(fc.property(anySize, (bytes) => parseSize(formatSizeExactly(bytes)) === bytes));
  });
});
