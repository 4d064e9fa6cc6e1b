/**
 * The log bench's command line: `npm run bench:log`. Rows go to `bench/results/log.json`, the
 * circumstances beside them, tables to the terminal.
 */
import { tmpdir } from 'node:os';
import { Command } from 'commander';
import { begin, namedOr, oneOf, positive, runBench, sayBeside, whole } from '../commandLine.js';
import { isInstalled } from '../servers.js';
import { benchRecovery } from './recovery.js';
import { type LogRow, logJson, writeLogReport } from './rows.js';
import type { LogSettings } from './settings.js';
import { benchMatch, MATCHES } from './throughput.js';
import { benchWrites } from './writes.js';

const PARTS = ['everysec', 'always', 'recovery', 'writes'] as const;
type Part = (typeof PARTS)[number];

interface Flags {
  readonly json: boolean;
  readonly place: string;
  readonly keys: number;
  readonly records: number;
  readonly writes: number;
  readonly threads: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly dataKeyFile?: string;
}

function commandLine(): Command {
  return new Command('bench:log')
    .description('Measures what a log costs, beside the same node without one and redis-server.')
    .argument('[parts...]', `which: ${PARTS.join(', ')}; all by default`, oneOf('parts', PARTS))
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--place <folder>', 'a folder on the disk to measure', tmpdir())
    .option('--keys <number>', 'keys in the store under load', whole, 1_000_000)
    .option('--records <number>', 'records that are read back', whole, 5_000_000)
    .option('--writes <number>', 'writes of the part that compacts', whole, 8_000_000)
    .option('--threads <number>', 'I/O threads of the node', whole, 1)
    .option('--rounds <number>', 'rounds, of which the median counts', whole, 3)
    .option('--seconds <number>', 'measured part of a round of load', positive, 5)
    .option('--data-key-file <file>', 'measure nodes that encrypt their log with these keys');
}

function settingsOf(flags: Flags): LogSettings {
  const { dataKeyFile } = flags;
  return {
    ...flags,
    measuredMs: flags.seconds * 1000,
    flags: dataKeyFile === undefined ? [] : ['--data-key-file', dataKeyFile],
    say: sayBeside(flags.json),
  };
}

async function runPart(part: Part, settings: LogSettings): Promise<LogRow[]> {
  settings.say(`\n${part}`);
  if (part === 'recovery') return benchRecovery(settings);
  if (part === 'writes') return benchWrites(settings);
  const rows: LogRow[] = [];
  for (const match of MATCHES[part]) rows.push(...(await benchMatch(match, settings)));
  return rows;
}

async function main(): Promise<void> {
  const program = commandLine().parse();
  const flags = program.opts<Flags>();
  const settings = settingsOf(flags);
  if (!isInstalled('redis')) throw new Error('redis-server is not installed here');
  const { about, seconds } = begin(settings.say);
  const rows: LogRow[] = [];
  for (const part of namedOr(program, PARTS)) rows.push(...(await runPart(part, settings)));
  writeLogReport(rows, about);
  settings.say(`\n${rows.length} rows in bench/results/log.json after ${seconds()} s`);
  if (flags.json) process.stdout.write(logJson(rows));
}

runBench('bench:log', main);
