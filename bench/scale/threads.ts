/** The bench's end of its threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Arena } from '../../src/arena/arena.js';
import type { Command, Done, ThreadData } from './messages.js';

const ENTRY = new URL('./thread.js', import.meta.url);

/** Threads that work on the same two arenas, each on its own lane. */
export class Threads {
  readonly #workers: readonly Worker[];
  readonly #barrier: SharedArrayBuffer;
  #arrivals = 0;

  constructor(count: number, keys: number, resident: Arena, full: Arena) {
    this.#barrier = new SharedArrayBuffer(4);
    this.#workers = Array.from({ length: count }, (_, lane) => {
      const workerData: ThreadData = {
        lane,
        keys,
        resident: resident.handle,
        full: full.handle,
        barrier: this.#barrier,
      };
      return new Worker(ENTRY, { workerData });
    });
  }

  get count(): number {
    return this.#workers.length;
  }

  /** Tells each thread something and waits until all are done. */
  async each(command: (lane: number) => Command): Promise<void> {
    await Promise.all(this.#workers.map((worker, lane) => tell(worker, command(lane))));
  }

  /** Lets the first `count` threads work at the same time; what each of them did. */
  run(count: number, perFrame: number, measuredMs: number): Promise<Done[]> {
    this.#arrivals += count;
    const command: Command = { kind: 'run', startsAt: this.#arrivals, perFrame, measuredMs };
    return Promise.all(this.#workers.slice(0, count).map((worker) => tell(worker, command)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** Rejects when the thread throws instead of answering. */
async function tell(worker: Worker, command: Command): Promise<Done> {
  const answer = once(worker, 'message');
  worker.postMessage(command);
  const [done] = (await answer) as [Done];
  return done;
}
