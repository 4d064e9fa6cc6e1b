import { describe, expect, test } from 'vitest';
import { seed } from '../model/support/seed.js';
import { Crew, checkCounts, checkSwaps, type ThreadReport } from '../model/support/threads.js';

const THREADS = 4;
const OPERATIONS = 24_000_000;

const sum = (reports: readonly ThreadReport[], field: 'hits' | 'busy' | 'operations'): number =>
  reports.reduce((total, report) => total + report[field], 0);

describe.each([
  { build: 'release', policy: 's3fifo', share: 0.6 },
  { build: 'release', policy: 'fifo', share: 0.2 },
  { build: 'debug', policy: 's3fifo', share: 0.2 },
] as const)('many threads ($build, $policy)', ({ build, policy, share }) => {
  test('on 64 hot keys and a long tail, in an arena that is always full', async () => {
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
      },
    );
    const threads = Array.from({ length: THREADS }, (_, lane) => crew.start(lane, seed));
    const reports = (await Promise.all(threads.map((thread) => thread.ended))) as ThreadReport[];
    expect(sum(reports, 'operations')).toBeGreaterThanOrEqual(OPERATIONS * share);
    expect(checkCounts(reports)).toBeGreaterThan(OPERATIONS * share * 0.03);
    expect(checkSwaps(reports)).toBeGreaterThan(1000);
    expect(sum(reports, 'busy')).toBe(0);
    const stats = crew.arena.stats();
    expect(stats.segmentsReclaimed).toBeGreaterThan(stats.segments.total * 100);
  });
});
