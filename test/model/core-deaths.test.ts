import { describe, expect, test } from 'vitest';
import { runDeaths } from './support/deaths.js';
import { seed } from './support/seed.js';

describe.each([
  { build: 'debug', publish: false },
  { build: 'debug', publish: true },
  { build: 'release', publish: false },
  { build: 'release', publish: true },
  { build: 'release', publish: true, arenas: 3 },
  { build: 'debug', publish: false, arenas: 3 },
] as const)('threads that die ($build, feed: $publish, arenas: $arenas)', (options) => {
  test('leave nothing locked, and their memory comes back', async () => {
    const reports = await runDeaths({ ...options, kills: options.publish ? 4 : 8, seed });
    expect(reports).toHaveLength(3);
  });
});
