import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatDurationExactly,
  parseDuration,
} from '../../../src/base/durations.js';
import { InputError } from '../../../src/base/errors.js';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['250ms', 250],
    ['250', 250],
    [250, 250],
    ['10s', 10_000],
    ['1.5 s', 1_500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['2h', 7_200_000],
    ['7D', 604_800_000],
    ['1w', 604_800_000],
  ])('reads %s as %d ms', (text, spanMs) => {
    expect(parseDuration(text)).toBe(spanMs);
  });

  it.each(['', 's', '-1s', '10 years', '1e3', 'soon', '1constructor', Number.NaN])(
    'refuses %s',
    (text) => {
      expect(() => parseDuration(text)).toThrow(InputError);
    },
  );
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [0.125, '0.13ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [90_000, '1.5m'],
    [7_200_000, '2h'],
    [604_800_000, '7d'],
  ])('shows %d ms as %s', (spanMs, text) => {
    expect(formatDuration(spanMs)).toBe(text);
  });

  it('can be read back exactly', () => {
    const anySpan = fc.integer({ min: 0, max: 2 ** 42 });
    fc.assert(
      fc.property(anySpan, (spanMs) => parseDuration(formatDurationExactly(spanMs)) === spanMs),
    );
  });
});
