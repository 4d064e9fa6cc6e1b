import { describe, expect, test } from 'vitest';
import { fuzz } from './support/fuzz.js';
import { seed } from './support/seed.js';

describe.each(['debug', 'release'] as const)('strange frames (%s)', (build) => {
  test('are answered by the book, and harm nobody', () => {
    const { frames, kinds } = fuzz(build, seed, 3000);
    expect(frames).toBeGreaterThan(1000);
    expect(kinds).toBeGreaterThan(100);
  });

  test('for three arenas are, too', () => {
    const { frames, kinds } = fuzz(build, seed, 3000, 3);
    expect(frames).toBeGreaterThan(1000);
    expect(kinds).toBeGreaterThan(100);
  });
});
