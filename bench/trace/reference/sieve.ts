import { Links, List, NONE } from './list.js';
import type { Simulation } from './simulation.js';

const ABSENT = 0;
const HERE = 1;
const VISITED = 2;

/**
 * SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is simpler than LRU", NSDI'24): one queue, a
 * bit a key, and a hand that walks from the oldest to the newest, clears bits and evicts the first
 * key without one. What it passes stays where it is.
 */
export class Sieve implements Simulation {
  readonly #capacity: number;
  readonly #list: List;
  readonly #state: Uint8Array;
  #hand = NONE;

  /** A cache for `capacity` of the keys 0..keys-1. */
  constructor(capacity: number, keys: number) {
    this.#capacity = capacity;
    this.#list = new List(new Links(keys));
    this.#state = new Uint8Array(keys);
  }

  request(key: number): boolean {
    if (this.#state[key] !== ABSENT) {
      this.#state[key] = VISITED;
      return true;
    }
    if (this.#list.size >= this.#capacity) this.#evict();
    this.#list.add(key);
    this.#state[key] = HERE;
    return false;
  }

  #evict(): void {
    const list = this.#list;
    let victim = this.#hand === NONE ? list.oldest : this.#hand;
    while (this.#state[victim] === VISITED) {
      this.#state[victim] = HERE;
      victim = list.newerThan(victim);
      if (victim === NONE) victim = list.oldest;
    }
    this.#hand = list.newerThan(victim);
    list.remove(victim);
    this.#state[victim] = ABSENT;
  }
}
