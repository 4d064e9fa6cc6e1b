import { LaneTrap } from '../arena/lane.js';
import type { ArenaStats } from '../arena/stats.js';
import type { Store } from '../arena/store.js';
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
  readonly store: Store;
  readonly seat: Seat;
  readonly clock: Clock;
}

const count = (done: readonly boolean[]): number => done.filter((each) => each).length;

function negated(delta: number | bigint): number | bigint {
  return typeof delta === 'bigint' ? -delta : 0 - delta;
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
  readonly #store: Store;
  readonly #seat: Seat;
  readonly #turn: Turn;

  constructor(parts: CacheParts) {
    this.#store = parts.store;
    this.#seat = parts.seat;
    this.#turn = new Turn({
      lane: parts.seat.lane,
      clock: parts.clock,
      grants: parts.store.constant('GRANTS_CLIENT'),
      maxFrameBytes: parts.store.geometry.maxFrameBytes,
    });
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
  setWithMeta<T = unknown>(key: Key, value: unknown, options?: SetWithMetaOptions): SetResult<T> {
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
   * Adds to a counter, which begins at `initial` when it is absent, and returns what it is now, a
   * bigint for a bigint. Expiry options count only when the counter is created. Throws
   * `NotANumberError`, `CounterOverflowError`, or `UnsafeIntegerError` for what no number holds.
   */
  incr<D extends number | bigint = number, const O extends IncrOptions = IncrOptions>(
    key: Key,
    delta?: D,
    options?: O,
  ): Counter<D> | Absent<O> {
    return this.#count(key, delta ?? 1, options) as Counter<D> | Absent<O>;
  }

  /** Like `incr`, downwards. */
  decr<D extends number | bigint = number, const O extends IncrOptions = IncrOptions>(
    key: Key,
    delta?: D,
    options?: O,
  ): Counter<D> | Absent<O> {
    return this.#count(key, negated(delta ?? 1), options) as Counter<D> | Absent<O>;
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

  /**
   * Stores many values, such as a `Map` or `Object.entries`, under the same options; how many were
   * stored. When one fails the others are stored all the same, and then the failure is thrown.
   */
  setMany(entries: Iterable<readonly [Key, unknown]>, options?: SetOptions): number {
    const requests = Array.from(entries, ([key, value]) => setRequest(key, value, options, false));
    return count(this.#many(requests, readDone));
  }

  /** Removes many keys; how many of them there were. */
  delMany(keys: Iterable<Key>, options?: DelOptions): number {
    const requests = Array.from(keys, (key) => delRequest(key, options, false));
    return count(this.#many(requests, readDone));
  }

  /**
   * Lists keys as text, page by page. A key that is there all the time is listed at least once; one
   * that comes or goes meanwhile may be, and a key may be listed again.
   */
  scan(options?: ScanOptions): Generator<string, void, void> {
    return this.#scan(options, readScanPage);
  }

  /** Like `scan`, with keys as bytes. */
  scanBytes(options?: ScanOptions): Generator<Uint8Array, void, void> {
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
    return this.#store.stats();
  }

  /** Gives up this thread's place in the cache; what it holds stays for the other threads. */
  close(): void {
    this.#seat.close();
  }
}
