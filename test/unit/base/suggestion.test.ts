import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, suggest } from '../../../src/base/suggestion.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['kitten', 'sitting', 3],
    ['stats', 'satts', 1],
    ['memroy', 'memory', 1],
  ])('from %s to %s is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('suggest', () => {
  const known = ['memory', 'policy', 'port', 'max-value'];

  it('finds the word that was meant', () => {
    expect(suggest('memroy', known)).toBe('memory');
    expect(suggest('MEMORY', known)).toBe('memory');
    expect(suggest('maxvalue', known)).toBe('max-value');
  });

  it('stays silent when nothing is near', () => {
    expect(suggest('replication', known)).toBeUndefined();
    expect(didYouMean('replication', known)).toBe('');
  });

  it('asks in words', () => {
    expect(didYouMean('prt', known)).toBe(' (did you mean "port"?)');
  });
});
