/**
 * The memory bench's command line: `npm run bench:memory`. Rows go to `bench/results/memory.json`,
 * the circumstances beside them, tables to the terminal.
 */
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../src/base/clock.js';
import { messageOf } from '../../src/base/errors.js';
import { circumstances } from '../machine.js';
import { writeResult } from '../report.js';
import { benchLive } from './live.js';
import { benchOverhead } from './overhead.js';
import {
  besideRow,
  besideTable,
  liveRow,
  liveTable,
  type MemoryRow,
  memoryJson,
  overheadRow,
  overheadTable,
} from './rows.js';
import type { MemorySettings } from './settings.js';

const PARTS = ['overhead', 'live'] as const;
type Part = (typeof PARTS)[number];

interface Flags {
  readonly json: boolean;
  readonly memory: number;
}

function wholeMebibytes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 64) return value;
  throw new InvalidArgumentError('a whole number of MiB from 64 is needed');
}

function partNamed(name: string, before: readonly Part[] = []): Part[] {
  const part = PARTS.find((one) => one === name);
  if (part !== undefined) return [...before, part];
  throw new InvalidArgumentError(`the parts are ${PARTS.join(', ')}`);
}

function commandLine(): Command {
  return new Command('bench:memory')
    .description('Measures what items cost in memory, and how much of it is alive.')
    .argument('[parts...]', `which: ${PARTS.join(', ')}; all by default`, partNamed)
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--memory <mb>', 'memory of the nodes and arenas in MiB', wholeMebibytes, 256);
}

async function runPart(part: Part, settings: MemorySettings): Promise<MemoryRow[]> {
  settings.say(`\n${part}`);
  if (part === 'live') {
    const { live, beside } = await benchLive(settings);
    settings.say(liveTable(live));
    settings.say(besideTable(beside));
    return [...live.map(liveRow), besideRow(beside)];
  }
  const results = await benchOverhead(settings);
  settings.say(overheadTable(results));
  return results.map(overheadRow);
}

async function main(): Promise<void> {
  const program = commandLine().parse();
  const flags = program.opts<Flags>();
  const named = program.processedArgs[0] as Part[] | undefined;
  const parts = named === undefined || named.length === 0 ? PARTS : named;
  const stream = flags.json ? process.stderr : process.stdout;
  const settings: MemorySettings = {
    memoryMb: flags.memory,
    say: (text) => stream.write(`${text}\n`),
  };
  const about = circumstances(process.argv.slice(2));
  settings.say(`${about.commit} on ${about.cores} × ${about.cpu}, Node ${about.node}`);
  const startMs = systemClock.monotonicMs();
  const rows: MemoryRow[] = [];
  for (const part of parts) rows.push(...(await runPart(part, settings)));
  writeResult('memory.json', memoryJson(rows));
  writeResult('memory.about.json', `${JSON.stringify(about, undefined, 2)}\n`);
  const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(0);
  settings.say(`\n${rows.length} rows in bench/results/memory.json after ${seconds} s`);
  if (flags.json) process.stdout.write(memoryJson(rows));
}

main().catch((error: unknown) => {
  process.stderr.write(`bench:memory: ${messageOf(error)}\n`);
  process.exitCode = 1;
});
