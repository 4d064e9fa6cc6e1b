import { describe, expect, test } from 'vitest';
import { runDeaths } from './support/deaths.js';
import { seed } from './support/seed.js';

describe.each(['debug', 'release'] as const)('threads that die (%s)', (build) => {
  test('leave nothing locked, and their memory comes back', async () => {
    const reports = await runDeaths({ build, kills: 12, seed });
    expect(reports).toHaveLength(3);
    for (const report of reports) expect(report.busy).toBe(0);
  });
});
