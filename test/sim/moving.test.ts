/** Moving in virtual time: councils and movers over the gossip and the links of real nodes. */
import { describe, expect, it } from 'vitest';
import { runMoving } from './movingRun.js';
import { faultsOf } from './report.js';

const SEEDS = Array.from({ length: 8 }, (_, seed) => seed + 1);

describe('storms', () => {
  it.each(SEEDS)('of seed %i lose nothing that a majority acknowledged', (seed) => {
    const problems = faultsOf(runMoving(seed));
    expect(problems, `npm run sim -- --scenario moving --seed ${seed}`).toEqual([]);
  });

  it('are the same for the same seed', () => {
    expect(runMoving(3)).toEqual(runMoving(3));
  });
});
