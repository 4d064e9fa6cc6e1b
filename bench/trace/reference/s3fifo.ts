import { Links, List } from './list.js';
import type { Simulation } from './simulation.js';

const ABSENT = 0;
const SMALL = 1;
const MAIN = 2;
const GHOST = 3;

const FREQUENCY_MAX = 3;
const SMALL_SHARE = 0.1;
const GHOST_SHARE = 0.9;

/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue, Vinayak: "FIFO queues are all you need for cache eviction",
 * SOSP'23) with libCacheSim's order of decisions: the main queue is trimmed while it is over its
 * share, and the ghost remembers nine tenths as many keys as there is room for.
 */
export class S3Fifo implements Simulation {
  readonly #capacity: number;
  readonly #mainShare: number;
  readonly #ghostShare: number;
  readonly #promotion: number;
  readonly #small: List;
  readonly #main: List;
  readonly #ghost: List;
  readonly #place: Uint8Array;
  readonly #frequency: Uint8Array;

  /**
   * A cache for `capacity` of the keys 0..keys-1; a key enters the main queue that was hit
   * `promotion` times in the small one.
   */
  constructor(capacity: number, keys: number, promotion: number) {
    this.#capacity = capacity;
    this.#mainShare = capacity - Math.floor(capacity * SMALL_SHARE);
    this.#ghostShare = Math.floor(capacity * GHOST_SHARE);
    this.#promotion = promotion;
    const links = new Links(keys);
    this.#small = new List(links);
    this.#main = new List(links);
    this.#ghost = new List(links);
    this.#place = new Uint8Array(keys);
    this.#frequency = new Uint8Array(keys);
  }

  request(key: number): boolean {
    const place = this.#place[key];
    if (place === SMALL || place === MAIN) {
      const frequency = this.#frequency[key] as number;
      if (frequency < FREQUENCY_MAX) this.#frequency[key] = frequency + 1;
      return true;
    }
    if (place === GHOST) this.#ghost.remove(key);
    this.#place[key] = ABSENT;
    while (this.#small.size + this.#main.size >= this.#capacity) this.#evict();
    this.#enter(key, place === GHOST ? MAIN : SMALL);
    return false;
  }

  #enter(key: number, place: typeof SMALL | typeof MAIN): void {
    (place === SMALL ? this.#small : this.#main).add(key);
    this.#place[key] = place;
    this.#frequency[key] = 0;
  }

  #evict(): void {
    if (this.#main.size > this.#mainShare || this.#small.size === 0) this.#evictMain();
    else this.#evictSmall();
  }

  /** Moves what was hit often enough to the main queue and evicts the first that was not. */
  #evictSmall(): void {
    while (this.#small.size > 0) {
      const key = this.#small.removeOldest();
      if ((this.#frequency[key] as number) < this.#promotion) {
        this.#remember(key);
        return;
      }
      this.#enter(key, MAIN);
    }
  }

  #evictMain(): void {
    for (;;) {
      const key = this.#main.removeOldest();
      const frequency = this.#frequency[key] as number;
      if (frequency === 0) {
        this.#place[key] = ABSENT;
        return;
      }
      this.#main.add(key);
      this.#frequency[key] = frequency - 1;
    }
  }

  #remember(key: number): void {
    this.#place[key] = ABSENT;
    if (this.#ghostShare === 0) return;
    if (this.#ghost.size >= this.#ghostShare) this.#place[this.#ghost.removeOldest()] = ABSENT;
    this.#ghost.add(key);
    this.#place[key] = GHOST;
  }
}
