/**
 * `npm run test:cluster -- [--json] [--scenario NAME] [--seconds N] [--small] [--seed N]`
 *
 * Runs what a cluster of real nodes has to survive, in full unless told otherwise; ends with 1 when
 * a promise is not kept. With `--json` standard output is one array with an object for each
 * scenario; what is said otherwise goes to standard error.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
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

const stream = values.json ? process.stderr : process.stdout;
const say = (text: string): void => void stream.write(`${text}\n`);
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

/** Runs one scenario; nothing when this machine can't and that is allowed. */
async function runOne(scenario: Scenario, seed: number): Promise<Result | undefined> {
  const { name, small, large } = scenario;
  const seconds = Number(values.seconds ?? (values.small ? small : large));
  const tally = await runScenario(scenario, { seed, seconds, alone: !values.small });
  if (tally === undefined) {
    say(`${name}: left out, this machine can't run it`);
    return undefined;
  }
  const figures = Object.entries(tally.figures).map((pair) => pair.join(' '));
  say(`${name}: ${figures.join(', ')}`);
  for (const problem of tally.problems) say(`  ${problem}`);
  const again = `--scenario ${name} --seconds ${seconds} --seed ${seed}`;
  if (tally.problems.length > 0) say(`  again with: npm run test:cluster -- ${again}`);
  return resultOf(scenario, tally, seed, seconds);
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

async function main(): Promise<void> {
  const chosen = SCENARIOS.filter(({ name }) => [undefined, name].includes(values.scenario));
  if (chosen.length === 0) {
    say(`there is no ${values.scenario}, but ${SCENARIOS.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const results: Result[] = [];
  for (const scenario of chosen) {
    const result = await runOne(scenario, seed);
    if (result !== undefined) results.push(result);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  else say(tableOf(results));
  if (results.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
}

await main();
