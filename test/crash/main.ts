/**
 * `npm run test:crash -- [--json] [--scenario NAME] [--count N] [--small] [--seed N]`
 *
 * Runs what a log has to survive, in full unless told otherwise; ends with 1 when anything is lost.
 * With `--json` the last line of standard output is one array with an object for each scenario.
 */
import { parseArgs } from 'node:util';
import { type Outcome, runSuite, type Say } from '../suite.js';
import type { Tally } from './oracle.js';
import { isClean, runScenario, SCENARIOS, type Scenario } from './scenarios/index.js';

const PROBLEMS_SHOWN = 20;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
  },
});

/** What is said about one scenario. */
function resultOf({ name }: Scenario, tally: Tally, seed: number, seconds: number): object {
  const { acked, lost, stale, failed, faultsFired, checks, lossMs } = tally;
  const figures = { acked, lost, stale, failed, faultsFired };
  return { scenario: name, ...figures, checks, lossMs: Math.round(lossMs), seed, seconds };
}

/** Runs one scenario; its result, and whether nothing went wrong. */
async function runOne(scenario: Scenario, seed: number, say: Say): Promise<Outcome<object>> {
  const { name, small, large } = scenario;
  const count = Number(values.count ?? (values.small ? small : large));
  const startMs = performance.now();
  const tally = await runScenario(scenario, { seed, count });
  if (tally === undefined) {
    say(`${name}: left out, this machine can't run it`);
    return { result: undefined, clean: true };
  }
  const result = resultOf(scenario, tally, seed, Math.round((performance.now() - startMs) / 1000));
  const pairs = Object.entries(result).map((pair) => pair.join(' '));
  say(pairs.join(', '));
  for (const problem of tally.problems.slice(0, PROBLEMS_SHOWN)) say(`  ${problem}`);
  const clean = isClean(tally);
  const again = `--scenario ${name} --count ${count} --seed ${seed}`;
  if (!clean) say(`  again with: npm run test:crash -- ${again}`);
  return { result, clean };
}

await runSuite({ scenarios: SCENARIOS, values, runOne });
