/**
 * The memory bench's command line: `npm run bench:memory`. Rows go to `bench/results/memory.json`,
 * the circumstances beside them, tables to the terminal.
 */
import { Command, InvalidArgumentError } from 'commander';
import { begin, namedOr, oneOf, runBench, sayBeside } from '../commandLine.js';
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

function commandLine(): Command {
  return new Command('bench:memory')
    .description('Measures what items cost in memory, and how much of it is alive.')
    .argument('[parts...]', `which: ${PARTS.join(', ')}; all by default`, oneOf('parts', PARTS))
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
  const settings: MemorySettings = {
    memoryMb: flags.memory,
    say: sayBeside(flags.json),
  };
  const { about, seconds } = begin(settings.say);
  const rows: MemoryRow[] = [];
  for (const part of namedOr(program, PARTS)) rows.push(...(await runPart(part, settings)));
  writeResult('memory.json', memoryJson(rows));
  writeResult('memory.about.json', `${JSON.stringify(about, undefined, 2)}\n`);
  settings.say(`\n${rows.length} rows in bench/results/memory.json after ${seconds()} s`);
  if (flags.json) process.stdout.write(memoryJson(rows));
}

runBench('bench:memory', main);
