/** The tasks of the job pool; each is found by its name. */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.js';
import { type CompactResult, type CompactTask, compactFiles } from '../src/log/compact.js';
import { encryptedDevice, removeFiles } from '../src/log/device.js';
import type { JobStart } from '../src/log/jobs.js';
import { KeyRing } from '../src/log/keys.js';
import { type LoadResult, type LoadTask, loadFiles } from '../src/log/load.js';

const device = encryptedDevice(new KeyRing((workerData as JobStart).secrets));
const pauseWords = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(pauseWords, 0, 0, ms);
}

const parts = { device, clock: systemClock, pause };

/** Loads files of a log into a store. */
export function load(task: LoadTask): LoadResult {
  return loadFiles(task, parts);
}

/** Copies what counts of old files of a log into a new one. */
export function compact(task: CompactTask): CompactResult {
  return compactFiles(task, parts);
}

/** Removes those of the files that are there. */
export function remove(paths: readonly string[]): void {
  removeFiles(device, paths);
}
