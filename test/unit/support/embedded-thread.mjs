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

parentPort.postMessage({ greet, count, churn }[workerData.job]());
