/** Agreement on configurations in virtual time, over the gossip and the links of real nodes. */
import { describe, expect, it } from 'vitest';
import { runCouncil } from './councilRun.js';

const SEEDS = Array.from({ length: 15 }, (_, seed) => seed + 1);

describe('storms', () => {
  it.each(SEEDS)('of seed %i leave one history, and one configuration behind', (seed) => {
    const { violations, acked, faultsFired } = runCouncil(seed);
    expect(violations, `npm run sim -- --scenario council --seed ${seed}`).toEqual([]);
    expect(acked).toBeGreaterThan(5);
    expect(Object.values(faultsFired)).not.toContain(0);
  });

  it('are the same for the same seed', () => {
    expect(runCouncil(3)).toEqual(runCouncil(3));
  });
});
