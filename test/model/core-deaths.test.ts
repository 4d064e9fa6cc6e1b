import { describe, expect, test } from 'vitest';
import { runDeaths } from './support/deaths.js';
import { seed } from './support/seed.js';

describe.each([
  { build: 'debug', publish: false },
  { build: 'debug', publish: true },
  { build: 'release', publish: false },
  { build: 'release', publish: true },
] as const)('threads that die ($build, feed: $publish)', ({ build, publish }) => {
  test('leave nothing locked, and their memory comes back', async () => {
    const reports = await runDeaths({ build, kills: publish ? 4 : 8, seed, publish });
    expect(reports).toHaveLength(3);
    for (const report of reports) expect(report.busy).toBe(0);
  });
});
