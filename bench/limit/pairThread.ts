/** One of two threads that walk over the same memory: see `pairs.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { waitForOthers } from '../barrier.js';
import { draw } from '../draws.js';
import { PASSED_WORD, type PairCommand, type PairData } from './pairMessages.js';
import { Walk } from './walk.js';

const SEED = 43;
/** Looks at the word, or round trips, between two looks at the clock. */
const LOOKS = 4096;

const data = workerData as PairData;
const barrier = new Int32Array(data.barrier);
const { keys } = draw(data.keys, 'uniform', 0, SEED + data.share.index);
const walk = new Walk(data.memoryBytes, data.keys, keys, data.access, data.share);

/** Waits for the word until `endMs`, and passes it on; false when it did not come. */
function passOn(endMs: number): boolean {
  for (let looks = 1; (Atomics.load(barrier, PASSED_WORD) & 1) !== data.share.index; looks++) {
    if (looks % LOOKS === 0 && performance.now() > endMs) return false;
  }
  Atomics.add(barrier, PASSED_WORD, 1);
  return true;
}

/** Passes the word until `endMs`; how often. */
function pass(endMs: number): number {
  let trips = 0;
  while (passOn(endMs)) if (++trips % LOOKS === 0 && performance.now() > endMs) break;
  return trips;
}

/** Operations or round trips a second. */
function run(command: PairCommand): number {
  waitForOthers(barrier, command.startsAt);
  const startMs = performance.now();
  const endMs = startMs + command.measuredMs;
  let operations = 0;
  if (command.kind === 'pass') operations = pass(endMs);
  else while (performance.now() < endMs) operations += walk.group(command.rounds);
  return (operations * 1000) / (performance.now() - startMs);
}

parentPort?.on('message', (command: PairCommand) => parentPort?.postMessage(run(command)));
