import { defineConfig } from 'vitest/config';

/**
 * Tests by distance from the code: a file in `src`, a random model, a real process, the repository
 * itself. `npm test` runs what is quick; nodes that are killed and started again, simulated
 * clusters and all that is long are run by `npm run test:ci`.
 */
const project = (name: string, timeoutMs: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('tidy', 60_000),
      project('unit', 30_000),
      project('model', 120_000),
      project('sim', 120_000),
      project('e2e', 120_000),
      project('durable', 120_000),
      project('long', 1_800_000),
    ],
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
  },
});
