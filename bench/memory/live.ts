/**
 * How much of the memory is alive after everything in it was written over many times: the bytes
 * that readers find, of all bytes of all segments. Writes go through an arena that two threads
 * share, and through a node.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../../src/base/clock.js';
import { connect } from '../../src/client/index.js';
import { createCache } from '../../src/embedded/index.js';
import { merged, percentileUs } from '../latencies.js';
import { Server } from '../servers.js';
import type { ChurnData, ChurnDone } from './churnThread.js';
import { hotKeysOf, LARGE_MIX, type Mix, MixedWrites, SMALL_MIX } from './mixedWrites.js';
import { type Reachable, reachableIn } from './reachable.js';
import { type NodeStats, nodeStatsOf } from './readings.js';
import type { MemorySettings } from './settings.js';
import { storeSmall } from './smallReads.js';

const THREAD = new URL('./churnThread.js', import.meta.url);
const THREADS = 2;
const SEED = 20_250_923;
/** The memory is written over so many times. */
const ROUNDS = 20;
const SMALL_MB = 128;
const NODE_MB = 64;
/**
 * Small values that are read beside large ones: each about ten times while the memory is written
 * over once, so that all of them are worth keeping. And how often they are read alone.
 */
const SMALL_KEYS = 5000;
const BATCHES_ALONE = 7000;
/** Writes that are sent to the node together, by each of its clients. */
const BATCH = 500;
const MIB = 2 ** 20;

/** What was alive after a churn. */
export interface LiveResult {
  readonly through: 'arena' | 'node';
  readonly mix: Mix;
  readonly memoryBytes: number;
  /** Values written, in bytes. */
  readonly writtenBytes: number;
  readonly reachable: Reachable;
  /** All segments, in bytes. */
  readonly segmentBytes: number;
  /** Headers, keys and values by the core's own counters, in bytes. */
  readonly countedBytes: number;
  /** What readers find, of all segments: 0 to 1. */
  readonly liveShare: number;
}

/** How reads of small values went. */
export interface SmallResult {
  readonly reads: number;
  /** 0 to 1; every value was there at the start. */
  readonly hitRatio: number;
  /** Of batches of 64 reads. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Reads of small values in an arena of their own, and beside writes of large ones. */
export interface BesideResult {
  readonly mix: Mix;
  readonly alone: SmallResult;
  readonly beside: SmallResult;
}

/** Everything that this part measures. */
export interface LiveBench {
  readonly live: readonly LiveResult[];
  readonly beside: BesideResult;
}

type Stats = Pick<NodeStats, 'segments'> & { readonly itemBytes: number };

function resultOf(
  about: Pick<LiveResult, 'through' | 'mix' | 'memoryBytes' | 'writtenBytes'>,
  reachable: Reachable,
  { segments, itemBytes }: Stats,
): LiveResult {
  const segmentBytes = segments.total * segments.bytes;
  return {
    ...about,
    reachable,
    segmentBytes,
    countedBytes: itemBytes,
    liveShare: reachable.bytes / segmentBytes,
  };
}

/** Measures the small mix through an arena and a node, the large one through an arena. */
export async function benchLive(settings: MemorySettings): Promise<LiveBench> {
  const { memoryMb, say } = settings;
  say(`small values through an arena, ${THREADS} threads`);
  const { live: arena } = await churnArena({ mix: SMALL_MIX, memoryMb: SMALL_MB });
  say('small values through a node');
  const node = await churnNode(SMALL_MIX, NODE_MB);
  say(`values of all sizes through an arena, ${THREADS} threads`);
  const [large, beside] = await benchBeside(memoryMb);
  return { live: [arena, node, large], beside };
}

/** An arena of two threads, and what they are to do with it. */
interface ArenaChurn {
  readonly mix: Mix;
  readonly memoryMb: number;
  readonly smallKeys?: number | undefined;
  readonly batchesAlone?: number | undefined;
}

/** What two threads did to an arena, and what is left in it. */
interface ArenaChurned {
  readonly live: LiveResult;
  readonly small: SmallResult;
}

/**
 * A clock that can be stopped. Reading everything back takes a second or more, in which several
 * percent of what was alive would expire, for the youngest items live half a second.
 */
class Stopwatch implements Clock {
  #stoppedMs: number | undefined;

  nowMs(): number {
    return this.#stoppedMs ?? systemClock.nowMs();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  /** From now on it is this moment. */
  stop(): void {
    this.#stoppedMs = systemClock.nowMs();
  }
}

/**
 * Lets two threads work on one arena until each of them has written its share, and reads what is
 * alive at that moment.
 */
export async function churnArena(churn: ArenaChurn): Promise<ArenaChurned> {
  const { mix } = churn;
  const memoryBytes = churn.memoryMb * MIB;
  const clock = new Stopwatch();
  const cache = createCache({ memory: memoryBytes, maxThreads: THREADS + 1 }, { clock });
  storeSmall(cache, churn.smallKeys ?? 0);
  const done = await Promise.all(
    Array.from({ length: THREADS }, (_, thread) => {
      const workerData: ChurnData = {
        handle: cache.handle(),
        mix,
        hotKeys: hotKeysOf(mix, memoryBytes),
        thread,
        seed: SEED,
        bytes: (memoryBytes * ROUNDS) / THREADS,
        smallKeys: churn.smallKeys ?? 0,
        batchesAlone: churn.batchesAlone ?? 0,
      };
      return runThread(workerData);
    }),
  );
  clock.stop();
  const writtenBytes = sumOf(done.map((one) => one.writtenBytes));
  const about = { through: 'arena', mix, memoryBytes, writtenBytes } as const;
  const live = resultOf(about, await reachableIn(cache), cache.stats());
  cache.close();
  return { live, small: smallResultOf(done) };
}

async function runThread(workerData: ChurnData): Promise<ChurnDone> {
  const worker = new Worker(THREAD, { workerData, transferList: [workerData.handle.port] });
  const [done] = (await once(worker, 'message')) as [ChurnDone];
  return done;
}

function smallResultOf(done: readonly ChurnDone[]): SmallResult {
  const latencies = merged(done.map((one) => one.latencies));
  const reads = sumOf(done.map((one) => one.reads));
  return {
    reads,
    hitRatio: reads === 0 ? 0 : sumOf(done.map((one) => one.hits)) / reads,
    p50Us: percentileUs(latencies, 50),
    p99Us: percentileUs(latencies, 99),
  };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

/** Reads small values from an arena of their own, and then while others write large ones to it. */
async function benchBeside(memoryMb: number): Promise<[LiveResult, BesideResult]> {
  const small = { mix: LARGE_MIX, memoryMb, smallKeys: SMALL_KEYS };
  const alone = await churnArena({ ...small, batchesAlone: BATCHES_ALONE });
  const beside = await churnArena(small);
  return [beside.live, { alone: alone.small, beside: beside.small, mix: LARGE_MIX }];
}

/** Lets two clients write to a node of two I/O threads. */
async function churnNode(mix: Mix, memoryMb: number): Promise<LiveResult> {
  const memoryBytes = memoryMb * MIB;
  const server = await Server.start('orlop', { threads: THREADS, memoryMb });
  try {
    const share = (memoryBytes * ROUNDS) / THREADS;
    const written = await Promise.all(
      Array.from({ length: THREADS }, (_, client) =>
        writeTo(server, mix, memoryBytes, client, share),
      ),
    );
    const client = connect(`ws://127.0.0.1:${server.port}`);
    const reachable = await reachableIn(client);
    await client.close();
    const { segments, items } = await nodeStatsOf(server.port);
    const writtenBytes = sumOf(written);
    const about = { through: 'node', mix, memoryBytes, writtenBytes } as const;
    return resultOf(about, reachable, { segments, itemBytes: items.bytes });
  } finally {
    await server.stop();
  }
}

async function writeTo(
  server: Server,
  mix: Mix,
  memoryBytes: number,
  thread: number,
  bytes: number,
): Promise<number> {
  const client = connect(`ws://127.0.0.1:${server.port}`);
  const writes = new MixedWrites(mix, hotKeysOf(mix, memoryBytes), thread, SEED);
  const blob = new Uint8Array(mix.valueBytesMax).fill(7);
  let written = 0;
  while (written < bytes) {
    const batch = Array.from({ length: BATCH }, () => {
      const { key, valueBytes, ttl } = writes.next();
      written += valueBytes;
      return client.set(key, blob.subarray(0, valueBytes), { ttl });
    });
    await Promise.all(batch);
  }
  await client.close();
  return written;
}
