/**
 * The tier bench's command line: `npm run bench:tier`. Two nodes of the same memory with a log, one
 * of them with a tier of ten times that, hold the same keys. Measured in turns: reads of keys that
 * both have in memory, and reads of any key, which the one with the tier gets from the disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { seededRandom } from '../../src/base/random.js';
import { begin, positive, runBench, sayBeside, whole } from '../commandLine.js';
import { verdict } from '../goals.js';
import { percentilesOf } from '../latencies.js';
import { cpuSecondsOf } from '../processCpu.js';
import { figuresOf, median, type Row, rowsJson, table, usText, writeReport } from '../report.js';
import { Server } from '../servers.js';
import { type Ran, TierLoad } from './load.js';
import { benchTierWrites } from './writes.js';

/** A tier is so many times the memory. */
const TIMES = 10;
/** Bytes of a record beyond key and value, about. */
const RECORD_EXTRA_BYTES = 32;
const KEY_BYTES = 16;
/** Of the memory, that the hot keys have. */
const HOT_SHARE = 0.05;
const SOCKETS = 16;
/** Of those that ask for one key after the other. */
const COLD_SOCKETS = 8;
const PER_FRAME = 16;
const MIB = 1024 * 1024;
const SHARE_GOAL = 0.9;
const P99_GOAL_US = 5000;

interface Flags {
  readonly json: boolean;
  readonly place: string;
  readonly memory: number;
  readonly value: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly writesOnly: boolean;
}

interface Target {
  readonly name: string;
  readonly server: Server;
  readonly load: TierLoad;
  readonly folder: string;
}

interface Measured {
  readonly ran: Ran;
  readonly cpuUs: number;
}

async function openTarget(name: string, flags: Flags, tiered: boolean): Promise<Target> {
  const folder = mkdtempSync(join(flags.place, 'orlop-tier-'));
  const tier = ['--tier', `ssd:${flags.memory * TIMES * 2}mb`];
  const server = await Server.start('orlop', {
    threads: 1,
    memoryMb: flags.memory,
    data: { folder, fsync: 'everysec' },
    flags: ['--max-value', '1mb', '--data-file-size', '16mb', ...(tiered ? tier : [])],
  });
  const load = await TierLoad.open(server.port, SOCKETS, flags.value);
  return { name, server, load, folder };
}

async function measure(target: Target, work: (load: TierLoad) => Promise<Ran>): Promise<Measured> {
  const before = cpuSecondsOf(target.server.pid);
  const ran = await work(target.load);
  const cpuUs = ((cpuSecondsOf(target.server.pid) - before) * 1e6) / ran.operations;
  return { ran, cpuUs };
}

function rowOf(scenario: string, all: readonly Measured[]): Row {
  const [first] = all;
  if (first === undefined) throw new Error('nothing was measured');
  const { latencies } = first.ran;
  for (const { ran } of all.slice(1)) latencies.add(ran.latencies);
  return {
    system: 'orlop',
    scenario,
    opsPerSecond: median(all.map(({ ran }) => ran.operations / ran.seconds)),
    ...percentilesOf(latencies),
    cpuUsPerOp: median(all.map(({ cpuUs }) => cpuUs)),
    driverCpu: null,
  };
}

interface Stats {
  readonly tier?: { readonly items: number; readonly found: number; readonly lost: number };
}

async function statsOf({ server }: Target): Promise<Stats> {
  return (await (await fetch(`http://127.0.0.1:${server.port}/v1/stats`)).json()) as Stats;
}

async function run(flags: Flags, say: (text: string) => void): Promise<Row[]> {
  const bytes = flags.value + KEY_BYTES + RECORD_EXTRA_BYTES;
  const keys = Math.floor((flags.memory * MIB * TIMES) / bytes);
  const hot = Math.floor((keys / TIMES) * HOT_SHARE);
  const random = seededRandom(7);
  const below = (limit: number) => (): number => Math.floor(random.fraction() * limit);
  const plain = await openTarget('without', flags, false);
  const tiered = await openTarget('with', flags, true);
  const both = [plain, tiered];
  try {
    say(`storing ${keys} keys with values of ${flags.value} bytes in ${flags.memory} MiB`);
    for (const { load } of both) {
      await load.store(keys, PER_FRAME);
      // The hot ones are stored anew, and read twice, so that both nodes have them in memory.
      await load.store(hot, PER_FRAME);
      for (let pass = 0; pass < 3; pass++) await load.read(below(hot), PER_FRAME, 300);
    }
    const measuredMs = flags.seconds * 1000;
    const hots = new Map<string, Measured[]>(both.map(({ name }) => [name, []]));
    for (let round = 0; round < flags.rounds; round++) {
      for (const target of both) {
        const one = await measure(target, (load) => load.read(below(hot), PER_FRAME, measuredMs));
        hots.get(target.name)?.push(one);
      }
    }
    const alone = await TierLoad.open(tiered.server.port, COLD_SOCKETS, flags.value);
    const before = await statsOf(tiered);
    const cold: Measured[] = [];
    for (let round = 0; round < flags.rounds; round++) {
      const target = { ...tiered, load: alone };
      cold.push(await measure(target, (load) => load.read(below(keys), 1, measuredMs)));
      await sleep(100);
    }
    const after = await statsOf(tiered);
    alone.close();
    const rows = [
      ...both.map(({ name }) => rowOf(`tier hot reads, ${name}`, hots.get(name) ?? [])),
      rowOf('tier any reads, depth 1', cold),
    ];
    tell(rows, cold, { before, after, keys }, say);
    return rows;
  } finally {
    for (const { server, load, folder } of both) {
      load.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function tell(
  rows: readonly Row[],
  cold: readonly Measured[],
  { before, after, keys }: { before: Stats; after: Stats; keys: number },
  say: (text: string) => void,
): void {
  const lines = rows.map((row) => [row.scenario, ...figuresOf(row)]);
  say(table(['reads', 'throughput', 'p50', 'p99', 'p99.9', 'server CPU'], lines));
  const reads = cold.reduce((sum, { ran }) => sum + ran.operations, 0);
  const misses = cold.reduce((sum, { ran }) => sum + ran.misses, 0);
  const found = (after.tier?.found ?? 0) - (before.tier?.found ?? 0);
  const share = (part: number, of: number): string => `${((part / of) * 100).toFixed(1)} %`;
  say(`of ${keys} keys ${share(before.tier?.items ?? 0, keys)} were on disk alone`);
  const came = `${share(found, reads)} came from the disk`;
  say(`of ${reads} reads of any key ${came}, ${share(misses, reads)} missed`);
  const [plain, tiered, any] = rows;
  const ratio = (tiered?.opsPerSecond ?? 0) / (plain?.opsPerSecond ?? 1);
  const cpu = (plain?.cpuUsPerOp ?? 0) / (tiered?.cpuUsPerOp ?? 1);
  const met = verdict(ratio >= SHARE_GOAL, '≥ 0.9');
  say(`hot reads with a tier to without: ${ratio.toFixed(2)} ${met}, by CPU ${cpu.toFixed(2)}`);
  const p99 = any?.p99Us ?? Number.POSITIVE_INFINITY;
  say(`p99 of any reads: ${usText(p99)} µs ${verdict(p99 <= P99_GOAL_US, '≤ 5 ms')}`);
}

async function main(): Promise<void> {
  const program = new Command('bench:tier')
    .description('Measures reads of what only the disk has, and of what memory has beside that.')
    .option('--json', 'print only the rows, as JSON; tables go to standard error', false)
    .option('--place <folder>', 'a folder on the disk to measure', tmpdir())
    .option('--memory <mib>', 'memory of each node', whole, 64)
    .option('--value <bytes>', 'bytes of a value', whole, 1024)
    .option('--rounds <number>', 'rounds, of which the median counts', whole, 3)
    .option('--seconds <number>', 'measured part of a round', positive, 2)
    .option('--writes-only', 'only what is written to the disk', false)
    .parse();
  const flags = program.opts<Flags>();
  const say = sayBeside(flags.json);
  const { about } = begin(say);
  if (flags.writesOnly) {
    await benchTierWrites(flags.place, flags.value, say);
    return;
  }
  const rows = await run(flags, say);
  await benchTierWrites(flags.place, flags.value, say);
  writeReport('tier', rows, about);
  if (flags.json) process.stdout.write(rowsJson(rows));
}

runBench('bench:tier', main);
