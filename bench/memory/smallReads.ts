/**
 * A program that reads small values from a cache which others use for large ones: keys at random,
 * in batches, and what is missing is stored again.
 */
import type { Histogram } from 'hdr-histogram-js';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Cache } from '../../src/embedded/index.js';
import { newLatencies, TICKS_MAX, TICKS_PER_MS } from '../latencies.js';
import { keyText } from '../workload.js';

const VALUE_BYTES = 100;
const BATCH = 64;
/** Keys of their own, apart from those that are written. */
const FIRST_KEY = 900_000_000_000;

const VALUE = new Uint8Array(VALUE_BYTES).fill(3);

/** Stores the small values of so many keys. */
export function storeSmall(cache: Cache, keys: number): void {
  for (let key = 0; key < keys; key++) cache.set(keyText(FIRST_KEY + key), VALUE);
}

/** Reads small values, and keeps count. */
export class SmallReads {
  reads = 0;
  hits = 0;
  /** Of batches of 64. */
  readonly latencies: Histogram = newLatencies();

  readonly #cache: Cache;
  readonly #keys: number;
  readonly #random: Random;

  constructor(cache: Cache, keys: number, seed: number) {
    this.#cache = cache;
    this.#keys = keys;
    this.#random = seededRandom(seed);
  }

  /** One batch, whose time is noted; what was missing is stored outside of it. */
  batch(): void {
    const drawn = () => keyText(FIRST_KEY + this.#random.below(this.#keys));
    const keys = Array.from({ length: BATCH }, drawn);
    const startMs = performance.now();
    const values = this.#cache.getMany(keys);
    const ms = performance.now() - startMs;
    this.latencies.recordValue(Math.min(TICKS_MAX, Math.round(ms * TICKS_PER_MS)));
    this.reads += BATCH;
    values.forEach((value, index) => {
      if (value !== undefined) this.hits++;
      else this.#cache.set(keys[index] ?? '', VALUE);
    });
  }
}
