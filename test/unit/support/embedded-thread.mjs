/** A thread that shares a cache, for one job. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachCache } from '../../../dist/src/embedded/index.js';

const cache = attachCache(workerData.handle);

function greet() {
  cache.incr('greeted');
  return cache.get('from main');
}

function count() {
  for (let n = 0; n < workerData.amount; n++) cache.incr('n');
  return workerData.amount;
}

/** Writes, reads and removes for ever; says when it has begun. */
function churn() {
  for (let n = 0; ; n++) {
    cache.set(`churn ${n % 500}`, 'c'.repeat((n * 37) % 3000), { ttl: 1 + (n % 50) });
    cache.get(`churn ${(n * 7) % 500}`);
    if (n % 5 === 0) cache.del(`churn ${(n * 11) % 500}`);
    if (n === 200) parentPort.postMessage('begun');
  }
}

/**
 * Sets keys of its own, many in one frame, while others clear; what it finds is what it set last or
 * nothing, and after a clear of its own it is nothing until it sets again.
 */
function quarrel() {
  const own = Array.from({ length: 60 }, (_, n) => `${workerData.handle.holder} ${n}`);
  let found = 0;
  for (let round = 1; round <= workerData.amount; round++) {
    cache.setMany(own.map((key) => [key, round]));
    for (const value of cache.getMany(own)) {
      if (value === round) found++;
      else if (value !== undefined) throw new Error(`round ${round} finds ${value}`);
    }
    if (round % 3 !== 0) continue;
    cache.clear();
    const left = cache.getMany(own).filter((value) => value !== undefined);
    if (left.length > 0) throw new Error(`${left} of round ${round} outlived a clear`);
  }
  return found;
}

parentPort.postMessage({ greet, count, churn, quarrel }[workerData.job]());
