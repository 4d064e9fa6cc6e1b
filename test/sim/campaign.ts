/**
 * `npm run sim:campaign -- [--from S] [--count N] [--scenario NAME]`: many seeds of all scenarios,
 * for hours, in one process. Says every minute how far it is, names each seed that shows something
 * and goes on. One seed in a hundred is run twice, and has to have the same trace. Ends with 1 when
 * anything was wrong.
 */
import { parseArgs } from 'node:util';
import { faultsOf } from './report.js';
import { SCENARIOS } from './scenarios.js';

const TWICE = 100;
const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '20000' },
    scenario: { type: 'string' },
  },
});

const first = Number(values.from);
const end = first + Number(values.count);
const chosen = Object.entries(SCENARIOS).filter(([name]) => {
  return values.scenario === undefined || values.scenario === name;
});
const startMs = performance.now();
let saidMs = startMs;
let [runs, acked, wrong] = [0, 0, 0];

function tell(seed: number): void {
  const minutes = Math.round((performance.now() - startMs) / MINUTE_MS);
  console.log(
    `${minutes} min: before seed ${seed}, ${runs} runs, ${acked} acknowledged, ${wrong} wrong`,
  );
}

function runOne(name: string, seed: number): void {
  const run = SCENARIOS[name];
  if (run === undefined) return;
  const report = run(seed);
  const problems = faultsOf(report);
  if (seed % TWICE === 0 && run(seed).hash !== report.hash) problems.push('another trace');
  runs++;
  acked += report.acked;
  if (problems.length === 0) return;
  wrong++;
  console.log(`npm run sim -- --scenario ${name} --seed ${seed}`);
  for (const problem of problems) console.log(`  ${problem}`);
}

for (let seed = first; seed < end; seed++) {
  for (const [name] of chosen) runOne(name, seed);
  if (performance.now() - saidMs < MINUTE_MS) continue;
  saidMs = performance.now();
  tell(seed + 1);
}
tell(end);
process.exitCode = wrong === 0 ? 0 : 1;
