import { expect, test } from 'vitest';
import { replayLine, seed } from '../model/support/seed.js';
import { fuzz } from '../unit/protocol/support/fuzz.js';

/** How long each build of the core is tried. */
const SPAN_MS = 30_000;

test.each(['debug', 'release'] as const)(
  'the core (%s) judges strange frames as the page does',
  (build) => {
    const endMs = performance.now() + SPAN_MS;
    try {
      const frames = fuzz(seed, build, (done) => done % 256 !== 0 || performance.now() < endMs);
      expect(frames).toBeGreaterThan(20_000);
    } catch (error) {
      throw new Error(replayLine('test/long/protocol-fuzz.test.ts'), { cause: error });
    }
  },
);
