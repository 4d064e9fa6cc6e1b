import { expect, test } from 'vitest';
import { replayLine, seed } from '../../model/support/seed.js';
import { corpus, fuzz } from './support/fuzz.js';

test.each(['debug', 'release'] as const)(
  'the core (%s) judges strange frames as the page does',
  (build) => {
    const goOn = (frames: number): boolean => frames < 5000;
    try {
      expect(fuzz(seed, build, goOn)).toBe(5000);
    } catch (error) {
      throw new Error(replayLine('test/unit/protocol/fuzz.test.ts'), { cause: error });
    }
  },
);

test('the corpus is the page', () => {
  expect(corpus().length).toBeGreaterThan(40);
});
