/** Which keys a bench asks for, in which order, and which of the requests are writes. */
import { seededRandom } from '../src/base/random.js';
import { zipfRanks } from './zipf.js';

/** How the keys of a bench are spread. */
export type Spread = 'uniform' | 'zipf';
/** The skew of the Zipf spread, as in YCSB. */
export const ZIPF_SKEW = 0.99;

/** A sequence of requests: the key of each, and 1 where it is a SET instead of a GET. */
export interface Draws {
  readonly keys: Uint32Array;
  readonly sets: Uint8Array;
}

/** The numbers 0..count-1 in random order. */
export function permutation(count: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const keys = Uint32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const other = random.below(i + 1);
    const kept = keys[i] ?? 0;
    keys[i] = keys[other] ?? 0;
    keys[other] = kept;
  }
  return keys;
}

/** `count` Zipf draws from `count` keys; the popular keys are scattered over all of them. */
function zipfKeys(count: number, seed: number): Uint32Array {
  const rank = zipfRanks(count, ZIPF_SKEW, seededRandom(seed));
  const scattered = permutation(count, 1);
  return Uint32Array.from({ length: count }, () => scattered[rank()] ?? 0);
}

/**
 * Requests over the keys 0..count-1: every key once in random order, or Zipf draws with repeats.
 */
export function draw(count: number, spread: Spread, setShare: number, seed: number): Draws {
  const random = seededRandom(seed ^ 0x5eed);
  const keys = spread === 'zipf' ? zipfKeys(count, seed) : permutation(count, seed);
  const sets = new Uint8Array(count);
  if (setShare > 0) for (let i = 0; i < count; i++) sets[i] = random.fraction() < setShare ? 1 : 0;
  return { keys, sets };
}

/** Writes of the keys from..to-1 in order: what fills a cache before a bench. */
export function fill(from: number, to: number): Draws {
  const keys = Uint32Array.from({ length: to - from }, (_, index) => from + index);
  return { keys, sets: new Uint8Array(to - from).fill(1) };
}

/** How fresh keys and keys that were written before alternate. */
export interface Churn {
  /** The first fresh key. */
  readonly from: number;
  readonly writes: number;
  /** The share of writes that go to one of the last `recent` keys. */
  readonly overwrites: number;
  readonly recent: number;
}

/** Writes of fresh keys from `from` on, and of random keys not long before them. */
export function churn({ from, writes, overwrites, recent }: Churn, seed: number): Draws {
  const random = seededRandom(seed);
  const fresh = 1 - overwrites;
  let next = from;
  const keys = Uint32Array.from({ length: writes }, (_, index) => {
    const due = next === 0 || from + Math.floor((index + 1) * fresh) > next;
    return due ? next++ : next - 1 - random.below(Math.min(recent, next));
  });
  return { keys, sets: new Uint8Array(writes).fill(1) };
}
