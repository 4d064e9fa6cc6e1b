import { expect, it } from 'vitest';
import { faultsOf } from './report.js';
import { SCENARIOS } from './scenarios.js';

/** As many as each scenario has to survive: those that say the most for the time they take. */
const SEEDS: Readonly<Record<string, number>> = {
  membership: 100,
  council: 100,
  moving: 60,
  replication: 40,
};
const AT_A_TIME = 10;

/** Runs all seeds of a scenario, some in each test, the first of each twice. */
export function survivesAllSeeds(name: string): void {
  const run = SCENARIOS[name];
  const firsts = Array.from(
    { length: (SEEDS[name] ?? 0) / AT_A_TIME },
    (_, n) => 1 + n * AT_A_TIME,
  );
  it.each(firsts)(`of ${AT_A_TIME} seeds from %i on violate nothing`, (first) => {
    for (let seed = first; seed < first + AT_A_TIME; seed++) {
      const report = run?.(seed);
      const again = `npm run sim -- --scenario ${name} --seed ${seed}`;
      expect(report && faultsOf(report), again).toEqual([]);
      if (seed === first) expect(run?.(seed).hash, again).toBe(report?.hash);
    }
  });
}
