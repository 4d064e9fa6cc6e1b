/**
 * What a log costs while a node is under load, beside the same node without one and redis-server
 * with its log of commands. A tenth of the requests are writes. All servers hold the same keys and
 * take turns, so that a machine that grows slower or faster does so for all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult, System } from '../driver/messages.js';
import { DriverProcess } from '../driverProcess.js';
import { verdict } from '../goals.js';
import { merged, percentilesOf } from '../latencies.js';
import { cpuUsOf, driverCpuOf, rateOf } from '../loadTest.js';
import { figuresOf, median, table } from '../report.js';
import { type DataOptions, Server } from '../servers.js';
import type { LogRow } from './rows.js';
import type { LogSettings } from './settings.js';

const SET_SHARE = 0.1;
const WARM_MS = 1000;
const CLOSE_LIMIT_MS = 60_000;

/** A server that is loaded, and how. */
interface Subject {
  readonly name: string;
  readonly system: System;
  readonly fsync: DataOptions['fsync'] | undefined;
}

/** What is measured side by side, and what the ratios of throughput must reach. */
interface Match {
  readonly name: string;
  readonly connections: number;
  readonly depth: number;
  readonly subjects: readonly Subject[];
  /** The first subject's throughput as a share of another's. */
  readonly goals: readonly { readonly against: string; readonly atLeast: number }[];
}

const LOGGED: Subject = { name: 'orlop everysec', system: 'orlop', fsync: 'everysec' };
const SAFE: Subject = { name: 'orlop always', system: 'orlop', fsync: 'always' };
const PLAIN: Subject = { name: 'orlop without a log', system: 'orlop', fsync: undefined };
const AOF: Subject = { name: 'redis everysec', system: 'redis', fsync: 'everysec' };
const SAFE_AOF: Subject = { name: 'redis always', system: 'redis', fsync: 'always' };

const EVERYSEC: Match = {
  name: 'depth 64',
  connections: 50,
  depth: 64,
  subjects: [LOGGED, PLAIN, AOF],
  goals: [
    { against: PLAIN.name, atLeast: 0.85 },
    { against: AOF.name, atLeast: 1.5 },
  ],
};

const always = (connections: number, atLeast: number): Match => ({
  name: `${connections} connections`,
  connections,
  depth: 1,
  subjects: [SAFE, SAFE_AOF],
  goals: [{ against: SAFE_AOF.name, atLeast }],
});

/** The parts of the bench that measure throughput. */
export const MATCHES = {
  everysec: [EVERYSEC],
  always: [always(50, 1.1), always(200, 1.3)],
} as const;

interface Runner {
  readonly subject: Subject;
  readonly server: Server;
  readonly driver: DriverProcess;
}

/** Measures one match, prints it, and returns its rows. */
export async function benchMatch(match: Match, settings: LogSettings): Promise<LogRow[]> {
  const place = mkdtempSync(join(settings.place, 'orlop-bench-'));
  const runners: Runner[] = [];
  try {
    for (const subject of match.subjects) {
      runners.push(await startRunner(place, match, subject, settings));
    }
    const rounds = await measure(runners, match, settings);
    return report(match, rounds, settings);
  } finally {
    for (const { driver, server } of runners) {
      await driver.close();
      await server.stop();
    }
    rmSync(place, { recursive: true, force: true });
  }
}

async function startRunner(
  place: string,
  { connections }: Match,
  subject: Subject,
  { threads, keys, flags, say }: LogSettings,
): Promise<Runner> {
  const { name, system, fsync } = subject;
  const folder = mkdtempSync(join(place, `${system}-`));
  const options = { threads, startLimitMs: CLOSE_LIMIT_MS };
  // The keys are stored without waiting for the disk; a start with the log then reads them.
  const loading = fsync && { data: { folder, fsync: 'everysec' } as const, flags };
  const server = await Server.start(system, { ...options, ...loading });
  say(`${name}: storing ${keys} keys and reading them back`);
  await preload(server, keys);
  if (fsync !== 'always') return { subject, server, driver: await open(server, connections) };
  await server.stop();
  const safe = await Server.start(system, { ...options, data: { folder, fsync }, flags });
  return { subject, server: safe, driver: await open(safe, connections) };
}

/** A driver with connections to a server. */
export function open({ system, port, pid }: Server, connections: number): Promise<DriverProcess> {
  return DriverProcess.open({ system, port, pid, connections });
}

/** Stores keys by a driver of its own. */
export async function preload(server: Server, keys: number): Promise<void> {
  const driver = await open(server, 10);
  await driver.preload(keys);
  await driver.close();
}

async function measure(
  runners: readonly Runner[],
  { depth }: Match,
  { rounds, measuredMs, keys }: LogSettings,
): Promise<Map<string, RunResult[]>> {
  const results = new Map<string, RunResult[]>();
  const run = { keys, depth, perFrame: 1, setShare: SET_SHARE, warmMs: WARM_MS, measuredMs };
  for (let round = 0; round < rounds; round++) {
    for (const { subject, driver } of runners) {
      const result = await driver.run(run);
      results.set(subject.name, [...(results.get(subject.name) ?? []), result]);
    }
  }
  return results;
}

function report(
  match: Match,
  results: ReadonlyMap<string, readonly RunResult[]>,
  { say }: LogSettings,
): LogRow[] {
  const rows = match.subjects.map((subject) => rowOf(match, subject, results));
  const head = ['90 % GET, 10 % SET', 'throughput', 'p50', 'p99', 'p99.9', 'server CPU', 'driver'];
  say(table(head, rows.map(lineOf)));
  say('latencies and server CPU per operation in µs');
  const [first] = match.subjects;
  const rate = (name: string): readonly number[] => (results.get(name) ?? []).map(rateOf);
  for (const { against, atLeast } of match.goals) {
    const theirs = rate(against);
    const ratios = rate(first?.name ?? '').map((ours, round) => ours / (theirs[round] ?? 1));
    const ratio = median(ratios);
    const goal = verdict(ratio >= atLeast, `≥ ${atLeast}`);
    say(`${first?.name} / ${against}: throughput ${ratio.toFixed(2)}, ${goal}`);
  }
  return rows;
}

function rowOf(
  match: Match,
  { name, system }: Subject,
  results: ReadonlyMap<string, readonly RunResult[]>,
): LogRow {
  const rounds = results.get(name) ?? [];
  const latencies = merged(rounds.map((round) => round.latencies));
  return {
    system,
    scenario: `log ${match.name}, ${name}`,
    opsPerSecond: median(rounds.map(rateOf)),
    ...percentilesOf(latencies),
    cpuUsPerOp: median(rounds.map(cpuUsOf)),
    driverCpu: median(rounds.map(driverCpuOf)),
    writtenPerByte: null,
  };
}

function lineOf(row: LogRow): string[] {
  const driver = `${((row.driverCpu ?? 0) * 100).toFixed(0)} %`;
  return [row.scenario, ...figuresOf(row), driver];
}
