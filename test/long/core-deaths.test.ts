import { describe, expect, test } from 'vitest';
import { runDeaths } from '../model/support/deaths.js';
import { seed } from '../model/support/seed.js';

describe.each([
  { build: 'debug', publish: false },
  { build: 'debug', publish: true },
  { build: 'release', publish: false },
  { build: 'release', publish: true },
] as const)('many threads that die ($build, feed: $publish)', ({ build, publish }) => {
  test('leave nothing locked, and their memory comes back', async () => {
    for (let round = 0; round < 2; round++) {
      const reports = await runDeaths({ build, kills: 40, seed: seed + round, publish });
      expect(reports).toHaveLength(3);
    }
  });
});
