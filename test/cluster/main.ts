/**
 * `npm run test:cluster -- [--json] [--scenario NAME] [--seconds N] [--small] [--seed N]`
 *
 * Runs what a cluster of real nodes has to survive, in full unless told otherwise; ends with 1 when
 * a promise is not kept. With `--json` standard output is one array with an object for each
 * scenario; what is said otherwise goes to standard error.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Outcome, runSuite, type Say } from '../suite.js';
import { runScenario, SCENARIOS, type Scenario } from './scenarios/index.js';
import type { Tally } from './tally.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const COLUMNS = ['scenario', 'acked', 'lost', 'stale', 'failed', 'faultsFired'] as const;

/** What is said about one scenario. */
interface Result extends Readonly<Record<(typeof COLUMNS)[number], string | number>> {
  readonly calls: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
  readonly seed: number;
  readonly seconds: number;
}

function resultOf({ name }: Scenario, tally: Tally, seed: number, seconds: number): Result {
  return { scenario: name, ...tally, seed, seconds };
}

/** Runs one scenario; its result, and whether nothing went wrong. */
async function runOne(scenario: Scenario, seed: number, say: Say): Promise<Outcome<Result>> {
  const { name, small, large } = scenario;
  const seconds = Number(values.seconds ?? (values.small ? small : large));
  const tally = await runScenario(scenario, { seed, seconds, alone: !values.small });
  if (tally === undefined) {
    say(`${name}: left out, this machine can't run it`);
    return { result: undefined, clean: true };
  }
  const figures = Object.entries(tally.figures).map((pair) => pair.join(' '));
  say(`${name}: ${figures.join(', ')}`);
  for (const problem of tally.problems) say(`  ${problem}`);
  const again = `--scenario ${name} --seconds ${seconds} --seed ${seed}`;
  const clean = tally.problems.length === 0;
  if (!clean) say(`  again with: npm run test:cluster -- ${again}`);
  return { result: resultOf(scenario, tally, seed, seconds), clean };
}

function tableOf(results: readonly Result[]): string {
  const table = new Table({
    head: [...COLUMNS, 'calls', 'problems'],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const cells = COLUMNS.map((column) => String(result[column]));
    table.push([...cells, String(result.calls), String(result.problems.length)]);
  }
  return table.toString();
}

await runSuite({ scenarios: SCENARIOS, values, runOne, summary: tableOf });
