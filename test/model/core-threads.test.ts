import { describe, expect, test } from 'vitest';
import { seed } from './support/seed.js';
import {
  Crew,
  checkCounts,
  checkPatience,
  checkSwaps,
  type ThreadReport,
} from './support/threads.js';

const THREADS = 3;

describe.each([
  { build: 'debug', arenas: 1 },
  { build: 'release', arenas: 1 },
  { build: 'release', arenas: 3 },
] as const)('threads on $arenas arenas ($build)', ({ build, arenas }) => {
  test('see whole values, growing versions and each change once', async () => {
    const crew = new Crew(
      {
        build,
        arenas,
        memoryBytes: arenas * 900_000,
        segmentBytes: 4096,
        lanes: THREADS,
        maxValueBytes: 16_384,
      },
      {
        operations: 150_000,
        hotKeys: 64,
        tailKeys: 20_000,
        counters: 4,
        mergeKeys: 50,
        largest: 9000,
        clears: true,
        mix: 'all',
      },
    );
    const threads = Array.from({ length: THREADS }, (_, lane) => crew.start(lane, seed));
    const reports = (await Promise.all(threads.map((thread) => thread.ended))) as ThreadReport[];
    expect(checkCounts(reports)).toBeGreaterThan(5000);
    expect(checkSwaps(reports)).toBeGreaterThan(500);
    checkPatience(reports);
    expect(reports.reduce((sum, report) => sum + report.hits, 0)).toBeGreaterThan(50_000);
    for (const stats of crew.store.arenaStats()) {
      expect(stats.segmentsReclaimed).toBeGreaterThan((stats.segments.total * 10) / arenas);
    }
  });

  test('insert and remove a few keys at the same time, and each stands once', async () => {
    const crew = new Crew(
      {
        build,
        arenas,
        memoryBytes: arenas * 900_000,
        segmentBytes: 4096,
        lanes: THREADS,
        maxValueBytes: 4096,
      },
      {
        operations: 300_000,
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
    expect(checkCounts(reports)).toBeGreaterThan(100_000);
  });
});
