/**
 * What people know as LFU: Redis' `allkeys-lfu`. A key has a counter of eight bits that grows with
 * the logarithm of its requests and loses one for each period without any; the victim is the lowest
 * of five random keys and of the best that earlier samples left in a pool of sixteen.
 *
 * Redis' period is a minute of the clock. A trace has none, so here it is ten requests for each key
 * there is room for, counted from the key's last request. Two runs differ by some tenths of a
 * percent, for there is chance in it.
 */
import type { Random } from '../../../src/base/random.js';
import { NONE } from './list.js';
import type { Simulation } from './simulation.js';

const COUNTER_NEW = 5;
const COUNTER_MAX = 255;
const LOG_FACTOR = 10;
const SAMPLES = 5;
const POOL = 16;
const PERIOD_PER_ROOM = 10;

/** Candidates for eviction, the best last; a key may have left the cache since it was sampled. */
class Candidates {
  readonly #keys = new Int32Array(POOL);
  readonly #counters = new Uint8Array(POOL);
  #size = 0;

  /** Takes a sampled key in, if there is room or it is better than the worst. */
  offer(key: number, counter: number): void {
    let place = 0;
    while (place < this.#size && (this.#counters[place] as number) > counter) place++;
    if (this.#size === POOL) {
      if (place === 0) return;
      this.#shift(1, place, -1);
      place--;
    } else {
      this.#shift(place, this.#size, 1);
      this.#size++;
    }
    this.#keys[place] = key;
    this.#counters[place] = counter;
  }

  /** Takes the best candidate out; `NONE` when there is none. */
  take(): number {
    if (this.#size === 0) return NONE;
    this.#size--;
    return this.#keys[this.#size] as number;
  }

  #shift(from: number, to: number, by: number): void {
    this.#keys.copyWithin(from + by, from, to);
    this.#counters.copyWithin(from + by, from, to);
  }
}

/** Least frequently used by an ageing logarithmic counter and samples, as Redis does it. */
export class RedisLfu implements Simulation {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #periodRequests: number;
  /** The keys in the cache, in no order, and where each of them stands. */
  readonly #keys: Int32Array;
  readonly #places: Int32Array;
  readonly #counters: Uint8Array;
  /** When each key was last asked for, in requests. */
  readonly #seen: Uint32Array;
  readonly #candidates = new Candidates();
  #size = 0;
  #requests = 0;

  /** A cache for `capacity` of the keys 0..keys-1 that draws its samples from `random`. */
  constructor(capacity: number, keys: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
    this.#periodRequests = capacity * PERIOD_PER_ROOM;
    this.#keys = new Int32Array(capacity);
    this.#places = new Int32Array(keys).fill(NONE);
    this.#counters = new Uint8Array(keys);
    this.#seen = new Uint32Array(keys);
  }

  request(key: number): boolean {
    this.#requests++;
    if (this.#places[key] !== NONE) {
      this.#counters[key] = this.#grown(this.#decayed(key));
      this.#seen[key] = this.#requests;
      return true;
    }
    if (this.#size === this.#capacity) this.#evict();
    this.#keys[this.#size] = key;
    this.#places[key] = this.#size++;
    this.#counters[key] = COUNTER_NEW;
    this.#seen[key] = this.#requests;
    return false;
  }

  #decayed(key: number): number {
    const idle = this.#requests - (this.#seen[key] as number);
    return Math.max(0, (this.#counters[key] as number) - Math.floor(idle / this.#periodRequests));
  }

  #grown(counter: number): number {
    if (counter === COUNTER_MAX) return counter;
    const chance = 1 / (Math.max(0, counter - COUNTER_NEW) * LOG_FACTOR + 1);
    return this.#random.fraction() < chance ? counter + 1 : counter;
  }

  #evict(): void {
    for (;;) {
      for (let i = 0; i < SAMPLES; i++) {
        const key = this.#keys[this.#random.below(this.#size)] as number;
        this.#candidates.offer(key, this.#decayed(key));
      }
      if (this.#evictCandidate()) return;
    }
  }

  /** Evicts the best candidate that is still here; false when none is. */
  #evictCandidate(): boolean {
    for (let key = this.#candidates.take(); key !== NONE; key = this.#candidates.take()) {
      const place = this.#places[key] as number;
      if (place === NONE) continue;
      const last = this.#keys[--this.#size] as number;
      this.#keys[place] = last;
      this.#places[last] = place;
      this.#places[key] = NONE;
      return true;
    }
    return false;
  }
}
