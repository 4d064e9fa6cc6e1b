/** A step that one owner does not learn of: what it makes counts where new owners hear of it. */
import { describe, expect, it } from 'vitest';
import { faultsOf } from './report.js';
import { runStale } from './staleRun.js';

const SEEDS = Array.from({ length: 8 }, (_, seed) => seed + 1);

describe('a step', () => {
  it.each(SEEDS)('of seed %i loses nothing that a stale owner acknowledged', (seed) => {
    const report = runStale(seed);
    expect(faultsOf(report), `npm run sim -- --scenario stale --seed ${seed}`).toEqual([]);
  });

  it('is the same for the same seed', () => {
    expect(runStale(2)).toEqual(runStale(2));
  });
});
