/** Led replication in virtual time: who is passed over changes nothing of what others have. */
import { describe, expect, it } from 'vitest';
import { runLeading } from './leadingRun.js';
import { faultsOf } from './report.js';

const SEEDS = Array.from({ length: 4 }, (_, seed) => seed + 1);

describe('steps', () => {
  it.each(SEEDS)('of seed %i let no lower epoch take the place of a higher one', (seed) => {
    const report = runLeading(seed);
    expect(faultsOf(report), `npm run sim -- --scenario leading --seed ${seed}`).toEqual([]);
  });

  it('are the same for the same seed', () => {
    expect(runLeading(2)).toEqual(runLeading(2));
  });
});
