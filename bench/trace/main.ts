/**
 * `npm run bench:trace`: how often the store misses on a stream of requests, policy by policy,
 * beside exact simulations of the same policies and of what none of them can beat.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError, messageOf } from '../../src/base/errors.js';
import { didYouMean } from '../../src/base/suggestion.js';
import { begin, sayBeside } from '../commandLine.js';
import { circumstances } from '../machine.js';
import { writeResult } from '../report.js';
import { itemsFor } from './capacity.js';
import { readTraceFile } from './formats/traceFile.js';
import { GENERATED, generate } from './generated.js';
import { type TraceFlags, traceCommand } from './options.js';
import {
  absentPeers,
  compareMemory,
  installedPeers,
  type MemoryRow,
  memoryTable,
  memoryVerdicts,
} from './peers/equalMemory.js';
import { measurePoint, type Point, type TraceRow } from './point.js';
import { pointTable } from './pointTable.js';
import type { Stream } from './stream.js';
import { verdicts } from './verdicts.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

type Say = (text: string) => void;

function streamNamed(name: string, flags: TraceFlags): Stream {
  const generated = GENERATED.find((one) => one === name);
  if (generated !== undefined) return generate(generated, flags);
  if (!existsSync(name)) {
    throw new InputError(`there is no trace ${name}${didYouMean(name, GENERATED)}`);
  }
  return readTraceFile(name, { type: flags.traceType, columns: flags.traceTypeParams });
}

/** The capacities of a stream in items, each once. */
function capacitiesOf(stream: Stream, flags: TraceFlags): number[] {
  return [...new Set(flags.capacity.map((capacity) => itemsFor(capacity, stream.keyCount)))];
}

async function measureStream(stream: Stream, flags: TraceFlags, say: Say): Promise<Point[]> {
  const points: Point[] = [];
  const plan = { policies: flags.policy, threads: flags.threads, promotion: flags.promotion };
  if (flags.policy.length === 0) return points;
  for (const capacity of capacitiesOf(stream, flags)) {
    const point = await measurePoint(stream, capacity, plan, (row, seconds) => {
      const rate = (row.requests / seconds / 1e6).toFixed(2);
      if (process.stderr.isTTY) process.stderr.write(`${progress(stream, row)}: ${rate} M/s\n`);
    });
    say(`\n${pointTable(point)}`);
    if (point.otherEvictions > 0) {
      say(`${point.otherEvictions} items in all were evicted by something else than the policy`);
    }
    points.push(point);
  }
  return points;
}

function progress(stream: Stream, { policy, threads, capacity }: TraceRow): string {
  return `${stream.name}, room for ${capacity}, ${policy}, ${threads} threads`;
}

/** The stream on Orlop and its peers with the same memory. */
async function comparePeers(stream: Stream, flags: TraceFlags, say: Say): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  const limits = { memoryBytes: flags.peerMemory, requests: flags.peerRequests };
  for (const capacity of capacitiesOf(stream, flags)) {
    const compared = await compareMemory(stream, capacity, installedPeers(), limits);
    say(`\n${memoryTable(compared)}`);
    rows.push(...compared);
  }
  return rows;
}

function listJson(rows: readonly object[]): string {
  return `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`;
}

/** The JSON of the results; the trace is named where there are several. */
function rowsJson(rows: readonly TraceRow[], hasSeveral: boolean): string {
  return listJson(rows.map(({ trace, ...row }) => (hasSeveral ? { trace, ...row } : row)));
}

/** Writes what was measured beside the results of the other benches; nothing where nothing was. */
function save(name: string, rows: readonly object[]): void {
  if (rows.length === 0) return;
  // Where a trace lies is of no interest to others.
  const flags = process.argv.slice(2).map((flag) => basename(flag));
  writeResult(`${name}.json`, listJson(rows));
  writeResult(`${name}.about.json`, `${JSON.stringify(circumstances(flags), undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const program = traceCommand().exitOverride(({ exitCode }) => {
    process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
  });
  const flags = program.parse().opts<TraceFlags>();
  const say = sayBeside(flags.json);
  // All of them are read before the first is replayed, so that a wrong name is told at once.
  const streams = flags.trace.map((name) => streamNamed(name, flags));
  const { seconds } = begin(say);
  const points: Point[] = [];
  const peerRows: MemoryRow[] = [];
  const hasPeers = flags.peers ?? !flags.json;
  if (hasPeers)
    for (const peer of absentPeers()) say(`${peer} is not installed here and is skipped`);
  for (const stream of streams) {
    points.push(...(await measureStream(stream, flags, say)));
    if (hasPeers) peerRows.push(...(await comparePeers(stream, flags, say)));
  }
  say(`\n${[...verdicts(points), ...memoryVerdicts(peerRows)].join('\n')}`);
  say(`\nafter ${seconds()} s`);
  const rows = points.flatMap((point) => point.rows);
  if (flags.save) {
    save('trace', rows);
    save('trace-peers', peerRows);
  }
  if (flags.json) process.stdout.write(rowsJson(rows, streams.length > 1));
}

// Servers that were started are stopped when the process exits, which a signal alone does not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit());

main().catch((error: unknown) => {
  process.stderr.write(`bench:trace: ${messageOf(error)}\n`);
  process.exitCode = error instanceof InputError ? EXIT_USAGE : EXIT_FAILED;
});
