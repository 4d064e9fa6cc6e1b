/** The tasks of the job pool; each is found by its name. */
import { systemClock } from '../src/base/clock.js';
import { systemDevice } from '../src/log/device.js';
import { type LoadResult, type LoadTask, loadFiles } from '../src/log/load.js';

const pauseWords = new Int32Array(new SharedArrayBuffer(4));

/** Loads files of a log into a store. */
export function load(task: LoadTask): LoadResult {
  const pause = (ms: number): void => {
    Atomics.wait(pauseWords, 0, 0, ms);
  };
  return loadFiles(task, { device: systemDevice, clock: systemClock, pause });
}
