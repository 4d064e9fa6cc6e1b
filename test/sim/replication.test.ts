/** Replication in virtual time: the shipped modules over the release core, in storms. */
import { describe, expect, it } from 'vitest';
import { runReplication } from './replicationRun.js';
import { faultsOf } from './report.js';

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed + 1);

describe('storms', () => {
  it.each(SEEDS)('of seed %i lose nothing, and leave all owners with the same', (seed) => {
    const report = runReplication(seed);
    expect(faultsOf(report), `npm run sim -- --scenario replication --seed ${seed}`).toEqual([]);
  });

  it('are the same for the same seed', () => {
    expect(runReplication(3)).toEqual(runReplication(3));
  });
});
