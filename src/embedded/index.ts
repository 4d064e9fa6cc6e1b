/**
 * The cache in process: `createCache` makes one, `attachCache` shares it with worker threads.
 *
 *   const cache = createCache({ memory: '256mb' });
 *   const handle = cache.handle();
 *   new Worker(file, { workerData: handle, transferList: [handle.port] });
 *
 *   const cache = attachCache(workerData);        // in the worker
 *
 * All threads work on one memory without a hop between them. The thread that made the cache takes
 * over what threads leave behind when they end, so its event loop should turn now and then, and it
 * should live longer than the others; if it ends first, they go on, but no new threads can attach.
 */
import { Store, type StoreOptions } from '../arena/store.js';
import { type Clock, systemClock } from '../base/clock.js';
import { type Random, systemRandom } from '../base/random.js';
import { parseSize } from '../base/sizes.js';
import { systemTimers, type Timers } from '../base/timers.js';
import type { Policy } from '../config/config.js';
import { Cache } from './cache.js';
import { Guest } from './guest.js';
import type { CacheHandle } from './handle.js';
import { Host } from './host.js';

export type { ArenaStats as CacheStats } from '../arena/stats.js';
export { InputError } from '../base/errors.js';
export * from '../protocol/errors.js';
export type * from '../protocol/verbs.js';
export { Cache } from './cache.js';
export type { CacheHandle } from './handle.js';

const MEMORY_DEFAULT = '64mb';
const MAX_THREADS_DEFAULT = 8;

/** What a cache in process is made from. */
export interface CacheOptions {
  /** What items and their index may use: bytes, or text such as `'256mb'`; 64 MiB. */
  readonly memory?: number | string | undefined;
  /** How many arenas the memory is divided into; as few as hold it, which is one below 4 GiB. */
  readonly arenas?: number | undefined;
  /** What decides which items stay when the memory is full; `s3fifo`. */
  readonly policy?: Policy | undefined;
  /** How many items there may be at most; as many as fit in the memory when not given. */
  readonly maxItems?: number | undefined;
  /** How many threads may use the cache at the same time, this one included (1 to 64); 8. */
  readonly maxThreads?: number | undefined;
  /** The largest value: bytes, or text such as `'1mb'`; 16 MiB. */
  readonly maxValue?: number | string | undefined;
}

/** Where a cache takes time and chance from; tests hand in their own. */
export interface Surroundings {
  readonly clock?: Clock | undefined;
  readonly timers?: Timers | undefined;
  readonly random?: Random | undefined;
}

/** The cache as the thread sees it that made it: it can be shared. */
export class SharedCache extends Cache {
  readonly #host: Host;

  constructor(store: Store, host: Host, clock: Clock) {
    super({ store, seat: host, clock });
    this.#host = host;
  }

  /** A handle for one more thread, which calls `attachCache` with it; its `port` is transferred. */
  handle(): CacheHandle {
    return this.#host.issue();
  }
}

function storeOptions(options: CacheOptions, random: Random): StoreOptions {
  return {
    memoryBytes: parseSize(options.memory ?? MEMORY_DEFAULT),
    arenas: options.arenas,
    lanes: options.maxThreads ?? MAX_THREADS_DEFAULT,
    policy: options.policy,
    maxItems: options.maxItems,
    maxValueBytes: options.maxValue === undefined ? undefined : parseSize(options.maxValue),
    random,
  };
}

/** Makes a cache in this process. Throws `InputError` for options that make no sense. */
export function createCache(
  options: CacheOptions = {},
  surroundings: Surroundings = {},
): SharedCache {
  const clock = surroundings.clock ?? systemClock;
  const timers = surroundings.timers ?? systemTimers;
  const store = Store.create(storeOptions(options, surroundings.random ?? systemRandom));
  return new SharedCache(store, new Host({ store, clock, timers }), clock);
}

/**
 * Attaches this thread to the cache behind a handle. Throws `ClosedError` when as many threads use
 * it as may, and `InvalidArgumentError` when the handle was used before.
 */
export function attachCache(handle: CacheHandle, surroundings: Surroundings = {}): Cache {
  const clock = surroundings.clock ?? systemClock;
  const store = Store.attach(handle.store);
  return new Cache({ store, seat: new Guest(handle, store, clock), clock });
}
