/**
 * `npm run sim -- --seed S --json`: runs seeds of the simulator. Ends with 0 when nothing is wrong,
 * 1 when something is, and 2 when the arguments make no sense.
 *
 *   --seed S         the first seed, or the only one (1)
 *   --seeds N        how many, one after the other (1)
 *   --scenario NAME  what is simulated (membership, council, moving, replication, leading,
 *                    stale); by
 *                    default membership, or where the planted bug shows
 *   --planted NAME   with a known bug in it; `--planted list` lists them
 *   --once           without the second run that must have the same hash
 *   --json           one line of JSON for each seed
 */
import { register } from 'node:module';
import { parseArgs } from 'node:util';
import { PLANTED } from './planted.js';
import type { Report } from './report.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    planted: { type: 'string' },
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function plant(name: string): boolean {
  const bug = PLANTED[name];
  if (bug === undefined) {
    for (const [known, { what }] of Object.entries(PLANTED)) console.log(`${known}: ${what}`);
    return false;
  }
  register('./plantedHooks.js', { parentURL: import.meta.url, data: bug });
  return true;
}

function print(report: Report, problems: readonly string[]): void {
  if (values.json) console.log(JSON.stringify({ ...report, problems }));
  else {
    const { seed, nodes, acked, hash } = report;
    console.log(`seed ${seed}: ${nodes} nodes, ${acked} acknowledged, trace ${hash}`);
    for (const problem of problems) console.log(`  ${problem}`);
    if (problems.length > 0) console.log(`  again: npm run sim -- --seed ${seed}`);
  }
}

/** Runs the seeds up to the first that shows something; whether none did. */
async function runAll(): Promise<boolean> {
  // Loaded late, so that a bug is planted before its file is read.
  const { scenarioNamed } = await import('./scenarios.js');
  const { faultsOf } = await import('./report.js');
  const planted = PLANTED[values.planted ?? '']?.scenario;
  const run = scenarioNamed(values.scenario ?? planted ?? 'membership');
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const report = run(seed);
    // A planted bug is found by what it does, not by a seed that proves too little.
    const problems = values.planted === undefined ? faultsOf(report) : [...report.violations];
    const again = values.once || problems.length > 0 ? report : run(seed);
    if (again.hash !== report.hash) problems.push(`a second run has the trace ${again.hash}`);
    print(report, problems);
    if (problems.length > 0) return false;
  }
  return true;
}

if (values.planted !== undefined && !plant(values.planted)) process.exitCode = 2;
else process.exitCode = (await runAll()) ? 0 : 1;
