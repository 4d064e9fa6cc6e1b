/**
 * The benches' command line: `npm run bench` and `npm run bench:peers`. Rows go to
 * `bench/results/latest.json` or `peers.json`, the circumstances beside them, tables to the
 * terminal.
 */
import { Command } from 'commander';
import { benchArenas } from './arenas.js';
import { begin, namedOr, oneOf, positive, runBench, sayBeside, whole } from './commandLine.js';
import { benchLimit } from './limit/main.js';
import { benchPairs } from './limit/pairs.js';
import { benchParts } from './limit/parts.js';
import { benchLoad } from './load.js';
import { type Target, withTargets } from './loadTest.js';
import { benchPeers } from './peers.js';
import { benchRepair } from './repair.js';
import { type Row, rowsJson, writeReport } from './report.js';
import { benchScale } from './scale/main.js';
import { benchSeal } from './seal.js';
import type { Settings } from './settings.js';

const BENCHES = [
  'micro',
  'scale',
  'limit',
  'arenas',
  'repair',
  'seal',
  'load',
  'http',
  'peers',
] as const;
type Bench = (typeof BENCHES)[number];
/** What runs when nothing is named. */
const DEFAULT_BENCHES: readonly Bench[] = ['micro', 'scale', 'load', 'http'];

interface Flags {
  readonly json: boolean;
  readonly keys: number;
  readonly threads: number;
  readonly scaleThreads: number;
  readonly arenas: number;
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

function commandLine(): Command {
  return new Command('bench')
    .description('Measures Orlop on this machine, and beside its peers.')
    .argument(
      '[benches...]',
      `which: ${BENCHES.join(', ')}; all but limit, arenas, repair, seal and peers`,
      oneOf('benches', BENCHES),
    )
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--keys <number>', 'keys in the store', whole, 1_000_000)
    .option('--threads <number>', 'I/O threads of the node under load', whole, 1)
    .option('--scale-threads <number>', 'threads of the scale bench at most', whole, 2)
    .option('--arenas <number>', 'arenas of the arenas bench at most', whole, 3)
    .option('--connections <number>', 'connections of the load', whole, 50)
    .option('--rounds <number>', 'rounds, of which the median counts', whole, 3)
    .option('--seconds <number>', 'measured part of a round of load', positive, 3)
    .addHelpText(
      'after',
      `
Examples:
  npm run bench                         micro, scale, load and http: about three minutes
  npm run bench -- scale --rounds 5     only the scaling of the arena over threads
  npm run bench -- limit                the core beside this machine's limit: 4 GB of memory
  npm run bench:peers                   the load beside redis-server and memcached
  npm run bench -- load --json >rows.json`,
    );
}

function settingsOf(flags: Flags): Settings {
  return {
    ...flags,
    measuredMs: flags.seconds * 1000,
    say: sayBeside(flags.json),
  };
}

function needsServer(bench: Bench): boolean {
  return bench === 'load' || bench === 'http';
}

/** The drivers of micro and http are not there where the package is only used; load needs none. */
async function runOne(bench: Bench, settings: Settings, target?: Target): Promise<Row[]> {
  settings.say(`\n${bench}`);
  if (bench === 'micro') return (await import('./micro/main.js')).benchMicro(settings);
  if (bench === 'scale') return benchScale(settings);
  if (bench === 'limit') return benchAllLimits(settings);
  if (bench === 'arenas') return benchArenas(settings);
  if (bench === 'repair') return benchRepair(settings);
  if (bench === 'seal') return benchSeal(settings);
  if (bench === 'peers') return benchPeers(settings);
  if (target === undefined) throw new Error(`${bench} needs a node`);
  if (bench === 'load') return benchLoad(target, settings);
  return (await import('./http.js')).benchHttp(target, settings);
}

async function benchAllLimits(settings: Settings): Promise<Row[]> {
  const rows = [...benchLimit(settings), ...benchParts(settings)];
  return [...rows, ...(await benchPairs(settings))];
}

async function runAll(benches: readonly Bench[], settings: Settings): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bench of benches.filter((one) => !needsServer(one))) {
    rows.push(...(await runOne(bench, settings)));
  }
  const onServer = benches.filter(needsServer);
  if (onServer.length === 0) return rows;
  return withTargets(['orlop'], settings, async ([target]) => {
    for (const bench of onServer) rows.push(...(await runOne(bench, settings, target)));
    return rows;
  });
}

async function main(): Promise<void> {
  const program = commandLine().parse();
  const flags = program.opts<Flags>();
  const benches = namedOr(program, DEFAULT_BENCHES);
  const settings = settingsOf(flags);
  const { about, seconds } = begin(settings.say);
  const rows = await runAll(benches, settings);
  const name = benches.includes('peers') ? 'peers' : 'latest';
  writeReport(name, rows, about);
  settings.say(`\n${rows.length} rows in bench/results/${name}.json after ${seconds()} s`);
  if (flags.json) process.stdout.write(rowsJson(rows));
}

runBench('bench', main);
