/** All scenarios by their names, each with a size for every day and one for before a release. */
import { messageOf } from '../../../src/base/errors.js';
import { emptyTally, type Tally } from '../oracle.js';
import { straceProblem } from '../strace.js';
import { failAtCalls } from './calls.js';
import { failEverywhere } from './device.js';
import { killAtRandom } from './kill.js';
import { killWhileCompacting } from './live.js';
import { goOff } from './off.js';
import { outgrow } from './outgrown.js';
import { losePower, powerProblem } from './power.js';
import { tear } from './torn.js';

/** How much of each scenario is run. */
export interface Amount {
  readonly seed: number;
  /** Cycles, points or rounds; each scenario has its own idea of one. */
  readonly count: number;
}

/** One scenario. */
export interface Scenario {
  readonly name: string;
  /** What is run in CI, and what before a release. */
  readonly small: number;
  readonly large: number;
  readonly run: (amount: Amount) => Promise<Tally>;
  /** Why this machine can't run it; nothing when it can. */
  readonly problem?: () => string | undefined;
}

const KILL = { writers: 8, depth: 8, maxMs: 400 };
const EVERY_POINT = 100_000;

/** In the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'torn',
    small: 2000,
    large: 100_000,
    run: ({ seed, count }) => tear({ seed, step: 1, rounds: count }),
  },
  {
    name: 'device',
    small: 50,
    large: 2000,
    run: ({ seed, count }) => failEverywhere({ seed, rounds: count }),
  },
  {
    name: 'off-at-calls',
    small: 20,
    large: 500,
    run: ({ seed, count }) => goOff({ seed, ways: count }),
  },
  {
    name: 'outgrown',
    small: 3,
    large: 200,
    run: ({ seed, count }) => outgrow({ seed, rounds: count }),
  },
  {
    name: 'kill-always',
    small: 100,
    large: 2000,
    run: ({ seed, count }) => killAtRandom({ ...KILL, fsync: 'always', cycles: count, seed }),
  },
  {
    name: 'kill-everysec',
    small: 15,
    large: 500,
    run: ({ seed, count }) => killAtRandom({ ...KILL, fsync: 'everysec', cycles: count, seed }),
  },
  {
    name: 'kill-encrypted',
    small: 10,
    large: 200,
    run: ({ seed, count }) =>
      killAtRandom({ ...KILL, fsync: 'always', cycles: count, seed, encrypted: true }),
  },
  {
    name: 'kill-tier',
    small: 10,
    large: 200,
    run: ({ seed, count }) =>
      killAtRandom({ ...KILL, fsync: 'always', cycles: count, seed, tier: true }),
  },
  {
    name: 'kill-at-calls',
    small: 14,
    large: EVERY_POINT,
    problem: straceProblem,
    run: ({ seed, count }) => failAtCalls({ seed, points: count, faults: ['signal=KILL'] }),
  },
  {
    name: 'kill-live',
    small: 10,
    large: EVERY_POINT,
    problem: straceProblem,
    run: ({ seed, count }) => killWhileCompacting({ seed, points: count, tier: false }),
  },
  {
    name: 'kill-live-tier',
    small: 6,
    large: EVERY_POINT,
    problem: straceProblem,
    run: ({ seed, count }) => killWhileCompacting({ seed, points: count, tier: true }),
  },
  {
    name: 'error-at-calls',
    small: 8,
    large: EVERY_POINT,
    problem: straceProblem,
    run: ({ seed, count }) =>
      failAtCalls({ seed, points: count, faults: ['error=EIO', 'error=ENOSPC'] }),
  },
  {
    name: 'power-always',
    small: 6,
    large: 100,
    problem: powerProblem,
    run: ({ seed, count }) => losePower({ fsync: 'always', cycles: count, seed, maxMs: 1500 }),
  },
  {
    name: 'power-everysec',
    small: 3,
    large: 100,
    problem: powerProblem,
    run: ({ seed, count }) => losePower({ fsync: 'everysec', cycles: count, seed, maxMs: 4000 }),
  },
  {
    name: 'power-never',
    small: 3,
    large: 100,
    problem: powerProblem,
    run: ({ seed, count }) => losePower({ fsync: 'never', cycles: count, seed, maxMs: 4000 }),
  },
];

/**
 * Runs a scenario. One that this machine can't run fails, unless `ORLOP_ALLOW_SKIP=1`; then it
 * resolves to nothing. One in which no fault fired, or nothing was looked at, has failed, too.
 */
export async function runScenario(scenario: Scenario, amount: Amount): Promise<Tally | undefined> {
  const problem = scenario.problem?.();
  if (problem !== undefined) {
    if (process.env.ORLOP_ALLOW_SKIP === '1') return undefined;
    return failedBy(`this machine can't run it: ${problem}`);
  }
  const tally = await scenario.run(amount).catch((error) => failedBy(messageOf(error)));
  if (tally.failed > 0) return tally;
  if (tally.faultsFired === 0) return failedBy('no fault fired', tally);
  return tally.checks === 0 || tally.acked === 0 ? failedBy('nothing was checked', tally) : tally;
}

/** A node that does not start over what a crash left has failed, too. */
function failedBy(problem: string, tally: Tally = emptyTally()): Tally {
  return { ...tally, failed: tally.failed + 1, problems: [...tally.problems, problem] };
}

/** Whether nothing went wrong. */
export function isClean({ lost, stale, failed }: Tally): boolean {
  return lost + stale + failed === 0;
}
