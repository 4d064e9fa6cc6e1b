/** One of two threads that walk over the same memory: see `pairs.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { draw } from '../draws.js';
import { type Access, type Share, Walk } from './walk.js';

/** What a thread is born with. */
export interface PairData {
  readonly memoryBytes: number;
  readonly keys: number;
  readonly access: Access;
  readonly share: Share;
  /** One word: how many threads have come to the start of a run, over all runs. */
  readonly barrier: SharedArrayBuffer;
}

/** Walk for a while, from the moment when the barrier's word has reached `startsAt`. */
export interface PairCommand {
  readonly startsAt: number;
  readonly measuredMs: number;
  /** Multiplications for each operation. */
  readonly rounds: number;
}

const SEED = 43;

const data = workerData as PairData;
const barrier = new Int32Array(data.barrier);
const { keys } = draw(data.keys, 'uniform', 0, SEED + data.share.index);
const walk = new Walk(data.memoryBytes, data.keys, keys, data.access, data.share);

function waitForOthers(startsAt: number): void {
  Atomics.add(barrier, 0, 1);
  Atomics.notify(barrier, 0);
  for (;;) {
    const here = Atomics.load(barrier, 0);
    if (here >= startsAt) return;
    Atomics.wait(barrier, 0, here);
  }
}

/** Operations a second. */
function run({ startsAt, measuredMs, rounds }: PairCommand): number {
  waitForOthers(startsAt);
  const startMs = performance.now();
  let operations = 0;
  let nowMs = startMs;
  while (nowMs < startMs + measuredMs) {
    operations += walk.group(rounds);
    nowMs = performance.now();
  }
  return (operations * 1000) / (nowMs - startMs);
}

parentPort?.on('message', (command: PairCommand) => parentPort?.postMessage(run(command)));
