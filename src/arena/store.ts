/**
 * The store of a node or of a cache in process: its arenas seen as one. A thread that works on it
 * opens the same lane in every arena, and whoever carries changes on reads the feeds of each lane
 * in every arena.
 */
import { Arena, type ArenaHandle, type ArenaOptions } from './arena.js';
import type { FeedReader } from './feedReader.js';
import type { ArenaGeometry } from './geometry.js';
import type { ArenaStats } from './stats.js';
import type { StoreLane } from './storeLane.js';

/** What a store is made from. */
export type StoreOptions = ArenaOptions;

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
    return new Store([Arena.create(options)]);
  }

  /** The store behind a handle that came from another thread. */
  static attach(handle: StoreHandle): Store {
    return new Store(handle.arenas.map((arena) => Arena.attach(arena)));
  }

  /** What other threads attach to. */
  get handle(): StoreHandle {
    return { arenas: this.arenas.map(({ handle }) => handle) };
  }

  /** The sizes of each arena. */
  get geometry(): ArenaGeometry {
    return this.#first.geometry;
  }

  /** How many threads may work on the store at the same time. */
  get lanes(): number {
    return this.geometry.lanes;
  }

  /** Opens lane `index` for this thread; the caller sees to it that no other thread holds it. */
  openLane(index: number): StoreLane {
    return this.#first.openLane(index);
  }

  /**
   * Reads what lane `index` publishes, a reader for each arena. There may be one reader for each
   * lane and arena, on any thread. A change of a key is in the feed of the arena that has the key.
   */
  openFeeds(index: number): FeedReader[] {
    return this.arenas.map((arena) => arena.openFeed(index));
  }

  /** Switches the publication of changes to the feeds of all lanes. */
  publish(on: boolean): void {
    for (const arena of this.arenas) arena.publish(on);
  }

  /** The value of a constant that the core exports (`GRANTS_CLIENT`). */
  constant(name: string): number {
    return this.#first.constant(name);
  }

  /** Counters of all lanes since the store was made, and what it holds now. */
  stats(): ArenaStats {
    return this.#first.stats();
  }
}
