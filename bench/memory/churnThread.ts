/**
 * One thread of the live bench: it writes to the shared cache until it has written enough, and,
 * where it is told so, reads small values in between.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { attachCache, type CacheHandle } from '../../src/embedded/index.js';
import { type Mix, MixedWrites } from './mixedWrites.js';
import { SmallReads } from './smallReads.js';

/** What a thread is born with. */
export interface ChurnData {
  readonly handle: CacheHandle;
  readonly mix: Mix;
  readonly hotKeys: number;
  readonly thread: number;
  readonly seed: number;
  /** Values that the thread writes, in bytes. */
  readonly bytes: number;
  /** Small values that it reads between writes; 0 for none. */
  readonly smallKeys: number;
  /** Batches of reads, without any writes; 0: a batch after every write. */
  readonly batchesAlone: number;
}

/** What a thread did. */
export interface ChurnDone {
  readonly writtenBytes: number;
  readonly reads: number;
  readonly hits: number;
  /** Of batches of reads: an HDR histogram, compressed, in base 64. */
  readonly latencies: string;
}

const data = workerData as ChurnData;
const cache = attachCache(data.handle);
const reads = new SmallReads(cache, data.smallKeys, data.seed + data.thread);

/** Writes until enough is written; returns how much it was. */
function churn(): number {
  const { mix, hotKeys, thread, seed, bytes, smallKeys } = data;
  const writes = new MixedWrites(mix, hotKeys, thread, seed);
  const blob = new Uint8Array(mix.valueBytesMax).fill(7);
  let written = 0;
  while (written < bytes) {
    const { key, valueBytes, ttl } = writes.next();
    cache.set(key, blob.subarray(0, valueBytes), { ttl });
    written += valueBytes;
    if (smallKeys > 0) reads.batch();
  }
  return written;
}

for (let n = 0; n < data.batchesAlone; n++) reads.batch();
const done: ChurnDone = {
  writtenBytes: data.batchesAlone > 0 ? 0 : churn(),
  reads: reads.reads,
  hits: reads.hits,
  latencies: encodeIntoCompressedBase64(reads.latencies),
};
cache.close();
parentPort?.postMessage(done);
