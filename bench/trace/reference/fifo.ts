import { Links, List } from './list.js';
import type { Simulation } from './simulation.js';

/** First in, first out: a hit changes nothing. */
export class Fifo implements Simulation {
  readonly #capacity: number;
  readonly #list: List;
  readonly #isHere: Uint8Array;

  /** A cache for `capacity` of the keys 0..keys-1. */
  constructor(capacity: number, keys: number) {
    this.#capacity = capacity;
    this.#list = new List(new Links(keys));
    this.#isHere = new Uint8Array(keys);
  }

  request(key: number): boolean {
    if (this.#isHere[key] === 1) return true;
    if (this.#list.size >= this.#capacity) this.#isHere[this.#list.removeOldest()] = 0;
    this.#list.add(key);
    this.#isHere[key] = 1;
    return false;
  }
}
