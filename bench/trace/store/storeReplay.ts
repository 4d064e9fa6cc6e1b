/** A stream through the real store, by one thread or several at the same time. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Arena } from '../../../src/arena/arena.js';
import type { EvictionCounts } from '../../../src/arena/stats.js';
import { systemClock } from '../../../src/base/clock.js';
import type { Policy } from '../../../src/config/config.js';
import { type Copies, oneCopy } from '../copies.js';
import type { Stream } from '../stream.js';
import type { Replayed, Shared } from './replayer.js';
import type { ThreadData } from './replayThread.js';
import { type Shape, shapeFor, shapeInMemory } from './shape.js';

const ENTRY = new URL('./replayThread.js', import.meta.url);
const MAX_VALUE_BYTES = 64 * 1024;
const WORD_BYTES = 4;

/** What came of a replay. */
export interface StoreReplay extends Replayed {
  /** What each thread did. */
  readonly threads: readonly Replayed[];
  /** How items were removed; where fidelity counts, only the policy should. */
  readonly evicted: EvictionCounts;
  /** How many items the store held at the end. */
  readonly items: number;
  readonly seconds: number;
}

function sharedWords(words: ArrayLike<number>): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(words.length * WORD_BYTES);
  new Uint32Array(buffer).set(words);
  return buffer;
}

function share(stream: Stream, copies: Copies, shape: Shape): Shared {
  return {
    keys: new Uint32Array(sharedWords(stream.keys)),
    copies,
    expiries: new Uint32Array(sharedWords(stream.expiries ?? [])),
    marks: new Int32Array(new SharedArrayBuffer(copies.count * copies.keyCount * WORD_BYTES)),
    cursor: new Int32Array(new SharedArrayBuffer(WORD_BYTES)),
    startMs: systemClock.nowMs(),
    shape,
  };
}

/** How a stream is replayed. */
export interface StoreReplayOptions {
  readonly policy: Policy;
  /** How many items have room. */
  readonly capacity: number;
  readonly threads: number;
  readonly promotion?: number | undefined;
}

/** Replays a stream on a new store with room for a number of items. */
export function replayOnStore(stream: Stream, options: StoreReplayOptions): Promise<StoreReplay> {
  const { policy, capacity, threads, promotion } = options;
  const shape = shapeFor(capacity, threads);
  const { memoryBytes, segmentBytes } = shape;
  const bounds = { memoryBytes, segmentBytes, maxItems: capacity, maxValueBytes: MAX_VALUE_BYTES };
  const arena = Arena.create({ ...bounds, policy, promotion, lanes: threads });
  return replayOn(arena, share(stream, oneCopy(stream), shape));
}

/** Replays copies of a stream on a new store with so much memory, by one thread. */
export function replayInMemory(
  stream: Stream,
  copies: Copies,
  memoryBytes: number,
): Promise<StoreReplay> {
  const shape = shapeInMemory(memoryBytes);
  const { segmentBytes } = shape;
  const arena = Arena.create({
    memoryBytes,
    segmentBytes,
    maxValueBytes: MAX_VALUE_BYTES,
    lanes: 1,
  });
  // The peers' clock is the real one, on which nothing expires meanwhile; so nothing does here.
  return replayOn(arena, share({ ...stream, expiries: undefined }, copies, shape));
}

async function replayOn(arena: Arena, shared: Shared): Promise<StoreReplay> {
  const startMs = systemClock.monotonicMs();
  const threads = await runThreads(arena, shared, arena.geometry.lanes);
  const sum = (pick: (one: Replayed) => number): number =>
    threads.reduce((total, one) => total + pick(one), 0);
  const { evicted, items } = arena.stats();
  return {
    requests: sum(({ requests }) => requests),
    misses: sum(({ misses }) => misses),
    waits: sum(({ waits }) => waits),
    threads,
    evicted,
    items,
    seconds: (systemClock.monotonicMs() - startMs) / 1000,
  };
}

/** Lets the threads begin when all of them are ready; rejects when one throws. */
async function runThreads(arena: Arena, shared: Shared, threads: number): Promise<Replayed[]> {
  const workers = Array.from({ length: threads }, (_, lane) => {
    const workerData: ThreadData = { arena: arena.handle, lane, shared };
    return new Worker(ENTRY, { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const answers = workers.map((worker) => once(worker, 'message'));
    for (const worker of workers) worker.postMessage('begin');
    return (await Promise.all(answers)).map(([done]) => done as Replayed);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
