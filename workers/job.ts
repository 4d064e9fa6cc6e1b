/** The tasks of the job pool; each is found by its name. */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../src/base/clock.js';
import { encryptedDevice } from '../src/log/device.js';
import type { JobStart } from '../src/log/jobs.js';
import { KeyRing } from '../src/log/keys.js';
import { type LoadResult, type LoadTask, loadFiles } from '../src/log/load.js';

const device = encryptedDevice(new KeyRing((workerData as JobStart).secrets));
const pauseWords = new Int32Array(new SharedArrayBuffer(4));

/** Loads files of a log into a store. */
export function load(task: LoadTask): LoadResult {
  const pause = (ms: number): void => {
    Atomics.wait(pauseWords, 0, 0, ms);
  };
  return loadFiles(task, { device, clock: systemClock, pause });
}
