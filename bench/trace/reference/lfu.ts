import { NONE } from './list.js';
import type { Simulation } from './simulation.js';

/** The table of counts grows by doubling. */
const COUNTS_AT_FIRST = 1024;

/**
 * Least frequently used, exactly and without ageing: keys in the cache are counted from 1, the
 * lowest count goes, and of those with the same count the one that came to it first. Nothing is
 * forgotten but by eviction, which makes it the worst of policies where interest moves on.
 *
 * All keys stand in one list, ordered by count and then by when they came to it, so the victim is
 * the first. A hit moves a key behind the last of the next count, which is found by remembering the
 * last key of each count.
 *
 *     first   1 1 1 1   2 2   5 5 5   9   last
 *                   ^     ^       ^   ^
 */
export class Lfu implements Simulation {
  readonly #capacity: number;
  readonly #before: Int32Array;
  readonly #after: Int32Array;
  /** How often each key was asked for since it is here; 0 when it is not. */
  readonly #counts: Uint32Array;
  /** The last key of each count, or `NONE`. */
  #lastOf = new Int32Array(COUNTS_AT_FIRST).fill(NONE);
  #first = NONE;
  #size = 0;

  /** A cache for `capacity` of the keys 0..keys-1. */
  constructor(capacity: number, keys: number) {
    this.#capacity = capacity;
    this.#before = new Int32Array(keys).fill(NONE);
    this.#after = new Int32Array(keys).fill(NONE);
    this.#counts = new Uint32Array(keys);
  }

  request(key: number): boolean {
    const count = this.#counts[key] as number;
    if (count > 0) {
      this.#rise(key, count);
      return true;
    }
    if (this.#size >= this.#capacity) this.#evict();
    this.#insert(key, 1, this.#lastOf[1] as number);
    this.#size++;
    return false;
  }

  /** Puts `key` behind the last of the next count, or, when there is none, of its own. */
  #rise(key: number, count: number): void {
    if (count + 1 === this.#lastOf.length) this.#extend();
    let place = this.#lastOf[count + 1] as number;
    if (place === NONE) place = this.#lastOf[count] as number;
    if (place === key) place = this.#before[key] as number;
    this.#remove(key);
    this.#insert(key, count + 1, place);
  }

  #extend(): void {
    const wider = new Int32Array(this.#lastOf.length * 2).fill(NONE);
    wider.set(this.#lastOf);
    this.#lastOf = wider;
  }

  #evict(): void {
    const victim = this.#first;
    this.#remove(victim);
    this.#counts[victim] = 0;
    this.#size--;
  }

  /** Inserts `key` with `count`, of which it becomes the last, behind `place`. */
  #insert(key: number, count: number, place: number): void {
    const after = place === NONE ? this.#first : (this.#after[place] as number);
    this.#before[key] = place;
    this.#after[key] = after;
    if (place === NONE) this.#first = key;
    else this.#after[place] = key;
    if (after !== NONE) this.#before[after] = key;
    this.#counts[key] = count;
    this.#lastOf[count] = key;
  }

  #remove(key: number): void {
    const before = this.#before[key] as number;
    const after = this.#after[key] as number;
    if (before === NONE) this.#first = after;
    else this.#after[before] = after;
    if (after !== NONE) this.#before[after] = before;
    const count = this.#counts[key] as number;
    if (this.#lastOf[count] !== key) return;
    const hasMore = before !== NONE && this.#counts[before] === count;
    this.#lastOf[count] = hasMore ? before : NONE;
  }
}
