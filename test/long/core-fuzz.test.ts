import { describe, expect, test } from 'vitest';
import { fuzz } from '../model/support/fuzz.js';
import { seed } from '../model/support/seed.js';

describe.each(['debug', 'release'] as const)('a minute of strange frames (%s)', (build) => {
  test('are answered by the book, and harm nobody', () => {
    const { frames, kinds } = fuzz(build, seed, 60_000);
    expect(frames).toBeGreaterThan(20_000);
    expect(kinds).toBeGreaterThan(500);
  });
});
