/** Load around a fault: what a program with a deadline of a second sees of it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../src/base/random.js';
import type { Client } from '../../src/client/index.js';
import type { Histories } from './history.js';
import { DEADLINE_MS, Load } from './load.js';
import type { Nodes } from './nodes.js';
import type { Tally } from './tally.js';

const CALLERS = 16;
/** The share of calls that may fail over the time around a fault. */
const FAILED_SHARE = 0.001;
/** Within so many seconds after a fault there is the throughput of before. */
const BACK_SECONDS = 10;
/** What counts as the throughput of before. */
const FULL = 0.9;
/** On a machine that does other things, too, deadlines and rates are kept less well. */
const LOADED = { failedShare: 0.005, full: 0.5 };
const SMOOTH_SECONDS = 3;
const FAILURES_SHOWN = 10;

/** What every scenario has at hand. */
export interface Scene {
  readonly nodes: Nodes;
  readonly histories: Histories;
  readonly tally: Tally;
  readonly random: Random;
  /** How long the load around the fault lasts. */
  readonly seconds: number;
  /** Whether nothing else keeps the machine busy, so that times say something of the nodes. */
  readonly alone: boolean;
}

/** What happens under load. */
export interface Events {
  /** Strikes when a quarter of the time is over. */
  readonly fault: () => unknown;
  /** The load goes on until this is over, if that takes longer. */
  readonly heal?: () => unknown;
  /** The share of calls that may fail; 0.1 %. */
  readonly failedShare?: number;
  /** Whether the throughput of before has to be back soon. */
  readonly comesBack?: boolean;
}

/** Runs load at `one` and at `quorum` around a fault, and judges it; the client that it used. */
export async function around(scene: Scene, events: Events): Promise<Client> {
  const { nodes, seconds } = scene;
  const client = await nodes.client({ timeoutMs: DEADLINE_MS });
  const parts = { ...scene, client, callers: CALLERS };
  const loads = (['one', 'quorum'] as const).map((level) => new Load({ ...parts, level }));
  const [first] = loads as [Load];
  await wait(250 * seconds);
  const faultSecond = first.elapsedMs / 1000;
  await events.fault();
  await wait(375 * seconds);
  await events.heal?.();
  await wait(Math.max(0, 1000 * seconds - first.elapsedMs));
  for (const load of loads) await load.end();
  const share = events.failedShare ?? FAILED_SHARE;
  book(scene.tally, loads, scene.alone ? share : Math.max(share, LOADED.failedShare));
  const full = scene.alone ? FULL : LOADED.full;
  if (events.comesBack === true) judgeThroughput(scene.tally, loads, faultSecond, full);
  return client;
}

function book(tally: Tally, loads: readonly Load[], share: number): void {
  const failures = loads.flatMap((load) => load.failures);
  const calls = loads.reduce((sum, load) => sum + load.calls, 0);
  tally.failed += failures.length;
  tally.calls += calls;
  if (failures.length <= share * calls) return;
  tally.problems.push(`${failures.length} of ${calls} calls failed`);
  for (const { what, atMs, why } of failures.slice(0, FAILURES_SHOWN)) {
    tally.problems.push(`a ${what} after ${atMs} ms: ${why}`);
  }
}

/** Notes how long it took until as many calls were answered in a second as before. */
function judgeThroughput(
  tally: Tally,
  loads: readonly Load[],
  faultSecond: number,
  full: number,
): void {
  const rate = (from: number, seconds: number): number => {
    let sum = 0;
    for (let at = from; at < from + seconds; at++) {
      for (const { perSecond } of loads) sum += perSecond[at] ?? 0;
    }
    return sum / seconds;
  };
  const fault = Math.floor(faultSecond);
  const before = rate(1, fault - 1);
  const last = Math.floor(Math.min(...loads.map(({ elapsedMs }) => elapsedMs)) / 1000);
  let back = fault;
  while (back + SMOOTH_SECONDS < last && rate(back, SMOOTH_SECONDS) < full * before) back++;
  const after = rate(back, SMOOTH_SECONDS);
  tally.figures.callsPerSecondBefore = Math.round(before);
  tally.figures.callsPerSecondAfter = Math.round(after);
  tally.figures.backSeconds = back - fault;
  if (after >= full * before && back - fault <= BACK_SECONDS) return;
  tally.problems.push(
    `${back - fault} s after the fault ${after.toFixed(0)} calls are answered in a second, ` +
      `before it ${before.toFixed(0)} were`,
  );
}
