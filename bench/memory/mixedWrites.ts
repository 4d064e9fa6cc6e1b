/**
 * A stream of writes that gives a cache everything at once that makes holes: most of them replace
 * the value of a key that is there by one of another size, the others store a key that was never
 * there, and many expire.
 *
 *   keys    0 .. hotKeys-1                  overwritten again and again, by all threads
 *           10^9 (thread + 1) + 0, 1, ...   stored once
 */
import { type Random, seededRandom } from '../../src/base/random.js';
import { keyText } from '../workload.js';

/** What the writes are like. */
export interface Mix {
  readonly name: string;
  /** Whether values may be longer than a segment. */
  readonly isLarge: boolean;
  /** Values are between these sizes, each doubling as likely as every other, in bytes. */
  readonly valueBytesMin: number;
  readonly valueBytesMax: number;
  /** The keys that are overwritten have this share of the memory... */
  readonly hotShare: number;
  /** ...and get this share of the writes. */
  readonly overwriteShare: number;
  /** So many items expire, after a time of which each doubling is as likely as every other. */
  readonly ttlShare: number;
  readonly ttlMsMin: number;
  readonly ttlMsMax: number;
}

const LIFE = { ttlShare: 0.5, ttlMsMin: 500, ttlMsMax: 3_600_000 } as const;

/** Small values of sizes that differ by two orders of magnitude. */
export const SMALL_MIX: Mix = {
  name: '20 B to 2 kB',
  isLarge: false,
  valueBytesMin: 20,
  valueBytesMax: 2000,
  hotShare: 0.6,
  overwriteShare: 0.7,
  ...LIFE,
};

/** Values of all sizes up to 4 MiB. */
export const LARGE_MIX: Mix = {
  name: '50 B to 4 MiB',
  isLarge: true,
  valueBytesMin: 50,
  valueBytesMax: 4 * 2 ** 20,
  hotShare: 0.6,
  overwriteShare: 0.7,
  ...LIFE,
};

/** One write of a stream. */
export interface Write {
  readonly key: string;
  readonly valueBytes: number;
  /** Milliseconds; undefined when the item does not expire. */
  readonly ttl: number | undefined;
}

const FRESH_KEYS = 1_000_000_000;

/** The mean of numbers of which each doubling between the bounds is as likely as every other. */
export function meanBetween(min: number, max: number): number {
  return (max - min) / Math.log(max / min);
}

/** How many keys of a mix have its hot share of so many bytes. */
export function hotKeysOf(mix: Mix, memoryBytes: number): number {
  const meanBytes = meanBetween(mix.valueBytesMin, mix.valueBytesMax);
  return Math.max(1, Math.round((memoryBytes * mix.hotShare) / meanBytes));
}

function between(random: Random, min: number, max: number): number {
  return Math.floor(min * (max / min) ** random.fraction());
}

/** The writes of one thread; the same seed repeats them. */
export class MixedWrites {
  readonly #mix: Mix;
  readonly #hotKeys: number;
  readonly #random: Random;
  #fresh: number;

  constructor(mix: Mix, hotKeys: number, thread: number, seed: number) {
    this.#mix = mix;
    this.#hotKeys = hotKeys;
    this.#random = seededRandom(seed + thread);
    this.#fresh = FRESH_KEYS * (thread + 1);
  }

  /** The next write. */
  next(): Write {
    const mix = this.#mix;
    const random = this.#random;
    const isOverwrite = random.fraction() < mix.overwriteShare;
    const expires = random.fraction() < mix.ttlShare;
    return {
      key: keyText(isOverwrite ? random.below(this.#hotKeys) : this.#fresh++),
      valueBytes: between(random, mix.valueBytesMin, mix.valueBytesMax),
      ttl: expires ? between(random, mix.ttlMsMin, mix.ttlMsMax) : undefined,
    };
  }
}
