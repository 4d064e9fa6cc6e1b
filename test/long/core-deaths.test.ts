import { describe, expect, test } from 'vitest';
import { runDeaths } from '../model/support/deaths.js';
import { seed } from '../model/support/seed.js';

describe.each(['debug', 'release'] as const)('many threads that die (%s)', (build) => {
  test('leave nothing locked, and their memory comes back', async () => {
    for (let round = 0; round < 3; round++) {
      const reports = await runDeaths({ build, kills: 60, seed: seed + round });
      expect(reports).toHaveLength(3);
      for (const report of reports) expect(report.busy).toBe(0);
    }
  });
});
