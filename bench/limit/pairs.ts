/**
 * How far two threads can scale on this machine: the accesses of the core's operations in plain
 * WebAssembly (`assembly/limit/walk.ts`), on one thread and on two over the same memory. They share
 * no word that one of them writes and the other reads, and no instruction of theirs is atomic, so
 * what two threads do not do twice as fast is the memory's. The same again with as much computing
 * beside each operation as makes one thread about as fast as the core.
 *
 * Beside it, how long a word takes from one thread to the other and back: a host may run them on
 * processors that share a cache or on some that do not, and change that at any time.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { median, type Row, table } from '../report.js';
import type { Settings } from '../settings.js';
import { BARRIER_BYTES, type PairCommand, type PairData } from './pairMessages.js';
import { type Access, walkMemory } from './walk.js';

const ENTRY = new URL('./pairThread.js', import.meta.url);
const BYTES_PER_KEY = 512;
const MEASURED_MS = 350;
const PASS_MS = 30;
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
  /** How long a word takes from one thread to the other and back, in nanoseconds. */
  readonly tripNs: readonly number[];
}

/** Measures the pairs, prints the table and returns the rows. */
export async function benchPairs({ keys, rounds, say }: Settings): Promise<Row[]> {
  const measured: Measured[] = [];
  for (const pair of PAIRS) measured.push(await measure(pair, keys, rounds));
  say(tableOf(measured));
  return measured.flatMap(rowsOf);
}

/** Two threads, and how to let them work at the same time. */
class Pairing {
  readonly #workers: readonly Worker[];
  #arrivals = 0;

  constructor(access: Access, keys: number) {
    const memoryBytes = keys * BYTES_PER_KEY;
    const memory = walkMemory(memoryBytes, keys, THREADS);
    const barrier = new SharedArrayBuffer(BARRIER_BYTES);
    this.#workers = Array.from({ length: THREADS }, (_, index) => {
      const share = { memory, index, count: THREADS };
      const workerData: PairData = { memoryBytes, keys, access, share, barrier };
      return new Worker(ENTRY, { workerData });
    });
  }

  /** What each of the first `count` threads answers. */
  run(count: number, command: (startsAt: number) => PairCommand): Promise<number[]> {
    this.#arrivals += count;
    const startsAt = this.#arrivals;
    return Promise.all(this.#workers.slice(0, count).map((one) => tell(one, command(startsAt))));
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

async function measure(pair: Pair, keys: number, rounds: number): Promise<Measured> {
  const pairing = new Pairing(pair.access, keys);
  const walk = async (count: number): Promise<number> => {
    const rates = await pairing.run(count, (startsAt) => {
      return { kind: 'walk', startsAt, measuredMs: MEASURED_MS, rounds: pair.rounds };
    });
    return rates.reduce((sum, rate) => sum + rate, 0);
  };
  try {
    const one: number[] = [];
    const two: number[] = [];
    const tripNs: number[] = [];
    await walk(THREADS);
    for (let round = 0; round < rounds; round++) {
      one.push(await walk(1));
      two.push(await walk(THREADS));
      const [trips = Number.NaN] = await pairing.run(THREADS, (startsAt) => {
        return { kind: 'pass', startsAt, measuredMs: PASS_MS };
      });
      tripNs.push(1e9 / trips);
    }
    return { pair, one, two, tripNs };
  } finally {
    await pairing.close();
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
  const lines = measured.map(({ pair, one, two, tripNs }) => {
    const ratio = median(two.map((rate, round) => rate / (one[round] ?? Number.NaN)));
    const rates = [median(one), median(two) / THREADS].map((rate) => (rate / 1e6).toFixed(2));
    return [pair.name, ...rates, ratio.toFixed(2), median(tripNs).toFixed(0)];
  });
  return table(
    ['plain accesses, M/s per thread', '1 thr', '2 thr', '2 thr / 1', 'round trip, ns'],
    lines,
  );
}
