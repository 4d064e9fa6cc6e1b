/**
 * The log bench's command line: `npm run bench:log`. Rows go to `bench/results/log.json`, the
 * circumstances beside them, tables to the terminal.
 */
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../src/base/clock.js';
import { messageOf } from '../../src/base/errors.js';
import { circumstances } from '../machine.js';
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

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('a number above zero is needed');
}

function whole(text: string): number {
  const value = positive(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError('a whole number is needed');
}

function partNamed(name: string, before: readonly Part[] = []): Part[] {
  const part = PARTS.find((one) => one === name);
  if (part !== undefined) return [...before, part];
  throw new InvalidArgumentError(`the parts are ${PARTS.join(', ')}`);
}

function commandLine(): Command {
  return new Command('bench:log')
    .description('Measures what a log costs, beside the same node without one and redis-server.')
    .argument('[parts...]', `which: ${PARTS.join(', ')}; all by default`, partNamed)
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
  const stream = flags.json ? process.stderr : process.stdout;
  const { dataKeyFile } = flags;
  return {
    ...flags,
    measuredMs: flags.seconds * 1000,
    flags: dataKeyFile === undefined ? [] : ['--data-key-file', dataKeyFile],
    say: (text) => stream.write(`${text}\n`),
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
  const parts = (program.processedArgs[0] as Part[] | undefined) ?? PARTS;
  const settings = settingsOf(flags);
  if (!isInstalled('redis')) throw new Error('redis-server is not installed here');
  const about = circumstances(process.argv.slice(2));
  settings.say(`${about.commit} on ${about.cores} × ${about.cpu}, Node ${about.node}`);
  const startMs = systemClock.monotonicMs();
  const rows: LogRow[] = [];
  for (const part of parts) rows.push(...(await runPart(part, settings)));
  writeLogReport(rows, about);
  const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(0);
  settings.say(`\n${rows.length} rows in bench/results/log.json after ${seconds} s`);
  if (flags.json) process.stdout.write(logJson(rows));
}

main().catch((error: unknown) => {
  process.stderr.write(`bench:log: ${messageOf(error)}\n`);
  process.exitCode = 1;
});
