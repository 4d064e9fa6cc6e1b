/** One arena and 1..N threads: what the core does when no socket is in the way. */
import { Arena } from '../../src/arena/arena.js';
import { verdict } from '../goals.js';
import { stolenSeconds } from '../processCpu.js';
import { median, type Row, table } from '../report.js';
import type { Settings } from '../settings.js';
import type { Done } from './messages.js';
import { Threads } from './threads.js';
import { FRAME_SIZES, GOALS, TWO_THREADS_GOAL, WORKS, type Work } from './works.js';

const MIB = 1024 * 1024;
/** Bytes of the arena per resident key: three times what a key takes, so that none is evicted and
 * overwriting still has to reclaim segments. */
const RESIDENT_BYTES_PER_KEY = 512;
/** Bytes per key of the arena that new keys overflow: it holds about as many. */
const FULL_BYTES_PER_KEY = 176;
const ARENA_BYTES_MIN = 64 * MIB;
/** The measured part of one run. */
const MEASURED_MS = 350;
/** A round is measured again, so many times at most, when the host took more of it than this. */
const STOLEN_SHARE_MAX = 0.015;
const TRIES_MAX = 4;

/** All runs of one work in frames of one size. */
interface Measured {
  readonly work: Work;
  readonly perFrame: number;
  /** By number of threads, then by round: what the threads did. */
  readonly runs: ReadonlyMap<number, readonly (readonly Done[])[]>;
}

const rateOf = (run: readonly Done[]): number =>
  run.reduce((sum, { operations, seconds }) => sum + operations / seconds, 0);

const cpuUsOf = (run: readonly Done[]): number => {
  const operations = run.reduce((sum, done) => sum + done.operations, 0);
  return (Math.max(...run.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / operations;
};

/** Runs all works on 1 and on all threads, prints tables and returns the rows. */
export async function benchScale(settings: Settings): Promise<Row[]> {
  const lanes = settings.scaleThreads;
  const resident = arenaOf(settings.keys * RESIDENT_BYTES_PER_KEY, lanes);
  const full = arenaOf(settings.keys * FULL_BYTES_PER_KEY, lanes);
  const threads = new Threads(lanes, settings.keys, resident, full);
  try {
    await fillBoth(threads, settings, resident, full);
    const measured: Measured[] = [];
    for (const work of WORKS) {
      measured.push(...(await measureWork(threads, work, settings)));
      if (work.fresh) await threads.each(() => ({ kind: 'verify' }));
    }
    checkCounters(resident, full);
    settings.say(scaleTable(measured, lanes));
    return measured.flatMap(rowsOf);
  } finally {
    await threads.close();
  }
}

function arenaOf(bytes: number, lanes: number): Arena {
  return Arena.create({ memoryBytes: Math.max(ARENA_BYTES_MIN, bytes), lanes });
}

/** Every key into the one arena, and so many new ones into the other that it evicts. */
async function fillBoth(
  threads: Threads,
  settings: Settings,
  resident: Arena,
  full: Arena,
): Promise<void> {
  const { keys, say } = settings;
  say(`scale: storing ${keys} keys, and more than fit into a second arena`);
  const share = (lane: number): number => Math.floor((keys * lane) / threads.count);
  // Until every page of the arena has been written to: the first time costs a fault.
  do await threads.each((lane) => ({ kind: 'store', from: share(lane), to: share(lane + 1) }));
  while (resident.stats().segmentsReclaimed === 0);
  if (resident.stats().items !== keys)
    throw new Error(`only ${resident.stats().items} keys stayed`);
  do await threads.each(() => ({ kind: 'overflow', keys: Math.ceil(keys / threads.count) }));
  while (evictions(full) < keys);
  say(`scale: ${full.stats().items} keys fit into the full arena`);
}

function evictions(arena: Arena): number {
  const { policy, chain, forced } = arena.stats().evicted;
  return policy + chain + forced;
}

/** Every frame size; in each round the numbers of threads take turns. */
async function measureWork(threads: Threads, work: Work, settings: Settings): Promise<Measured[]> {
  await threads.each(() => ({ kind: 'prepare', work }));
  const measured: Measured[] = [];
  for (const perFrame of FRAME_SIZES) {
    const runs = new Map<number, Done[][]>();
    for (let round = 0; round < settings.rounds; round++) {
      for (const [index, done] of (await measureRound(threads, perFrame)).entries()) {
        runs.set(index + 1, [...(runs.get(index + 1) ?? []), done]);
      }
    }
    measured.push({ work, perFrame, runs });
  }
  return measured;
}

/** One round on 1..N threads; again when the host took time away, for it judges nobody. */
async function measureRound(threads: Threads, perFrame: number): Promise<Done[][]> {
  for (let tries = 1; ; tries++) {
    const before = stolenSeconds();
    const done: Done[][] = [];
    for (let count = 1; count <= threads.count; count++) {
      done.push(await threads.run(count, perFrame, MEASURED_MS));
    }
    const measuredSeconds = (MEASURED_MS / 1000) * threads.count;
    const stolenShare = (stolenSeconds() - before) / measuredSeconds;
    if (stolenShare <= STOLEN_SHARE_MAX || tries === TRIES_MAX) return done;
  }
}

/** The core counted nothing but hits and stored values, and kept every resident key. */
function checkCounters(resident: Arena, full: Arena): void {
  for (const [name, arena] of Object.entries({ resident, full })) {
    const { get, set } = arena.stats().verbs;
    const wrong = get.miss + get.error + set.miss + set.error;
    if (wrong > 0) throw new Error(`${wrong} operations on the ${name} arena missed or failed`);
  }
  if (evictions(resident) > 0) throw new Error('the resident arena evicted keys');
}

function rowsOf({ work, perFrame, runs }: Measured): Row[] {
  return [...runs].map(([count, rounds]) => ({
    system: 'orlop',
    scenario: `scale ${work.name}, frames of ${perFrame}, ${count} thread${count === 1 ? '' : 's'}`,
    opsPerSecond: median(rounds.map(rateOf)),
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: median(rounds.map(cpuUsOf)),
    driverCpu: null,
  }));
}

function scaleTable(measured: readonly Measured[], lanes: number): string {
  const counts = Array.from({ length: lanes }, (_, index) => index + 1);
  const head = ['M/s per thread', 'frames of', ...counts.map((count) => `${count} thr`)];
  const lines = measured.map((one) => [
    one.work.name,
    String(one.perFrame),
    ...counts.map((count) => perThread(one, count)),
    ...judged(one),
    waitsOf(one, lanes),
  ]);
  const drawn = table([...head, 'must reach', '2 thr / 1', 'must reach', 'waits'], lines);
  const waits = `turns per million operations on ${lanes} threads that found memory still held`;
  return `${drawn}\nwaits: ${waits}`;
}

/** How often a thread found the memory it needed held by another, per million operations. */
function waitsOf(one: Measured, count: number): string {
  const all = (one.runs.get(count) ?? []).flat();
  const sum = (pick: (done: Done) => number): number =>
    all.reduce((total, done) => total + pick(done), 0);
  return ((sum(({ waits }) => waits) * 1e6) / sum(({ operations }) => operations)).toFixed(1);
}

function ratesOf(one: Measured, count: number): number[] {
  return (one.runs.get(count) ?? []).map(rateOf);
}

function perThread(one: Measured, count: number): string {
  return (median(ratesOf(one, count)) / count / 1e6).toFixed(2);
}

/** The goal of one thread, the ratio of two threads to one in the same round, and its goal. */
function judged(one: Measured): string[] {
  const single = ratesOf(one, 1);
  const pairs = ratesOf(one, 2).map((rate, round) => rate / (single[round] ?? Number.NaN));
  const ratio = pairs.length === 0 ? undefined : median(pairs);
  const goal = one.perFrame === FRAME_SIZES[0] ? GOALS.get(one.work.name) : undefined;
  if (goal === undefined) return ['–', ratio?.toFixed(2) ?? '–', '–'];
  return [
    verdict(median(single) >= goal, `≥ ${goal / 1e6}`),
    ratio?.toFixed(2) ?? '–',
    ratio === undefined ? '–' : verdict(ratio >= TWO_THREADS_GOAL, `≥ ${TWO_THREADS_GOAL}`),
  ];
}
