import type { Arena } from '../arena/arena.js';
import { LaneTrap } from '../arena/lane.js';
import type { ArenaStats } from '../arena/stats.js';
import type { Clock } from '../base/clock.js';
import { ClosedError, InternalError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';
import {
  clearRequest,
  delRequest,
  getRequest,
  incrRequest,
  scanRequest,
  setRequest,
  touchRequest,
} from '../protocol/requests.js';
import {
  readBigCounter,
  readCounter,
  readDelWithMeta,
  readDone,
  readGet,
  readGetWithMeta,
  readNothing,
  readRawScanPage,
  readScanPage,
  readSetWithMeta,
  type ScanPage,
} from '../protocol/results.js';
import { STATUS } from '../protocol/status.js';
import type {
  Absent,
  Counter,
  DelOptions,
  DelResult,
  DelWithMetaOptions,
  Expiry,
  IncrOptions,
  Key,
  Meta,
  ScanOptions,
  SetOptions,
  SetResult,
  SetWithMetaOptions,
  TouchOptions,
  Ttl,
} from '../protocol/verbs.js';
import type { Seat } from './seat.js';
import { type Read, Turn } from './turn.js';

/** What a cache in process needs besides its memory. */
export interface CacheParts {
  readonly arena: Arena;
  readonly seat: Seat;
  readonly clock: Clock;
}

/**
 * A cache in this process, shared by the threads that attach to it. Every verb is carried out
 * before it returns. Values are strings, `Uint8Array`s or what JSON could say and somewhat more
 * (dates, bigints, sets); they are copied in and out, so nobody sees another's changes to them.
 *
 * Verbs throw `InvalidArgumentError` for arguments that make no sense, `TooLargeError` and
 * `NoSpaceError` for values that can't be stored, `BusyError` when other threads held all memory
 * for a second, `InternalError` when the cache is broken, and `ClosedError` from then on.
 */
export class Cache {
  readonly #arena: Arena;
  readonly #seat: Seat;
  readonly #turn: Turn;

  constructor(parts: CacheParts) {
    this.#arena = parts.arena;
    this.#seat = parts.seat;
    this.#turn = new Turn(parts.seat.lane, parts.clock, parts.arena.constant('GRANTS_CLIENT'));
  }

  #one<T>(request: Request, read: Read<T>): T {
    this.#checkOpen();
    try {
      return this.#turn.one(request, read);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  #many<T>(requests: readonly Request[], read: Read<T>): T[] {
    this.#checkOpen();
    try {
      return this.#turn.many(requests, read);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  #checkOpen(): void {
    if (this.#seat.closed) throw new ClosedError('the cache is closed');
  }

  /** A trapped lane is as good as a dead thread's: it is given up, and others take it over. */
  #seen(error: unknown): unknown {
    if (!(error instanceof LaneTrap)) return error;
    this.#seat.close();
    return new InternalError(STATUS.INTERNAL, undefined, { outcome: 'unknown', cause: error });
  }

  /** The value of `key`, or undefined when there is none. */
  get<T = unknown>(key: Key): T | undefined {
    return this.#one(getRequest(key, false), readGet) as T | undefined;
  }

  /** The value of `key` with its version and remaining time to live. */
  getWithMeta<T = unknown>(key: Key): Meta<T> | undefined {
    return this.#one(getRequest(key, true), readGetWithMeta) as Meta<T> | undefined;
  }

  /** Stores a value; false when a condition in `options` does not hold. */
  set(key: Key, value: unknown, options?: SetOptions): boolean {
    return this.#one(setRequest(key, value, options, false), readDone);
  }

  /** Stores a value and tells version, remaining time to live and, if asked, the value before. */
  setWithMeta<T = unknown>(key: Key, value: T, options?: SetWithMetaOptions): SetResult<T> {
    return this.#one(setRequest(key, value, options, true), readSetWithMeta) as SetResult<T>;
  }

  /** Removes `key`; false when there was nothing to remove, or it has another version. */
  del(key: Key, options?: DelOptions): boolean {
    return this.#one(delRequest(key, options, false), readDone);
  }

  /** Removes `key` and tells what there was. */
  delWithMeta<T = unknown>(key: Key, options?: DelWithMetaOptions): DelResult<T> {
    return this.#one(delRequest(key, options, true), readDelWithMeta) as DelResult<T>;
  }

  /** Changes when `key` expires (`'never'`: not at all); false when there is no such item. */
  touch(key: Key, ttl: Ttl | Date, options?: TouchOptions): boolean {
    return this.#one(touchRequest(key, ttl, options), readDone);
  }

  /**
   * Adds `delta` to a counter and returns what it is then, a bigint for a bigint. With `ifPresent`
   * undefined when there is no counter. Throws `NotANumberError`, `CounterOverflowError`, and
   * `UnsafeIntegerError` when a number can't hold the result.
   */
  incr(key: Key): number;
  incr<D extends number | bigint, O extends IncrOptions = Record<never, never>>(
    key: Key,
    delta: D,
    options?: O,
  ): Counter<D> | Absent<O>;
  incr(key: Key, delta: number | bigint = 1, options?: IncrOptions): number | bigint | undefined {
    return this.#count(key, delta, options);
  }

  /** Subtracts `delta` from a counter; otherwise like `incr`. */
  decr(key: Key): number;
  decr<D extends number | bigint, O extends IncrOptions = Record<never, never>>(
    key: Key,
    delta: D,
    options?: O,
  ): Counter<D> | Absent<O>;
  decr(key: Key, delta: number | bigint = 1, options?: IncrOptions): number | bigint | undefined {
    return this.#count(key, -delta, options);
  }

  #count(
    key: Key,
    delta: number | bigint,
    options: IncrOptions | undefined,
  ): number | bigint | undefined {
    const read = typeof delta === 'bigint' ? readBigCounter : readCounter;
    return this.#one<number | bigint | undefined>(incrRequest(key, delta, options), read);
  }

  /** The values of many keys in their order, undefined where there is none. */
  getMany<T = unknown>(keys: Iterable<Key>): (T | undefined)[] {
    const requests = Array.from(keys, (key) => getRequest(key, false));
    return this.#many(requests, readGet) as (T | undefined)[];
  }

  /** Stores many values with one expiry. */
  setMany(entries: Iterable<readonly [Key, unknown]>, options?: Expiry): void {
    const requests = Array.from(entries, ([key, value]) => setRequest(key, value, options, false));
    this.#many(requests, readNothing);
  }

  /** Removes many keys; how many of them there were. */
  delMany(keys: Iterable<Key>): number {
    const requests = Array.from(keys, (key) => delRequest(key, undefined, false));
    return this.#many(requests, readDone).filter((removed) => removed).length;
  }

  /**
   * Lists keys as text, page by page. A key that is there all the time is listed at least once; one
   * that comes or goes meanwhile may be, and a key may be listed again.
   */
  scan(options?: ScanOptions): Generator<string, void, void> {
    return this.#scan(options, readScanPage);
  }

  /** Lists keys as bytes; otherwise like `scan`. */
  scanRaw(options?: ScanOptions): Generator<Uint8Array, void, void> {
    return this.#scan(options, readRawScanPage);
  }

  *#scan<K>(options: ScanOptions | undefined, read: Read<ScanPage<K>>): Generator<K, void, void> {
    let page = this.#one(scanRequest(options, undefined), read);
    yield* page.keys;
    while (page.cursor !== 0n) {
      page = this.#one(scanRequest(options, page.cursor), read);
      yield* page.keys;
    }
  }

  /** Removes everything. */
  clear(): void {
    this.#one(clearRequest(), readNothing);
  }

  /** Counters of all threads since the cache was made, and what it holds now. */
  stats(): ArenaStats {
    return this.#arena.stats();
  }

  /** Gives up this thread's place in the cache; what it holds stays for the other threads. */
  close(): void {
    this.#seat.close();
  }
}
