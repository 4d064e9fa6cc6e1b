/** All scenarios by their names, each with a length for every day and one for before a release. */
import { messageOf } from '../../../src/base/errors.js';
import { seededRandom } from '../../../src/base/random.js';
import type { Scene } from '../around.js';
import { Histories } from '../history.js';
import { networkProblem } from '../network.js';
import { Nodes, type NodesOptions } from '../nodes.js';
import { Skew, skewProblem } from '../skew.js';
import { emptyTally, problemsOf, type Tally } from '../tally.js';
import { joinAndLeave, restartEach, TWO_COPIES } from './change.js';
import { killAgain, killAll, killOne, LOGGED } from './loss.js';
import { jump, partition, standStill } from './silence.js';

/** How a scenario is run. */
export interface Amount {
  readonly seed: number;
  /** How long the load around the fault lasts; for `deaths`, how many there are. */
  readonly seconds: number;
  /** Whether nothing else keeps the machine busy. */
  readonly alone: boolean;
}

/** One scenario. */
export interface Scenario {
  readonly name: string;
  /** How long it is in CI, and before a release. */
  readonly small: number;
  readonly large: number;
  readonly run: (tally: Tally, amount: Amount) => Promise<void>;
  /** Why this machine can't run it; nothing when it can. */
  readonly problem: () => string | undefined;
}

type Play = (scene: Scene) => Promise<void>;

function played(options: NodesOptions, play: Play): Scenario['run'] {
  return (tally, { seed, seconds, alone }) => {
    const known = { tally, random: seededRandom(seed), histories: new Histories(), seconds, alone };
    return Nodes.with(3, options, (nodes) => play({ ...known, nodes }));
  };
}

async function skewed(tally: Tally, amount: Amount): Promise<void> {
  const skew = new Skew();
  try {
    const environment = (n: number) => skew.environment(n);
    await played({ environment }, jump(skew))(tally, amount);
  } finally {
    skew.close();
  }
}

const logged = (...flags: string[]): NodesOptions => ({ logged: true, flags });
const problem = networkProblem;

/** In the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'kill', small: 18, large: 60, problem, run: played({}, killOne(false)) },
  {
    name: 'kill-logged',
    small: 12,
    large: 60,
    problem,
    run: played(logged(...LOGGED), killOne(true)),
  },
  { name: 'deaths', small: 3, large: 20, problem, run: played({}, killAgain) },
  { name: 'stop', small: 18, large: 60, problem, run: played({}, standStill) },
  { name: 'partition', small: 8, large: 45, problem, run: played({}, partition) },
  {
    ...{ name: 'skew', small: 12, large: 60, run: skewed },
    problem: () => networkProblem() ?? skewProblem(),
  },
  {
    ...{ name: 'join-leave', small: 12, large: 60, problem },
    run: played({ spare: true, flags: TWO_COPIES }, joinAndLeave),
  },
  { name: 'rolling', small: 12, large: 60, problem, run: played(logged(), restartEach) },
  { name: 'kill-all', small: 8, large: 30, problem, run: played(logged(...LOGGED), killAll) },
];

/**
 * Runs a scenario. One that this machine can't run fails, unless `ORLOP_ALLOW_SKIP=1`; then it
 * resolves to nothing. What is wrong is in `problems`, where also a fault that never fired stands.
 */
export async function runScenario(scenario: Scenario, amount: Amount): Promise<Tally | undefined> {
  const tally = emptyTally();
  const obstacle = scenario.problem();
  if (obstacle !== undefined) {
    if (process.env.ORLOP_ALLOW_SKIP === '1') return undefined;
    tally.failed++;
    tally.problems.push(`this machine can't run it: ${obstacle}`);
    return tally;
  }
  await scenario.run(tally, amount).catch((error) => tally.problems.push(messageOf(error)));
  tally.problems.splice(0, Number.POSITIVE_INFINITY, ...problemsOf(tally));
  return tally;
}
