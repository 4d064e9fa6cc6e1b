import { describe, expect, test } from 'vitest';
import { seed } from '../model/support/seed.js';
import {
  Crew,
  checkCounts,
  checkPatience,
  checkSwaps,
  type ThreadReport,
} from '../model/support/threads.js';

const THREADS = 4;
const OPERATIONS = 40_000_000;
/** `npm run test:soak` asks for more of them: as many rounds, each in an arena of its own. */
const ROUNDS = Math.ceil(Number(process.env.SOAK_OPERATIONS ?? 0) / OPERATIONS) || 1;

const rounds = Array.from({ length: ROUNDS }, (_, round) => round);

const sum = (reports: readonly ThreadReport[], field: 'hits' | 'operations'): number =>
  reports.reduce((total, report) => total + report[field], 0);

describe.each([
  { build: 'release', policy: 's3fifo', share: 0.6 },
  { build: 'release', policy: 'fifo', share: 0.2 },
  { build: 'debug', policy: 's3fifo', share: 0.2 },
] as const)('many threads ($build, $policy)', ({ build, policy, share }) => {
  test.each(rounds)(
    'on 64 hot keys and a long tail, in an arena that is always full (%i)',
    async (round) => {
      const crew = new Crew(
        {
          build,
          policy,
          memoryBytes: 1_200_000,
          segmentBytes: 4096,
          lanes: THREADS,
          maxValueBytes: 16_384,
        },
        {
          operations: Math.ceil((OPERATIONS * share) / THREADS),
          hotKeys: 64,
          tailKeys: 100_000,
          counters: 4,
          mergeKeys: 100,
          largest: 9000,
          clears: true,
          mix: 'all',
        },
      );
      const threads = Array.from({ length: THREADS }, (_, lane) => crew.start(lane, seed + round));
      const reports = (await Promise.all(threads.map((thread) => thread.ended))) as ThreadReport[];
      expect(sum(reports, 'operations')).toBeGreaterThanOrEqual(OPERATIONS * share);
      expect(checkCounts(reports)).toBeGreaterThan(OPERATIONS * share * 0.03);
      expect(checkSwaps(reports)).toBeGreaterThan(1000);
      checkPatience(reports);
      const stats = crew.arena.stats();
      expect(stats.segmentsReclaimed).toBeGreaterThan(stats.segments.total * 500);
    },
  );
});

describe.each(['debug', 'release'] as const)('many threads (%s)', (build) => {
  test('insert and remove a few keys at the same time, and each stands once', async () => {
    const operations = 2_000_000;
    const crew = new Crew(
      { build, memoryBytes: 1_200_000, segmentBytes: 4096, lanes: THREADS, maxValueBytes: 4096 },
      {
        operations,
        hotKeys: 3,
        tailKeys: 5000,
        counters: 3,
        mergeKeys: 1,
        largest: 1000,
        clears: false,
        mix: 'inserts',
      },
    );
    const threads = Array.from({ length: THREADS }, (_, lane) => crew.start(lane, seed));
    const reports = (await Promise.all(threads.map((thread) => thread.ended))) as ThreadReport[];
    expect(checkCounts(reports)).toBeGreaterThan(operations * THREADS * 0.15);
  });
});
