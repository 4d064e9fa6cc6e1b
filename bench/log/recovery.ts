/**
 * How long a start takes that reads everything back: Orlop from its log, redis-server from its log
 * of commands and from its snapshot, of the same data. Measured from the start of the process until
 * it serves, with the files in the page cache, in turns.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { System } from '../driver/messages.js';
import { verdict } from '../goals.js';
import { cpuSecondsOf } from '../processCpu.js';
import { median, rateText, table, usText } from '../report.js';
import { type DataOptions, Server, type ServerOptions } from '../servers.js';
import type { LogRow } from './rows.js';
import type { LogSettings } from './settings.js';
import { preload } from './throughput.js';

const START_LIMIT_MS = 300_000;
const MEMORY_MB = 2048;
/** Of the time that Redis takes from its log, and from its snapshot: at most. */
const GOALS = [
  ['redis log', 0.5],
  ['redis snapshot', 1],
] as const;

/** A start that is measured. */
interface Start {
  readonly name: string;
  readonly system: System;
  readonly options: ServerOptions;
}

/** One measured start. */
interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Measures the starts, prints them, and returns their rows. */
export async function benchRecovery(settings: LogSettings): Promise<LogRow[]> {
  const place = mkdtempSync(join(settings.place, 'orlop-bench-'));
  try {
    const starts = await prepare(place, settings);
    const took = new Map<string, Took[]>(starts.map(({ name }) => [name, []]));
    for (let round = 0; round < settings.rounds; round++) {
      for (const start of starts) took.get(start.name)?.push(await measure(start));
    }
    return report(took, settings);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Stores the records with each server, and ends it. */
async function prepare(place: string, settings: LogSettings): Promise<Start[]> {
  const { threads, records, say, flags } = settings;
  const optionsOf = (data: DataOptions): ServerOptions => ({
    threads,
    memoryMb: MEMORY_MB,
    startLimitMs: START_LIMIT_MS,
    data,
    flags,
  });
  const folderOf = (system: System): string => mkdtempSync(join(place, `${system}-`));
  const ours = optionsOf({ folder: folderOf('orlop'), fsync: 'everysec' });
  const log = { folder: folderOf('redis'), fsync: 'everysec' } as const;
  say(`storing ${records} records with orlop and redis`);
  const node = await Server.start('orlop', ours);
  await preload(node, records);
  await node.stop();
  const redis = await Server.start('redis', optionsOf(log));
  await preload(redis, records);
  await save(redis.port);
  await redis.stop();
  return [
    { name: 'orlop log', system: 'orlop', options: ours },
    { name: 'redis log', system: 'redis', options: optionsOf(log) },
    { name: 'redis snapshot', system: 'redis', options: optionsOf({ ...log, kind: 'snapshot' }) },
  ];
}

/** Has Redis write its snapshot. */
function save(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('SAVE\r\n'));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      if (data.toString().startsWith('+OK')) resolve();
      else reject(new Error(`redis did not save: ${data}`));
    });
  });
}

async function measure({ system, options }: Start): Promise<Took> {
  const startMs = performance.now();
  const server = await Server.start(system, options);
  const seconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = cpuSecondsOf(server.pid);
  await server.stop();
  return { seconds, cpuSeconds };
}

function report(took: ReadonlyMap<string, readonly Took[]>, settings: LogSettings): LogRow[] {
  const { records, say } = settings;
  const secondsOf = (name: string): number =>
    median((took.get(name) ?? []).map(({ seconds }) => seconds));
  const rows = [...took].map(([name, rounds]): LogRow => {
    const cpuSeconds = median(rounds.map((round) => round.cpuSeconds));
    const latencies = { p50Us: null, p99Us: null, p999Us: null };
    return {
      system: name.startsWith('redis') ? 'redis' : 'orlop',
      scenario: `log recovery of ${records} records, ${name}`,
      opsPerSecond: records / secondsOf(name),
      ...latencies,
      cpuUsPerOp: (cpuSeconds * 1e6) / records,
      driverCpu: null,
      writtenPerByte: null,
    };
  });
  const lines = rows.map((row, n) => {
    const seconds = secondsOf([...took.keys()][n] ?? '');
    const cpu = usText(row.cpuUsPerOp);
    return [row.scenario, `${seconds.toFixed(2)} s`, rateText(row.opsPerSecond), cpu];
  });
  say(table(['start', 'time', 'records', 'CPU per record, µs'], lines));
  for (const [against, atMost] of GOALS) {
    const ratio = secondsOf('orlop log') / secondsOf(against);
    const goal = verdict(ratio <= atMost, `≤ ${atMost}`);
    say(`orlop log / ${against}: time ${ratio.toFixed(2)}, ${goal}`);
  }
  return rows;
}
