import { InputError } from '../base/errors.js';
import { type Random, systemRandom } from '../base/random.js';
import { formatSize } from '../base/sizes.js';
import type { Policy } from '../config/config.js';
import { type Core, instantiateCore } from './core.js';
import { type FeedConsumer, FeedReader } from './feedReader.js';
import { type ArenaGeometry, drawGeometry } from './geometry.js';
import { Lane } from './lane.js';
import { type ArenaStats, readStats } from './stats.js';
import {
  type CoreBuild,
  createMemory,
  loadCore,
  type WasmMemory,
  type WasmModule,
} from './wasm.js';

/** The numbers by which the core knows the policies. */
const POLICY_CODES: Readonly<Record<Policy, number>> = {
  fifo: 0,
  s3fifo: 1,
  lru: 2,
  lfu: 3,
  sieve: 4,
  tinylfu: 5,
};

const MAX_ITEMS_MAX = 2 ** 31 - 1;
const MIB = 1024 * 1024;

/** Bytes of the key of the table's hash. */
export const HASH_KEY_BYTES = 16;

/** Which values stay readable on disk, and how many of them the table is to be made for. */
export interface TierOptions {
  /** Values of so many bytes and more. */
  readonly leastBytes: number;
  /** What they may have on disk together, in bytes; any amount when not given. */
  readonly bytes?: number | undefined;
  /** Items whose value is on disk only, for which the base table has room. */
  readonly stubs: number;
}

/** What an arena is made from. */
export interface ArenaOptions {
  /** What items and their index may use, in bytes; the buffers of the lanes come on top. */
  readonly memoryBytes: number;
  /** How many threads may work on the arena at the same time. */
  readonly lanes: number;
  readonly policy?: Policy | undefined;
  /** How often an item must be read in the small pool to enter the main one (`s3fifo`); 1. */
  readonly promotion?: number | undefined;
  /** How many items there may be at most, 1 to 2^31-1; as many as fit when not given. */
  readonly maxItems?: number | undefined;
  /** The largest value, in bytes; 16 MiB. */
  readonly maxValueBytes?: number | undefined;
  /** The size of a segment, in bytes; chosen by the core when not given. */
  readonly segmentBytes?: number | undefined;
  /**
   * Room for the changes of one lane that nobody has read yet, in bytes, rounded up to a power of
   * two; none by default, and then nothing can be published. While changes are published, an item
   * larger than half of it is refused.
   */
  readonly feedBytes?: number | undefined;
  /** Values that stay readable on disk when they are evicted; none by default. */
  readonly tier?: TierOptions | undefined;
  readonly build?: CoreBuild | undefined;
  /** The 16 bytes that key the table's hash; random, so that nobody can choose colliding keys. */
  readonly hashKey?: Uint8Array | undefined;
  readonly random?: Random | undefined;
}

/** An arena as it is posted to another thread: shared, not copied. */
export interface ArenaHandle {
  readonly memory: WasmMemory;
  readonly module: WasmModule;
  readonly geometry: ArenaGeometry;
}

/** One shared memory full of items, and the code that works on it. */
export class Arena {
  readonly handle: ArenaHandle;
  /** An instance that holds no lane: it only reads counters and constants. */
  readonly #core: Core;
  readonly #counters: BigUint64Array;

  private constructor(handle: ArenaHandle, core: Core) {
    this.handle = handle;
    this.#core = core;
    core.functions.observe();
    this.#counters = new BigUint64Array(handle.memory.buffer);
  }

  /**
   * A new, empty arena. Throws `InputError`, naming the bound, when the memory asked for can't do.
   */
  static create(options: ArenaOptions): Arena {
    const geometry = drawGeometry(options);
    const handle: ArenaHandle = {
      memory: createMemory(geometry.pages),
      module: loadCore(options.build ?? 'release'),
      geometry,
    };
    const core = instantiateCore(handle.module, handle.memory);
    format(core, geometry, options);
    if (geometry.feedBytes > 0) placeForgotten(core, handle);
    return new Arena(handle, core);
  }

  /** The arena behind a handle that came from another thread. */
  static attach(handle: ArenaHandle): Arena {
    return new Arena(handle, instantiateCore(handle.module, handle.memory));
  }

  /** The sizes of this arena. */
  get geometry(): ArenaGeometry {
    return this.handle.geometry;
  }

  /** Opens lane `index` for this thread; the caller sees to it that no other thread holds it. */
  openLane(index: number): Lane {
    this.#checkLane(index);
    const { module, memory } = this.handle;
    return new Lane(instantiateCore(module, memory), memory, index);
  }

  /** The value of a constant that the core exports (`GRANTS_CLIENT`). */
  constant(name: string): number {
    return this.#core.constant(name);
  }

  /** Counters of all lanes since the arena was made, and what it holds now. */
  stats(): ArenaStats {
    return readStats(this.#core, this.#counters, this.geometry.lanes);
  }

  /** Reads what lane `index` publishes; each consumer may have one reader, on any thread. */
  openFeed(index: number, consumer: FeedConsumer = 'log'): FeedReader {
    this.#checkFeeds();
    this.#checkLane(index);
    return new FeedReader(this.#core, this.handle.memory, index, consumer);
  }

  #checkLane(index: number): void {
    const { lanes } = this.geometry;
    if (Number.isInteger(index) && index >= 0 && index < lanes) return;
    throw new InputError(`there is no lane ${index}; the arena has ${lanes}`);
  }

  #checkFeeds(): void {
    if (this.geometry.feedBytes === 0) throw new InputError('the arena was made without feeds');
  }

  /**
   * Has every write from now on take a version above `highest`, whatever the clock says, and what
   * is not above `cleared` be gone. For a store that was filled from outside; nobody may use it
   * yet.
   */
  restoreVersions(highest: bigint, cleared: bigint): void {
    const words = new Uint32Array(this.handle.memory.buffer);
    const floorsAt = (words[this.constant('H_FLOORS_AT') / 4] ?? 0) / 8;
    const floors = this.constant('FLOORS');
    for (let floor = floorsAt; floor < floorsAt + floors; floor++) this.#raise(floor, highest);
    this.#raise(this.constant('H_CLEAR_VERSION') / 8, cleared);
  }

  #raise(word: number, version: bigint): void {
    if (Atomics.load(this.#counters, word) < version) {
      Atomics.store(this.#counters, word, version);
    }
  }

  /**
   * Switches the publication of changes to the feeds of all lanes, for one of the consumers.
   * Whoever lets peers in while lanes are at work has their readers `skip` what is there.
   */
  publish(on: boolean, consumer: FeedConsumer = 'log'): void {
    if (on) this.#checkFeeds();
    const bit = this.constant(consumer === 'log' ? 'FEED_LOG' : 'FEED_PEERS');
    const words = new Uint32Array(this.handle.memory.buffer);
    const consumers = Atomics.load(words, this.constant('H_FEED_ON') / 4);
    this.#core.functions.feedOn(on ? consumers | bit : consumers & ~bit);
  }

  /**
   * Has every change but those of peers refused with a status from now on; with 0 they are taken
   * again. What is being executed may still change something.
   */
  refuseChanges(status: number): void {
    this.#core.functions.refuseChanges(status);
  }
}

function hashWords(options: ArenaOptions): Uint32Array {
  const key = options.hashKey ?? (options.random ?? systemRandom).bytes(HASH_KEY_BYTES);
  if (key.length !== HASH_KEY_BYTES) {
    throw new InputError(`a hash key has ${HASH_KEY_BYTES} bytes, not ${key.length}`);
  }
  return new Uint32Array(Uint8Array.from(key).buffer);
}

/** The bound on items as the core takes it: 0 is none. */
function itemsMaxOf({ maxItems }: ArenaOptions): number {
  if (maxItems === undefined) return 0;
  if (Number.isInteger(maxItems) && maxItems >= 1 && maxItems <= MAX_ITEMS_MAX) return maxItems;
  throw new InputError(`maxItems is a whole number from 1 to ${MAX_ITEMS_MAX}, not ${maxItems}`);
}

function format(core: Core, geometry: ArenaGeometry, options: ArenaOptions): void {
  const [key0 = 0, key1 = 0, key2 = 0, key3 = 0] = hashWords(options);
  const needed =
    core.functions.format(
      geometry.storeBytes,
      geometry.lanes,
      geometry.inboxBytes,
      geometry.outboxBytes,
      geometry.feedBytes,
      geometry.segmentBytes,
      geometry.maxValueBytes,
      POLICY_CODES[options.policy ?? 's3fifo'],
      options.promotion ?? 1,
      itemsMaxOf(options),
      options.tier?.leastBytes ?? 0,
      Math.ceil((options.tier?.bytes ?? 0) / MIB),
      options.tier?.stubs ?? 0,
      key0,
      key1,
      key2,
      key3,
    ) >>> 0;
  if (needed === 0) return;
  throw new InputError(
    `a memory of ${formatSize(geometry.storeBytes)} is too small for ${geometry.lanes} lanes and ` +
      `values of ${formatSize(geometry.maxValueBytes)}: at least ${Math.ceil(needed / 1024)}kb`,
  );
}

/** What is forgotten is noted behind the boxes, where changes may be told to peers. */
function placeForgotten(core: Core, { memory, geometry }: ArenaHandle): void {
  const words = new Uint32Array(memory.buffer);
  const { lanes, inboxBytes, outboxBytes, feedBytes } = geometry;
  const boxesAt = words[core.constant('H_BOXES_AT') / 4] ?? 0;
  const at = boxesAt + lanes * (inboxBytes + outboxBytes + feedBytes);
  words[core.constant('H_FORGOTTEN_AT') / 4] = at;
}
