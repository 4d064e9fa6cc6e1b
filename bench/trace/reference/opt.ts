/**
 * What no policy can beat: Belady's choice with a bypass. It knows the future, keeps the keys that
 * are asked for soonest, and does not store one that would be the first to go.
 *
 * A key in the cache is known by the position of its next request, and positions are different. So
 * the cache is a set of positions: a request at position p hits when p is in it, and the victim is
 * the largest. The set is a tree of bits, 32 to a word, whose depth is the logarithm of the length
 * to base 32; keys that never come again are in no cache.
 */
import type { Simulation } from './simulation.js';

const WORD_BITS = 32;
const NEVER = -1;

/** A set of numbers below a limit that knows its largest. */
class Positions {
  size = 0;
  readonly #levels: Uint32Array[] = [];

  constructor(limit: number) {
    let words = limit;
    do {
      words = Math.ceil(words / WORD_BITS);
      this.#levels.push(new Uint32Array(words));
    } while (words > 1);
  }

  has(position: number): boolean {
    const word = this.#levels[0]?.[position >>> 5] ?? 0;
    return ((word >>> (position & 31)) & 1) === 1;
  }

  add(position: number): void {
    this.size++;
    let at = position;
    for (const level of this.#levels) {
      const word = level[at >>> 5] as number;
      level[at >>> 5] = word | (1 << (at & 31));
      if (word !== 0) return;
      at >>>= 5;
    }
  }

  remove(position: number): void {
    this.size--;
    let at = position;
    for (const level of this.#levels) {
      const word = (level[at >>> 5] as number) & ~(1 << (at & 31));
      level[at >>> 5] = word;
      if (word !== 0) return;
      at >>>= 5;
    }
  }

  /** The largest of a set that is not empty. */
  largest(): number {
    let at = 0;
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const word = this.#levels[i]?.[at] ?? 0;
      at = (at << 5) | (31 - Math.clz32(word));
    }
    return at;
  }
}

/** For each request the position of the next one of its key, or `NEVER`. */
function nextPositions(stream: Uint32Array, keys: number): Int32Array {
  const next = new Int32Array(stream.length);
  const seen = new Int32Array(keys).fill(NEVER);
  for (let i = stream.length - 1; i >= 0; i--) {
    const key = stream[i] as number;
    next[i] = seen[key] as number;
    seen[key] = i;
  }
  return next;
}

/** Belady's optimum with a bypass; requests have to be those of the stream, in order. */
export class Opt implements Simulation {
  readonly #capacity: number;
  readonly #next: Int32Array;
  readonly #kept: Positions;
  #position = 0;

  /** A cache for `capacity` keys of `stream`, whose keys are 0..keys-1. */
  constructor(capacity: number, keys: number, stream: Uint32Array) {
    this.#capacity = capacity;
    this.#next = nextPositions(stream, keys);
    this.#kept = new Positions(stream.length);
  }

  request(): boolean {
    const position = this.#position++;
    const kept = this.#kept;
    const isHit = kept.has(position);
    if (isHit) kept.remove(position);
    const next = this.#next[position] as number;
    if (next === NEVER) return isHit;
    kept.add(next);
    if (kept.size > this.#capacity) kept.remove(kept.largest());
    return isHit;
  }
}
