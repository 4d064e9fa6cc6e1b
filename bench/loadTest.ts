/** Servers under load: start, preload, measure in rounds, and stop, whatever happens. */
import type { Histogram } from 'hdr-histogram-js';
import type { RunResult, System } from './driver/messages.js';
import { DriverProcess } from './driverProcess.js';
import { merged, percentilesOf, percentileUs } from './latencies.js';
import { median, type Row, rateText, table, usText } from './report.js';
import { type Scenario, scenariosOf } from './scenarios.js';
import { Server } from './servers.js';
import type { Settings } from './settings.js';

/** A server with a driver on it, full of keys. */
export interface Target {
  readonly system: System;
  readonly server: Server;
  readonly driver: DriverProcess;
}

/** Everything that was measured of one scenario on one system. */
export interface LoadResult {
  readonly system: System;
  readonly scenario: Scenario;
  /** One per round, in order. */
  readonly rounds: readonly RunResult[];
  /** Of all rounds together. */
  readonly latencies: Histogram;
}

/** Operations per second of one round. */
export const rateOf = (round: RunResult): number => round.operations / round.seconds;
/** Server processor time per operation of one round, in microseconds. */
export const cpuUsOf = (round: RunResult): number =>
  (round.serverCpuSeconds * 1e6) / round.operations;
/** Share of one core that the driver used in one round. */
export const driverCpuOf = (round: RunResult): number => round.driverCpuSeconds / round.seconds;

const WARM_MS = 400;

async function openTarget(system: System, settings: Settings): Promise<Target> {
  const server = await Server.start(system, { threads: settings.threads });
  try {
    const { port, pid } = server;
    const driver = await DriverProcess.open({
      system,
      port,
      pid,
      connections: settings.connections,
    });
    settings.say(`${system}: storing ${settings.keys} keys and reading them back`);
    await driver.preload(settings.keys);
    return { system, server, driver };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function closeTarget(target: Target): Promise<void> {
  await target.driver.close();
  await target.server.stop();
}

/** Opens a preloaded server per system, hands them to `work`, and stops them. */
export async function withTargets<T>(
  systems: readonly System[],
  settings: Settings,
  work: (targets: readonly Target[]) => Promise<T>,
): Promise<T> {
  const targets: Target[] = [];
  try {
    for (const system of systems) targets.push(await openTarget(system, settings));
    return await work(targets);
  } finally {
    for (const target of targets) await closeTarget(target);
  }
}

/**
 * Measures every scenario on every target. In each round the systems take turns scenario by
 * scenario, so that a machine that grows slower or faster does so for all of them.
 */
export async function measure(
  targets: readonly Target[],
  settings: Settings,
): Promise<LoadResult[]> {
  const measured = new Map<string, { system: System; scenario: Scenario; rounds: RunResult[] }>();
  const { keys, measuredMs } = settings;
  for (let round = 0; round < settings.rounds; round++) {
    for (const [target, scenario] of turns(targets)) {
      const result = await target.driver.run({ ...scenario, keys, measuredMs, warmMs: WARM_MS });
      const { system } = target;
      const name = `${system} ${scenario.name}`;
      const kept = measured.get(name) ?? { system, scenario, rounds: [] };
      kept.rounds.push(result);
      measured.set(name, kept);
    }
  }
  return [...measured.values()].map((result) => ({
    ...result,
    latencies: merged(result.rounds.map((round) => round.latencies)),
  }));
}

/** Every target with each of its scenarios, neighbours being the same scenario on all targets. */
export function turns<T extends { readonly system: System }>(
  targets: readonly T[],
): (readonly [T, Scenario])[] {
  const most = Math.max(0, ...targets.map(({ system }) => scenariosOf(system).length));
  const order = [];
  for (let i = 0; i < most; i++) {
    for (const target of targets) {
      const scenario = scenariosOf(target.system)[i];
      if (scenario !== undefined) order.push([target, scenario] as const);
    }
  }
  return order;
}

/** The row of a result: medians over its rounds, latencies over all of them. */
export function rowOf(result: LoadResult): Row {
  const { system, scenario, rounds, latencies } = result;
  return {
    system,
    scenario: `load ${scenario.name}`,
    opsPerSecond: median(rounds.map(rateOf)),
    ...percentilesOf(latencies),
    cpuUsPerOp: median(rounds.map(cpuUsOf)),
    driverCpu: median(rounds.map(driverCpuOf)),
  };
}

/** From this share of a core on the driver may be what limits the throughput. */
const DRIVER_BUSY = 0.95;

function line(result: LoadResult): string[] {
  const row = rowOf(result);
  const driver = row.driverCpu ?? 0;
  const percentiles = [50, 90, 99, 99.9, 99.99, 100];
  return [
    row.system,
    result.scenario.name,
    rateText(row.opsPerSecond),
    ...percentiles.map((percent) => usText(percentileUs(result.latencies, percent))),
    usText(row.cpuUsPerOp),
    `${(driver * 100).toFixed(0)} %${driver >= DRIVER_BUSY ? '*' : ''}`,
  ];
}

/** A table of all results, latencies in microseconds. */
export function loadTable(results: readonly LoadResult[]): string {
  const head = ['system', 'scenario', 'throughput', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'];
  const drawn = table([...head, 'server CPU', 'driver'], results.map(line));
  const units = 'latencies and server CPU per operation in µs';
  return `${drawn}\n${units}; * the driver had no time left: the server may be faster`;
}
