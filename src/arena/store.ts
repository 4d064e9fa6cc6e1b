/**
 * The store of a node or of a cache in process: its arenas seen as one. A thread that works on it
 * opens the same lane in every arena, and whoever carries changes on reads the feeds of each lane
 * in every arena. Usually there is one arena, and then its lanes are the lanes of the store.
 */
import { InputError, messageOf } from '../base/errors.js';
import { systemRandom } from '../base/random.js';
import { formatSize } from '../base/sizes.js';
import { slotOf } from '../base/slot.js';
import { Arena, type ArenaHandle, type ArenaOptions, HASH_KEY_BYTES } from './arena.js';
import { divide } from './division.js';
import type { FeedConsumer, FeedReader } from './feedReader.js';
import type { ArenaGeometry } from './geometry.js';
import { arenaOfSlot } from './placement.js';
import { SplitLane } from './splitLane.js';
import { type ArenaStats, sumStats } from './stats.js';
import type { StoreLane } from './storeLane.js';

/** What a store is made from; memory, items and stubs are those of all arenas together. */
export interface StoreOptions extends ArenaOptions {
  /** How many arenas there are, 1 to 256; as few as hold the memory when 0 or not given. */
  readonly arenas?: number | undefined;
}

/** A store as it is posted to another thread: shared, not copied. */
export interface StoreHandle {
  readonly arenas: readonly ArenaHandle[];
}

/** All items of a node or a cache. */
export class Store {
  readonly arenas: readonly Arena[];
  readonly #first: Arena;

  private constructor(arenas: readonly Arena[]) {
    const [first] = arenas;
    if (first === undefined) throw new Error('a store has at least one arena');
    this.arenas = arenas;
    this.#first = first;
  }

  /** A new, empty store. Throws `InputError`, naming the bound, when the memory can't do. */
  static create(options: StoreOptions): Store {
    const shares = divide(options);
    const hashKey = options.hashKey ?? (options.random ?? systemRandom).bytes(HASH_KEY_BYTES);
    const { tier } = options;
    const stubs = Math.ceil((tier?.stubs ?? 0) / shares.length);
    const bytes = tier?.bytes && tier.bytes / shares.length;
    const each = { ...options, hashKey, tier: tier && { ...tier, bytes, stubs } };
    return new Store(shares.map((share) => createOne({ ...each, ...share }, shares.length)));
  }

  /** The store behind a handle that came from another thread. */
  static attach(handle: StoreHandle): Store {
    return new Store(handle.arenas.map((arena) => Arena.attach(arena)));
  }

  /** What other threads attach to. */
  get handle(): StoreHandle {
    return { arenas: this.arenas.map(({ handle }) => handle) };
  }

  /** The sizes of the first arena; the others are as large. */
  get geometry(): ArenaGeometry {
    return this.#first.geometry;
  }

  /** How many threads may work on the store at the same time. */
  get lanes(): number {
    return this.geometry.lanes;
  }

  /** Opens lane `index` for this thread; the caller sees to it that no other thread holds it. */
  openLane(index: number): StoreLane {
    return this.arenas.length === 1
      ? this.#first.openLane(index)
      : new SplitLane(this.arenas, index);
  }

  /**
   * Reads what lane `index` publishes, a reader for each arena. Each consumer may have one
   * for a lane and arena, on any thread. A change of a key is in the feed of the arena that has the
   * key; a clear is in those of all arenas, with one version.
   */
  openFeeds(index: number, consumer: FeedConsumer = 'log'): FeedReader[] {
    return this.arenas.map((arena) => arena.openFeed(index, consumer));
  }

  /** See `Arena.restoreVersions`. */
  restoreVersions(highest: bigint, cleared: bigint): void {
    for (const arena of this.arenas) arena.restoreVersions(highest, cleared);
  }

  /** See `Arena.publish`. */
  publish(on: boolean, consumer: FeedConsumer = 'log'): void {
    for (const arena of this.arenas) arena.publish(on, consumer);
  }

  /** See `Arena.refuseChanges`. */
  refuseChanges(status: number): void {
    for (const arena of this.arenas) arena.refuseChanges(status);
  }

  /** The number of the arena that has `key`. */
  arenaOf(key: Uint8Array): number {
    return arenaOfSlot(slotOf(key), this.arenas.length);
  }

  /** The value of a constant that the core exports (`GRANTS_CLIENT`). */
  constant(name: string): number {
    return this.#first.constant(name);
  }

  /** Counters of all lanes since the store was made, and what it holds now, over all arenas. */
  stats(): ArenaStats {
    return sumStats(this.arenaStats());
  }

  /** The same for each arena. */
  arenaStats(): ArenaStats[] {
    return this.arenas.map((arena) => arena.stats());
  }
}

/** Makes one arena of a store; what is wrong with it is said of an arena, not of the store. */
function createOne(options: ArenaOptions, arenas: number): Arena {
  try {
    return Arena.create(options);
  } catch (error) {
    if (arenas === 1 || !(error instanceof InputError)) throw error;
    const each = formatSize(options.memoryBytes);
    throw new InputError(`each of ${arenas} arenas has ${each}: ${messageOf(error)}`);
  }
}
