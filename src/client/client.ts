/**
 * The verbs of a node. Calls of one tick travel in one frame; nothing has to be batched by hand.
 * Every call returns a promise that settles within its deadline, whatever becomes of the node: it
 * is rejected with an `OrlopError` whose `code` says why and whose `outcome` says whether a write
 * may have happened. No event has to be listened to, and none can crash the program.
 */
import type { Clock } from '../base/clock.js';
import type { AnswerReader } from '../protocol/answerReader.js';
import { InvalidArgumentError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';
import {
  clearRequest,
  delRequest,
  getRequest,
  incrRequest,
  pingRequest,
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
import { parseAddress } from './address.js';
import { type Batch, BatchCall } from './batchCall.js';
import { DelBatch, GetBatch, SetBatch } from './batches.js';
import { Dispatcher } from './dispatcher.js';
import { type ClientOptions, checkSpan, type Settings, settle } from './options.js';
import type { Runtime } from './runtime.js';
import { SingleCall } from './singleCall.js';

/** What every call may say. */
export interface CallOptions {
  /** How long this call may take before it fails, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** How `close` waits. */
export interface CloseOptions {
  /** How long calls that are under way may still take, in milliseconds; 5000. */
  readonly drainMs?: number | undefined;
}

const DRAIN_MS = 5000;

function negated(delta: number | bigint): number | bigint {
  return typeof delta === 'bigint' ? -delta : 0 - delta;
}

/** A connection to one node, made again whenever it is lost; see `connect`. */
export class Client {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;

  /** Begins to connect to `url`. Throws `InvalidArgumentError` for a bad URL or option. */
  constructor(url: string, options: ClientOptions, runtime: Runtime) {
    const address = parseAddress(url);
    this.#settings = settle(options, address.token);
    this.#clock = runtime.clock;
    const probe = (): void => void this.ping().catch(() => undefined);
    this.#dispatcher = new Dispatcher(address.url, this.#settings, runtime, probe);
  }

  /** Whether there is a connection right now; calls need not ask. */
  get connected(): boolean {
    return this.#dispatcher.connected;
  }

  /** The value of a key, or undefined when it is not there. */
  get<T = unknown>(key: Key, options?: CallOptions): Promise<T | undefined> {
    return this.#call(() => getRequest(key, false), readGet as Read<T | undefined>, options);
  }

  /** The value of a key with its version and remaining time to live, or undefined. */
  getWithMeta<T = unknown>(key: Key, options?: CallOptions): Promise<Meta<T> | undefined> {
    const read = readGetWithMeta as Read<Meta<T> | undefined>;
    return this.#call(() => getRequest(key, true), read, options);
  }

  /** Stores a value; false when a condition of the options did not hold. */
  set(key: Key, value: unknown, options?: SetOptions & CallOptions): Promise<boolean> {
    return this.#call(() => setRequest(key, value, options, false), readDone, options);
  }

  /** Stores a value and says what came of it: version, refusal, and on request the old value. */
  setWithMeta<T = unknown>(
    key: Key,
    value: unknown,
    options?: SetWithMetaOptions & CallOptions,
  ): Promise<SetResult<T>> {
    const read = readSetWithMeta as Read<SetResult<T>>;
    return this.#call(() => setRequest(key, value, options, true), read, options);
  }

  /** Removes a key; false when it was not there, or had another version. */
  del(key: Key, options?: DelOptions & CallOptions): Promise<boolean> {
    return this.#call(() => delRequest(key, options, false), readDone, options);
  }

  /** Removes a key and says what came of it, on request with the value that was there. */
  delWithMeta<T = unknown>(
    key: Key,
    options?: DelWithMetaOptions & CallOptions,
  ): Promise<DelResult<T>> {
    const read = readDelWithMeta as Read<DelResult<T>>;
    return this.#call(() => delRequest(key, options, true), read, options);
  }

  /**
   * Changes when a key expires: in a while, at a date, or `'never'`; false when it is not there.
   */
  touch(key: Key, ttl: Ttl | Date, options?: TouchOptions & CallOptions): Promise<boolean> {
    return this.#call(() => touchRequest(key, ttl, options), readDone, options);
  }

  /**
   * Adds to a counter, which begins at `initial` when it is absent, and returns what it is now. A
   * bigint delta yields a bigint; expiry options count only when the counter is created.
   */
  incr<D extends number | bigint = number, const O extends IncrOptions = IncrOptions>(
    key: Key,
    delta?: D,
    options?: O & CallOptions,
  ): Promise<Counter<D> | Absent<O>> {
    return this.#count(key, delta ?? 1, options) as Promise<Counter<D> | Absent<O>>;
  }

  /** Like `incr`, downwards. */
  decr<D extends number | bigint = number, const O extends IncrOptions = IncrOptions>(
    key: Key,
    delta?: D,
    options?: O & CallOptions,
  ): Promise<Counter<D> | Absent<O>> {
    return this.#count(key, negated(delta ?? 1), options) as Promise<Counter<D> | Absent<O>>;
  }

  #count(
    key: Key,
    delta: number | bigint,
    options: (IncrOptions & CallOptions) | undefined,
  ): Promise<number | bigint | undefined> {
    const read: Read<number | bigint | undefined> =
      typeof delta === 'bigint' ? readBigCounter : readCounter;
    return this.#call(() => incrRequest(key, delta, options), read, options);
  }

  /** The values of many keys in their order, undefined for each that is not there. */
  getMany<T = unknown>(keys: Iterable<Key>, options?: CallOptions): Promise<(T | undefined)[]> {
    const make = (): GetBatch => new GetBatch([...keys]);
    return this.#batch(make, options) as Promise<(T | undefined)[]>;
  }

  /**
   * Stores many values, such as a `Map` or `Object.entries`, under the same options; returns how
   * many were stored. When one fails, the promise is rejected, and others may have been stored.
   * Values must not be changed until it settles.
   */
  setMany(
    entries: Iterable<readonly [Key, unknown]>,
    options?: SetOptions & CallOptions,
  ): Promise<number> {
    return this.#batch(() => new SetBatch([...entries], options), options);
  }

  /** Removes many keys; returns how many were there. */
  delMany(keys: Iterable<Key>, options?: DelOptions & CallOptions): Promise<number> {
    return this.#batch(() => new DelBatch([...keys], options), options);
  }

  /**
   * Goes through all keys, page by page. A key may come more than once; one that is there for the
   * whole scan comes at least once. Bytes of a key that are not UTF-8 come as U+FFFD: see
   * `scanBytes`.
   */
  scan(options?: ScanOptions & CallOptions): AsyncGenerator<string, void, undefined> {
    return this.#scan(options, readScanPage);
  }

  /** Like `scan`, with keys as bytes. */
  scanBytes(options?: ScanOptions & CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#scan(options, readRawScanPage);
  }

  async *#scan<K>(
    options: (ScanOptions & CallOptions) | undefined,
    read: Read<ScanPage<K>>,
  ): AsyncGenerator<K, void, undefined> {
    let cursor: bigint | undefined;
    do {
      const from = cursor;
      const page = await this.#call(() => scanRequest(options, from), read, options);
      yield* page.keys;
      cursor = page.cursor;
    } while (cursor !== 0n);
  }

  /** Removes everything. */
  clear(options?: CallOptions): Promise<void> {
    return this.#call(clearRequest, readNothing, options);
  }

  /** Asks the node for a sign of life; returns how long it took, in milliseconds. */
  async ping(options?: CallOptions): Promise<number> {
    const startMs = this.#clock.monotonicMs();
    await this.#call(pingRequest, readNothing, options);
    return this.#clock.monotonicMs() - startMs;
  }

  /**
   * Refuses new calls, waits for those under way, and closes the connection; calls that are not
   * done by then are rejected with a `ClosedError`. Never rejects.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#dispatcher.close(options?.drainMs ?? DRAIN_MS);
  }

  #timeoutMs(options: CallOptions | undefined): number {
    const timeoutMs = options?.timeoutMs;
    return timeoutMs === undefined ? this.#settings.timeoutMs : checkSpan('timeoutMs', timeoutMs);
  }

  /** Whatever `make` throws rejects the promise: no verb throws where it is called. */
  #call<T>(make: () => Request, read: Read<T>, options: CallOptions | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = make();
      const timeoutMs = this.#timeoutMs(options);
      const nowMs = this.#clock.monotonicMs();
      const call = new SingleCall(request, read, nowMs + timeoutMs, timeoutMs, resolve, reject);
      this.#dispatcher.submit(call, nowMs);
    });
  }

  #batch<T>(make: () => Batch<T>, options: CallOptions | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const batch = make();
      if (batch.count === 0) return resolve(batch.result());
      const timeoutMs = this.#timeoutMs(options);
      const nowMs = this.#clock.monotonicMs();
      const call = new BatchCall(batch, nowMs + timeoutMs, timeoutMs, resolve, reject);
      this.#dispatcher.submit(call, nowMs);
    });
  }
}

type Read<T> = (answer: AnswerReader) => T;

/** Connects through whatever `runtime` brings. Throws `InvalidArgumentError`. */
export function connectThrough(runtime: Runtime, url: string, options?: ClientOptions): Client {
  if (typeof url !== 'string') throw new InvalidArgumentError('the URL has to be a string');
  return new Client(url, options ?? {}, runtime);
}
