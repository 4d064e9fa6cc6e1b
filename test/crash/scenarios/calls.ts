/**
 * A node meets a fault at one call of the kernel after the other: at the first write, the second …,
 * the first sync, the first rename. It is killed there, or the call fails. All the while the same
 * script is played, over a folder in each of the conditions that a node finds one in. So every gap
 * between two calls that change files is tried.
 *
 *   stage    fresh: nothing there · ended: by a node in order · torn: by a node that was killed
 */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../../../src/base/errors.js';
import { type Random, seededRandom } from '../../../src/base/random.js';
import type { TestServer } from '../../e2e/support/server.js';
import { copyFolder, startNode, withFolder } from '../node.js';
import { bookFailure, emptyTally, type KeyOracle, type State, type Tally } from '../oracle.js';
import { play, scriptKeys } from '../script.js';
import { type Call, callsIn, counting, didFail, type Injection, injecting } from '../strace.js';
import { readBack } from '../writers.js';
import { checkKeys, noLoss } from './kill.js';

/** Runs of a point until the fault has to have fired: timers decide when compaction begins. */
export const TRIES = 3;

/** How many points are tried, and what happens there. */
export interface CallOptions {
  readonly seed: number;
  /** At most so many, picked by chance; all there are by default. */
  readonly points: number;
  /** What strace does instead of the call: `signal=KILL`, `error=EIO`. */
  readonly faults: readonly string[];
}

/** A condition of a folder, and what a node over it knows of the script's keys. */
interface Stage {
  readonly name: string;
  /** A folder to be copied; nothing for one that is not there. */
  readonly template: string | undefined;
  readonly states: readonly State[];
}

interface Point extends Injection {
  readonly stage: Stage;
}

/** Runs the scenario. */
export function failAtCalls({ seed, points, faults }: CallOptions): Promise<Tally> {
  const tally = emptyTally();
  return withFolder(async (place) => {
    const stages = await makeStages(place);
    const all: Point[] = [];
    for (const stage of stages) all.push(...(await pointsOf(place, stage, faults)));
    for (const point of pickEach(all, points, seededRandom(seed))) {
      await tryPoint(place, point, tally);
    }
    return tally;
  });
}

/** Folders as a node leaves them when it ends in order, and when it is killed. */
async function makeStages(place: string): Promise<Stage[]> {
  const stages: Stage[] = [{ name: 'fresh', template: undefined, states: [] }];
  for (const [name, signal] of [['ended', 'SIGTERM'] as const, ['torn', 'SIGKILL'] as const]) {
    const template = join(place, name);
    const server = await startNode({ folder: template, fsync: 'always' });
    const keys = scriptKeys();
    await play(server.url, name, keys, emptyTally());
    const states = await readBack(server.url, keys);
    await server.stop(signal);
    stages.push({ name, template, states });
  }
  return stages;
}

function layOut(place: string, { template }: Stage): string {
  const folder = join(place, 'log');
  if (template === undefined) rmSync(folder, { recursive: true, force: true });
  else copyFolder(template, folder);
  return folder;
}

/** Every call that the script makes over a folder, with each fault. */
async function pointsOf(
  place: string,
  stage: Stage,
  faults: readonly string[],
): Promise<readonly Point[]> {
  const folder = layOut(place, stage);
  const file = join(place, `${stage.name}.calls`);
  const server = await startNode({ folder, fsync: 'always', under: counting(file) });
  const pid = await pidOf(server);
  await play(server.url, 'count', scriptKeys(stage.states), emptyTally());
  process.kill(pid, 'SIGKILL');
  await server.exited;
  return callsIn(file, folder).flatMap((call) => {
    return faults.map((what) => ({ stage, ...call, what }));
  });
}

/** So many of the calls, by chance, but of each file and kind as often as of any other. */
export function pickEach<T extends Call>(
  calls: readonly T[],
  count: number,
  random: Random,
): readonly T[] {
  if (calls.length <= count) return calls;
  const seen = new Map<string, number>();
  const places = shuffled(calls, random).map((call) => {
    const group = `${call.call} ${call.path}`;
    const turn = seen.get(group) ?? 0;
    seen.set(group, turn + 1);
    return { call, turn };
  });
  // The order is kept among those of one turn.
  places.sort((a, b) => a.turn - b.turn);
  return places.slice(0, count).map(({ call }) => call);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const places = items.map((item) => ({ item, place: random.fraction() }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

/** Plays the script with one fault, and looks what a node without faults finds afterwards. */
async function tryPoint(place: string, point: Point, tally: Tally): Promise<void> {
  const { stage, call, path, when, what } = point;
  const before = tally.problems.length;
  try {
    const { folder, keys } = await insist(place, point, tally);
    const server = await startNode({ folder, fsync: 'always' });
    await checkKeys(server, keys, tally, noLoss());
    await server.stop('SIGKILL');
  } catch (error) {
    bookFailure(tally, messageOf(error));
  }
  for (let n = before; n < tally.problems.length; n++) {
    tally.problems[n] =
      `${stage.name}, ${call} ${when} to ${basename(path)}, ${what}: ${tally.problems[n]}`;
  }
}

/** Plays the script, again if need be, until the fault has fired; what it leaves. */
async function insist(
  place: string,
  point: Point,
  tally: Tally,
): Promise<{ readonly folder: string; readonly keys: readonly KeyOracle[] }> {
  for (let tries = 1; ; tries++) {
    const folder = layOut(place, point.stage);
    const keys = scriptKeys(point.stage.states);
    const fired = await meetFault(folder, point, keys, tally);
    if (fired) tally.faultsFired++;
    else if (tries < TRIES) continue;
    else bookFailure(tally, 'the fault did not fire');
    return { folder, keys };
  }
}

/** Plays the script to a node that meets a fault; whether it did. */
async function meetFault(
  folder: string,
  point: Point,
  keys: readonly KeyOracle[],
  tally: Tally,
): Promise<boolean> {
  const told = `${folder}.calls`;
  const kills = point.what === 'signal=KILL';
  let server: TestServer;
  try {
    server = await startNode({ folder, fsync: 'always', under: injecting(point, told) });
  } catch (error) {
    if (/the node ended with/.test(messageOf(error))) return kills || didFail(told);
    throw error;
  }
  const pid = await pidOf(server).catch(() => undefined);
  const { ended } = await play(server.url, 'fault', keys, tally);
  // Without an end of the connection the node lives.
  if (pid !== undefined && !ended) kill(pid);
  await server.exited;
  return kills ? ended : didFail(told);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}

/** The process under strace. */
export async function pidOf(server: TestServer): Promise<number> {
  const stats = await (await fetch(`${server.httpUrl}/v1/stats`)).json();
  return (stats as { readonly server: { readonly pid: number } }).server.pid;
}
