/**
 * What several arenas cost: one thread, the same keys and the same memory in all, in stores of one
 * arena, two, three. The stores take turns, so that what the machine does meanwhile meets all.
 */
import { Store } from '../src/arena/store.js';
import { draw, fill } from './draws.js';
import { encodePool, type Pool } from './driver/pool.js';
import { Job } from './job.js';
import { BenchLane } from './lane.js';
import { orlopEncoder } from './orlopRequests.js';
import { median, type Row, table } from './report.js';
import type { Settings } from './settings.js';

const MIB = 1024 * 1024;
const BYTES_PER_KEY = 512;
const MEMORY_BYTES_MIN = 192 * MIB;
const MEASURED_MS = 200;
const FRAME_SIZES = [64, 16, 1] as const;
const SEED = 43;

/** Requests of one kind over all keys. */
interface Work {
  readonly name: string;
  readonly setShare: number;
}

const WORKS: readonly Work[] = [
  { name: 'GET uniform', setShare: 0 },
  { name: '90/10 uniform', setShare: 0.1 },
];

/** What a thread did in a while. */
interface Rate {
  readonly perSecond: number;
  /** Processor time per operation, in nanoseconds: it does not grow when others use the machine. */
  readonly cpuNs: number;
}

/** What one work in frames of one size reached: by store, then by round. */
interface Measured {
  readonly work: Work;
  readonly perFrame: number;
  readonly rates: readonly (readonly Rate[])[];
}

/** Measures stores of 1 to `arenas` arenas, prints the table and returns the rows. */
export function benchArenas(settings: Settings): Row[] {
  const { keys, arenas, say } = settings;
  const counts = Array.from({ length: arenas }, (_, index) => index + 1);
  const lanes = counts.map((count) => filledLane(keys, count));
  say(`arenas: ${keys} keys in each of ${arenas} stores`);
  const measured = WORKS.flatMap((work) => {
    const pool = encodePool(draw(keys, 'uniform', work.setShare, SEED), 1, orlopEncoder);
    return FRAME_SIZES.map((perFrame) => measure(lanes, pool, work, perFrame, settings.rounds));
  });
  say(tableOf(measured, counts));
  return measured.flatMap(rowsOf);
}

function filledLane(keys: number, arenas: number): BenchLane {
  const memoryBytes = Math.max(MEMORY_BYTES_MIN, keys * BYTES_PER_KEY);
  const store = Store.create({ memoryBytes, arenas, lanes: 1 });
  const lane = new BenchLane(store, 0);
  const job = new Job(lane, encodePool(fill(0, keys), 1, orlopEncoder));
  // Until every page has been written to: the first time costs a fault.
  do job.pass(FRAME_SIZES[0]);
  while (store.arenaStats().some(({ segmentsReclaimed }) => segmentsReclaimed === 0));
  return lane;
}

function measure(
  lanes: readonly BenchLane[],
  pool: Pool,
  work: Work,
  perFrame: number,
  rounds: number,
): Measured {
  const jobs = lanes.map((lane) => new Job(lane, pool));
  for (const job of jobs) rateOf(job, perFrame);
  const rates = jobs.map((): Rate[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, job] of jobs.entries()) rates[index]?.push(rateOf(job, perFrame));
  }
  return { work, perFrame, rates };
}

function rateOf(job: Job, perFrame: number): Rate {
  const before = process.cpuUsage();
  const startMs = performance.now();
  let operations = 0;
  let nowMs = startMs;
  for (; nowMs < startMs + MEASURED_MS; nowMs = performance.now()) operations += job.turn(perFrame);
  const { user, system } = process.cpuUsage(before);
  const perSecond = (operations * 1000) / (nowMs - startMs);
  return { perSecond, cpuNs: ((user + system) * 1000) / operations };
}

function rowsOf({ work, perFrame, rates }: Measured): Row[] {
  return rates.map((rounds, index) => ({
    system: 'orlop',
    scenario: `arenas ${work.name}, frames of ${perFrame}, ${index + 1} arenas`,
    opsPerSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: median(rounds.map(({ cpuNs }) => cpuNs)) / 1000,
    driverCpu: null,
  }));
}

/** Processor time of an operation, and how much of it is not there with one arena. */
function tableOf(measured: readonly Measured[], counts: readonly number[]): string {
  const more = counts.slice(1);
  const head = [
    'CPU, ns per operation',
    'frames of',
    ...counts.map((count) => `${count} ar.`),
    ...more.map((count) => `${count} ar.: more`),
  ];
  const lines = measured.map(({ work, perFrame, rates }) => [
    work.name,
    String(perFrame),
    ...rates.map((rounds) => median(rounds.map(({ cpuNs }) => cpuNs)).toFixed(0)),
    ...more.map((count) => extraNs(rates[0], rates[count - 1]).toFixed(0)),
  ]);
  return table(head, lines);
}

/** Each round beside that of one arena. */
function extraNs(one: readonly Rate[] = [], several: readonly Rate[] = []): number {
  return median(several.map(({ cpuNs }, round) => cpuNs - (one[round]?.cpuNs ?? Number.NaN)));
}
