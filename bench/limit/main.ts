/**
 * The core beside the limit of this machine: the same random accesses over as much memory in plain
 * WebAssembly, without parsing, hashing, comparing, policy and atomics (`assembly/limit/walk.ts`).
 * Both take turns on one thread, and processor time counts, so that others do not disturb.
 */
import { Arena } from '../../src/arena/arena.js';
import { seededRandom } from '../../src/base/random.js';
import { type Draws, draw, fill } from '../draws.js';
import { encodePool } from '../driver/pool.js';
import { verdict } from '../goals.js';
import { Job } from '../job.js';
import { BenchLane } from '../lane.js';
import { orlopEncoder } from '../orlopRequests.js';
import { cpuRow, median, type Row, table } from '../report.js';
import { FreshKeys } from '../scale/freshKeys.js';
import type { Settings } from '../settings.js';
import { type Access, Walk } from './walk.js';

const MIB = 1024 * 1024;
const PER_FRAME = 64;
/** The measured part of one turn, in milliseconds. */
const TURN_MS = 400;
const SEED = 47;
/** The core may take so many times the limit. */
const DISTANCE_GOAL = 2;
/** Keys that are drawn where there are more. */
const DRAWS_MAX = 2_000_000;
/** Keys stored at once while an arena is filled. */
const FILL_STEP = 100_000;

/** One kind of requests over one arena. */
interface Scene {
  readonly name: string;
  readonly keys: number;
  readonly memoryBytes: number;
  readonly access: Access;
  readonly spread: 'uniform' | 'zipf';
  /** Operations per second that one thread must reach. */
  readonly goal: number;
}

/** What was measured of a scene, by round, in nanoseconds of processor time for an operation. */
interface Measured {
  readonly scene: Scene;
  readonly coreNs: readonly number[];
  readonly limitNs: readonly number[];
}

/** `keys` keys, and ten times as many for the GETs that miss every cache of the processor. */
function scenesFor(keys: number): readonly Scene[] {
  const many = { keys: keys * 10, memoryBytes: keys * 10 * 200 };
  const resident = { keys, memoryBytes: keys * 512 };
  return [
    { name: 'GET uniform', ...many, access: 'read', spread: 'uniform', goal: 5.5e6 },
    { name: 'GET zipf', ...resident, access: 'read', spread: 'zipf', goal: 10e6 },
    { name: 'SET uniform', ...resident, access: 'write', spread: 'uniform', goal: 4e6 },
    {
      name: 'SET new, evicting',
      keys,
      memoryBytes: keys * 176,
      access: 'replace',
      spread: 'uniform',
      goal: 3e6,
    },
  ];
}

/** Measures every scene, prints the table and returns the rows. */
export function benchLimit(settings: Settings): Row[] {
  const measured = scenesFor(settings.keys).map((scene) => measure(scene, settings));
  settings.say(tableOf(measured));
  return measured.flatMap(rowsOf);
}

function measure(scene: Scene, { rounds, say }: Settings): Measured {
  say(`limit: ${scene.name}, ${scene.keys} keys in ${Math.round(scene.memoryBytes / MIB)} MiB`);
  const draws = drawsOf(scene);
  const job = coreJob(scene, draws);
  const walk = new Walk(scene.memoryBytes, scene.keys, draws.keys, scene.access);
  const core = (): number => nsOf(() => job.turn(PER_FRAME));
  const limit = (): number => nsOf(() => walk.turn());
  core();
  limit();
  const coreNs: number[] = [];
  const limitNs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    coreNs.push(core());
    limitNs.push(limit());
  }
  return { scene, coreNs, limitNs };
}

/** Works for a while; nanoseconds of processor time for an operation. */
function nsOf(turn: () => number): number {
  const before = process.cpuUsage();
  const endMs = performance.now() + TURN_MS;
  let operations = 0;
  while (performance.now() < endMs) operations += turn();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / operations;
}

function drawsOf({ keys, spread, access }: Scene): Draws {
  const count = Math.min(keys, DRAWS_MAX);
  const setShare = access === 'read' ? 0 : 1;
  if (keys <= DRAWS_MAX) return draw(keys, spread, setShare, SEED);
  const random = seededRandom(SEED);
  const sets = new Uint8Array(count).fill(setShare);
  return { keys: Uint32Array.from({ length: count }, () => random.below(keys)), sets };
}

/** The scene's requests on a filled arena. */
function coreJob({ keys, memoryBytes, access }: Scene, draws: Draws): Job {
  const arena = Arena.create({ memoryBytes, lanes: 1 });
  const lane = new BenchLane(arena, 0);
  if (access === 'replace') {
    const fresh = new FreshKeys(0);
    const job = new Job(lane, fresh.pool, (from, to) => fresh.renew(from, to));
    while (evictions(arena) < 3 * keys) job.turn(PER_FRAME);
    return job;
  }
  const store = (from: number, to: number): void => {
    new Job(lane, encodePool(fill(from, to), 1, orlopEncoder)).pass(PER_FRAME);
  };
  for (let from = 0; from < keys; from += FILL_STEP) store(from, Math.min(keys, from + FILL_STEP));
  if (evictions(arena) > 0) throw new Error('the arena is too small for its keys');
  const job = new Job(lane, encodePool(draws, 1, orlopEncoder));
  // Overwrites: until every page has been written to, for the first time costs a fault.
  if (access === 'write') while (arena.stats().segmentsReclaimed === 0) job.pass(PER_FRAME);
  return job;
}

function evictions(arena: Arena): number {
  const { policy, chain, forced } = arena.stats().evicted;
  return policy + chain + forced;
}

function rowsOf({ scene, coreNs, limitNs }: Measured): Row[] {
  const scenario = `limit ${scene.name}, ${scene.keys} keys, frames of ${PER_FRAME}`;
  const core = cpuRow('orlop', scenario, median(coreNs));
  return [core, cpuRow('limit', scenario, median(limitNs))];
}

function tableOf(measured: readonly Measured[]): string {
  const head = [
    'CPU',
    'keys',
    'core, ns',
    'M/s',
    'must reach',
    'limit, ns',
    'core / limit',
    'at most',
  ];
  const lines = measured.map(({ scene, coreNs, limitNs }) => {
    const rate = 1e9 / median(coreNs);
    const distance = median(coreNs.map((ns, round) => ns / (limitNs[round] ?? Number.NaN)));
    return [
      scene.name,
      String(scene.keys),
      median(coreNs).toFixed(0),
      (rate / 1e6).toFixed(2),
      verdict(rate >= scene.goal, `≥ ${scene.goal / 1e6}`),
      median(limitNs).toFixed(0),
      distance.toFixed(2),
      verdict(distance <= DISTANCE_GOAL, `≤ ${DISTANCE_GOAL}`),
    ];
  });
  return table(head, lines);
}
