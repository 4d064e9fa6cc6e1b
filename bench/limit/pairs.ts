/**
 * How far two threads can scale on this machine: the accesses of the core's operations in plain
 * WebAssembly (`assembly/limit/walk.ts`), on one thread and on two over the same memory. They share
 * no word that one of them writes and the other reads, and no instruction of theirs is atomic, so
 * what two threads do not do twice as fast is the memory's. The same again with as much computing
 * beside each operation as makes one thread about as fast as the core.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { median, type Row, table } from '../report.js';
import type { Settings } from '../settings.js';
import type { PairCommand, PairData } from './pairThread.js';
import { type Access, walkMemory } from './walk.js';

const ENTRY = new URL('./pairThread.js', import.meta.url);
const BYTES_PER_KEY = 512;
const MEASURED_MS = 350;
const THREADS = 2;

/** One line of the table. */
interface Pair {
  readonly name: string;
  readonly access: Access;
  /** Multiplications for each operation, of about a nanosecond. */
  readonly rounds: number;
}

const PAIRS: readonly Pair[] = [
  { name: 'read', access: 'read', rounds: 0 },
  { name: 'read, and 40 multiplications', access: 'read', rounds: 40 },
  { name: 'write', access: 'write', rounds: 0 },
  { name: 'write, and 70 multiplications', access: 'write', rounds: 70 },
];

/** Rates of one thread and of two, by round, in operations a second. */
interface Measured {
  readonly pair: Pair;
  readonly one: readonly number[];
  readonly two: readonly number[];
}

/** Measures the pairs, prints the table and returns the rows. */
export async function benchPairs({ keys, rounds, say }: Settings): Promise<Row[]> {
  const measured: Measured[] = [];
  for (const pair of PAIRS) measured.push(await measure(pair, keys, rounds));
  say(tableOf(measured));
  return measured.flatMap(rowsOf);
}

async function measure(pair: Pair, keys: number, rounds: number): Promise<Measured> {
  const memoryBytes = keys * BYTES_PER_KEY;
  const memory = walkMemory(memoryBytes, keys, THREADS);
  const barrier = new SharedArrayBuffer(4);
  const workers = Array.from({ length: THREADS }, (_, index) => {
    const share = { memory, index, count: THREADS };
    const workerData: PairData = { memoryBytes, keys, access: pair.access, share, barrier };
    return new Worker(ENTRY, { workerData });
  });
  let startsAt = 0;
  const run = async (count: number): Promise<number> => {
    startsAt += count;
    const command = { startsAt, measuredMs: MEASURED_MS, rounds: pair.rounds };
    const rates = await Promise.all(workers.slice(0, count).map((one) => tell(one, command)));
    return rates.reduce((sum, rate) => sum + rate, 0);
  };
  try {
    const one: number[] = [];
    const two: number[] = [];
    await run(THREADS);
    for (let round = 0; round < rounds; round++) {
      one.push(await run(1));
      two.push(await run(THREADS));
    }
    return { pair, one, two };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Rejects when the thread throws instead of answering. */
async function tell(worker: Worker, command: PairCommand): Promise<number> {
  const answer = once(worker, 'message');
  worker.postMessage(command);
  const [rate] = (await answer) as [number];
  return rate;
}

function rowsOf({ pair, one, two }: Measured): Row[] {
  const row = (opsPerSecond: number, threads: string): Row => ({
    system: 'limit',
    scenario: `pairs ${pair.name}, ${threads}`,
    opsPerSecond,
    p50Us: null,
    p99Us: null,
    p999Us: null,
    cpuUsPerOp: null,
    driverCpu: null,
  });
  return [row(median(one), '1 thread'), row(median(two), '2 threads')];
}

function tableOf(measured: readonly Measured[]): string {
  const lines = measured.map(({ pair, one, two }) => {
    const ratio = median(two.map((rate, round) => rate / (one[round] ?? Number.NaN)));
    const rates = [median(one), median(two) / THREADS].map((rate) => (rate / 1e6).toFixed(2));
    return [pair.name, ...rates, ratio.toFixed(2)];
  });
  return table(['plain accesses, M/s per thread', '1 thr', '2 thr', '2 thr / 1'], lines);
}
