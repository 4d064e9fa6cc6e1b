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
import { readText } from '../protocol/text.js';
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
import { LEVEL_ONE } from '../protocol/wire.js';
import { parseAddress } from './address.js';
import { type Batch, BatchCall } from './batchCall.js';
import { DelBatch, GetBatch, SetBatch } from './batches.js';
import type { Passage } from './call.js';
import {
  type ClientOptions,
  checkSpan,
  type Level,
  levelNumber,
  type Settings,
  settle,
} from './options.js';
import type { Peer } from './routing/peer.js';
import { Router } from './routing/router.js';
import { scanCluster } from './routing/scan.js';
import type { Runtime } from './runtime.js';
import { ClientSession, type Session } from './session.js';
import { SingleCall } from './singleCall.js';

/** What every call may say. */
export interface CallOptions {
  /** How long this call may take before it fails, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** How many owners of the key have to answer in a cluster. */
  readonly level?: Level | undefined;
  /**
   * Whether a write may be sent to another node of a cluster although it may have been executed
   * already.
   */
  readonly retryWrites?: boolean | undefined;
}

/** How `close` waits. */
export interface CloseOptions {
  /** How long calls that are under way may still take, in milliseconds; 5000. */
  readonly drainMs?: number | undefined;
}

const DRAIN_MS = 5000;

const ONCE: Passage = { level: LEVEL_ONE, again: false };
const AGAIN: Passage = { level: LEVEL_ONE, again: true };

function negated(delta: number | bigint): number | bigint {
  return typeof delta === 'bigint' ? -delta : 0 - delta;
}

/** Connections to the nodes, made again whenever they are lost; see `connect`. */
export class Client {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #router: Router;
  /** What the client has written, where the option `session` asks for it. */
  readonly session: Session | undefined;

  /** Begins to connect to one of `urls`. Throws `InvalidArgumentError` for a bad URL or option. */
  constructor(urls: readonly string[], options: ClientOptions, runtime: Runtime) {
    const addresses = urls.map((url) => parseAddress(url));
    const token = addresses.find((address) => address.token !== undefined)?.token;
    this.#settings = settle(options, token);
    this.#clock = runtime.clock;
    const seeds = addresses.map(({ url }) => url);
    const session = sessionOf(this.#settings);
    this.session = session;
    this.#router = new Router(seeds, this.#settings, runtime, session);
  }

  /** Whether there is a connection to any node right now; calls need not ask. */
  get connected(): boolean {
    return this.#router.connected;
  }

  /** The value of a key, or undefined when it is not there. */
  get<T = unknown>(key: Key, options?: CallOptions): Promise<T | undefined> {
    return this.#call(() => getRequest(key, false), readGet as Read<T | undefined>, options, true);
  }

  /** The value of a key with its version and remaining time to live, or undefined. */
  getWithMeta<T = unknown>(key: Key, options?: CallOptions): Promise<Meta<T> | undefined> {
    const read = readGetWithMeta as Read<Meta<T> | undefined>;
    return this.#call(() => getRequest(key, true), read, options, true);
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
    return this.#scan(options, readScanPage, readText);
  }

  /** Like `scan`, with keys as bytes. */
  scanBytes(options?: ScanOptions & CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#scan(options, readRawScanPage, (key) => key);
  }

  #scan<K>(
    options: (ScanOptions & CallOptions) | undefined,
    read: Read<ScanPage<K>>,
    keyOf: (key: Uint8Array) => K,
  ): AsyncGenerator<K, void, undefined> {
    return scanCluster(this.#router, {
      askOne: (peer, cursor) => this.#page(options, read, peer, cursor),
      askAny: (peer, cursor) => this.#page(options, readRawScanPage, peer, cursor),
      keyOf,
      greeted: () => this.ping(options),
    });
  }

  #page<K>(
    options: (ScanOptions & CallOptions) | undefined,
    read: Read<ScanPage<K>>,
    peer: Peer,
    cursor: bigint | undefined,
  ): Promise<ScanPage<K>> {
    return new Promise((resolve, reject) => {
      const request = scanRequest(options, cursor);
      this.#submit(request, read, options, true, resolve, reject, peer);
    });
  }

  /** Removes everything. */
  clear(options?: CallOptions): Promise<void> {
    return this.#call(clearRequest, readNothing, options);
  }

  /** Asks the node for a sign of life; returns how long it took, in milliseconds. */
  async ping(options?: CallOptions): Promise<number> {
    const startMs = this.#clock.monotonicMs();
    await this.#call(pingRequest, readNothing, options, true);
    return this.#clock.monotonicMs() - startMs;
  }

  /**
   * Refuses new calls, waits for those under way, and closes the connection; calls that are not
   * done by then are rejected with a `ClosedError`. Never rejects.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#router.close(options?.drainMs ?? DRAIN_MS);
  }

  #timeoutMs(options: CallOptions | undefined): number {
    const timeoutMs = options?.timeoutMs;
    return timeoutMs === undefined ? this.#settings.timeoutMs : checkSpan('timeoutMs', timeoutMs);
  }

  #passage(options: CallOptions | undefined, reads: boolean): Passage {
    const settings = this.#settings;
    const level = options?.level ?? settings.level;
    const again = reads || (options?.retryWrites ?? settings.retryWrites);
    return level === 'one' ? (again ? AGAIN : ONCE) : { level: levelNumber(level), again };
  }

  /** Whatever `make` throws rejects the promise: no verb throws where it is called. */
  #call<T>(
    make: () => Request,
    read: Read<T>,
    options: CallOptions | undefined,
    reads = false,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#submit(make(), read, options, reads, resolve, reject);
    });
  }

  #submit<T>(
    request: Request,
    read: Read<T>,
    options: CallOptions | undefined,
    reads: boolean,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
    peer?: Peer,
  ): void {
    const timeoutMs = this.#timeoutMs(options);
    const passage = this.#passage(options, reads);
    const nowMs = this.#clock.monotonicMs();
    const deadlineMs = nowMs + timeoutMs;
    const call = new SingleCall(request, read, deadlineMs, timeoutMs, passage, resolve, reject);
    if (peer === undefined) this.#router.submit(call, nowMs);
    else this.#router.submitTo(peer, call, nowMs);
  }

  #batch<T>(make: () => Batch<T>, options: CallOptions | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const batch = make();
      if (batch.count === 0) return resolve(batch.result());
      const timeoutMs = this.#timeoutMs(options);
      const passage = this.#passage(options, batch.reads);
      const nowMs = this.#clock.monotonicMs();
      const deadlineMs = nowMs + timeoutMs;
      const call = new BatchCall(batch, deadlineMs, timeoutMs, passage, resolve, reject);
      this.#router.submit(call, nowMs);
    });
  }
}

function sessionOf({ session }: Settings): ClientSession | undefined {
  if (session === false) return undefined;
  return new ClientSession(session === true ? '' : session);
}

type Read<T> = (answer: AnswerReader) => T;

/** Connects through whatever `runtime` brings. Throws `InvalidArgumentError`. */
export function connectThrough(
  runtime: Runtime,
  urls: string | readonly string[],
  options?: ClientOptions,
): Client {
  const list = typeof urls === 'string' ? [urls] : urls;
  const good = Array.isArray(list) && list.length > 0;
  if (!good || list.some((url) => typeof url !== 'string')) {
    throw new InvalidArgumentError('a URL has to be a string, and several an array of strings');
  }
  return new Client(list, options ?? {}, runtime);
}
