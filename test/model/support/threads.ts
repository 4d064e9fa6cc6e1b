/** Starts threads of `thread.mjs` on one store, and judges together what each has logged. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Arena } from '../../../src/arena/arena.js';
import { Store, type StoreOptions } from '../../../src/arena/store.js';
import { packageFile } from '../../../src/base/packageRoot.js';

const WORKER = new URL('./thread.mjs', import.meta.url);

/** What each thread does. */
export interface ThreadOptions {
  operations: number;
  hotKeys: number;
  tailKeys: number;
  counters: number;
  mergeKeys: number;
  /** The largest value in bytes. */
  largest: number;
  clears: boolean;
  /** `all` verbs over many keys, or `inserts` and removals of a few. */
  mix: 'all' | 'inserts';
}

/** What a thread says at its end. */
export interface ThreadReport {
  operations: number;
  hits: number;
  misses: number;
  waits: number;
  /** Requests that were refused after a second without memory. */
  busy: number;
  /** The longest that it did not run the core, in milliseconds. */
  absenceMs: number;
  /** Quadruples: key, version high and low, value. */
  counts: Float64Array;
  /** Triples: key, version high and low. */
  swaps: Float64Array;
}

export interface Thread {
  worker: Worker;
  lane: number;
  /**
   * Resolves with the report, or with nothing when the thread was terminated; rejects on a fault.
   */
  ended: Promise<ThreadReport | undefined>;
}

export class Crew {
  readonly store: Store;
  readonly #options: ThreadOptions;
  readonly #shared: SharedArrayBuffer;
  readonly #progress: Int32Array;
  #writers = 0;

  constructor(storeOptions: StoreOptions, options: ThreadOptions) {
    if (!existsSync(packageFile('dist', 'src', 'arena', 'arena.js'))) {
      throw new Error('threads run from dist: npm run build:ts first');
    }
    this.store = Store.create(storeOptions);
    this.#options = options;
    this.#shared = new SharedArrayBuffer(4 * (storeOptions.lanes + 1));
    this.#progress = new Int32Array(this.#shared);
  }

  /** The first arena. */
  get arena(): Arena {
    const [arena] = this.store.arenas;
    if (arena === undefined) throw new Error('a store has an arena');
    return arena;
  }

  /** How many operations the thread on `lane` has done. */
  progressOf(lane: number): number {
    return Atomics.load(this.#progress, lane);
  }

  /** Asks all threads to come to an end. */
  stop(): void {
    Atomics.store(this.#progress, this.#progress.length - 1, 1);
  }

  start(lane: number, seed: number): Thread {
    this.#writers++;
    Atomics.store(this.#progress, lane, 0);
    const worker = new Worker(WORKER, {
      workerData: {
        handle: this.store.handle,
        laneIndex: lane,
        writer: this.#writers,
        seed: seed + this.#writers * 7919,
        options: this.#options,
        shared: this.#shared,
      },
    });
    const ended = new Promise<ThreadReport | undefined>((resolve, reject) => {
      let report: ThreadReport | undefined;
      worker.on('message', (message: ThreadReport) => {
        report = message;
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve(report));
    });
    return { worker, lane, ended };
  }
}

/** Rows of `width` numbers. */
function* rows(flat: Float64Array, width: number): Generator<Float64Array> {
  for (let at = 0; at < flat.length; at += width) yield flat.subarray(at, at + width);
}

/**
 * Counts that took effect exactly once: in the order of versions, each is one more than the one
 * before, or 1 after the counter was lost. Returns how many counts there were.
 */
export function checkCounts(reports: readonly ThreadReport[]): number {
  const byKey = new Map<number, { version: bigint; value: number }[]>();
  for (const report of reports) {
    for (const [key = 0, high = 0, low = 0, value = 0] of rows(report.counts, 4)) {
      const list = byKey.get(key) ?? [];
      byKey.set(key, list);
      list.push({ version: (BigInt(high) << 32n) | BigInt(low), value });
    }
  }
  let count = 0;
  for (const [key, list] of byKey) {
    list.sort((a, b) => (a.version < b.version ? -1 : 1));
    list.forEach(({ version, value }, index) => {
      const before = list[index - 1];
      if (before?.version === version) throw new Error(`two counts of ${key} at ${version}`);
      if (value !== 1 && value !== (before?.value ?? 0) + 1) {
        throw new Error(`counter ${key} goes from ${before?.value} to ${value} at ${version}`);
      }
    });
    count += list.length;
  }
  return count;
}

/** Compare-and-sets that each replaced a version nobody else replaced; returns how many. */
export function checkSwaps(reports: readonly ThreadReport[]): number {
  const replaced = new Set<string>();
  let count = 0;
  for (const report of reports) {
    for (const row of rows(report.swaps, 3)) {
      replaced.add(row.join());
      count++;
      if (replaced.size !== count) throw new Error(`version ${row.join()} was replaced twice`);
    }
  }
  return count;
}

/** A thread that is away for longer holds back memory that others wait for. */
const ABSENCE_MS_MAX = 200;

/**
 * Nobody waits a second for memory in vain, unless the machine did not run one of the threads: the
 * others get nothing back of what it may be reading.
 */
export function checkPatience(reports: readonly ThreadReport[]): void {
  const absenceMs = Math.max(...reports.map((report) => report.absenceMs));
  const busy = reports.reduce((sum, report) => sum + report.busy, 0);
  if (busy > 0 && absenceMs <= ABSENCE_MS_MAX) {
    throw new Error(`${busy} requests found no memory, and no thread was away for long`);
  }
}
