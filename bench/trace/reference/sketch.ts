/**
 * How often keys were asked for lately, in four bits each: the count-min sketch of Caffeine
 * (`FrequencySketch.java`). A key has four counters in one block of eight 64-bit words, one in each
 * quarter of it, and its frequency is their minimum. After as many increments as ten times the
 * capacity all counters are halved.
 *
 *     block   | words 0 1 | words 2 3 | words 4 5 | words 6 7 |   a word has 16 counters
 *                 ^           ^           ^           ^
 */
const COUNTERS_PER_KEY = 4;
const COUNTER_MAX = 15;
const WORDS_PER_BLOCK = 8;
const SAMPLE_PER_ROOM = 10;
/** The lowest bit of each counter in half a word, and all but the highest. */
const ODD_BITS = 0x1111_1111;
const HALVED_BITS = 0x7777_7777;

function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Spreads a word over 32 bits, of which the lower choose a block. */
function blockHash(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 17), 0xed5a_d4bb);
  x = Math.imul(x ^ (x >>> 11), 0xac4c_1b51);
  return x ^ (x >>> 15);
}

/** The 32 bits of which eight each choose a counter in the block. */
function counterHash(hash: number): number {
  const x = Math.imul(hash, 0x3184_8bab);
  return x ^ (x >>> 14);
}

/** The frequencies of keys, by count-min with four-bit counters that age. */
export class Sketch {
  /** How many increments there are between two halvings. */
  readonly sampleSize: number;
  /** Halves of words, the lower one first. */
  readonly #halves: Uint32Array;
  readonly #blockMask: number;
  readonly #salt: number;
  #increments = 0;

  /** A sketch for a cache of `capacity` keys; `salt`, any 32 bits, decides which keys collide. */
  constructor(capacity: number, salt: number) {
    const words = Math.max(WORDS_PER_BLOCK, 2 ** Math.ceil(Math.log2(capacity)));
    this.#halves = new Uint32Array(words * 2);
    this.#blockMask = words / WORDS_PER_BLOCK - 1;
    this.#salt = salt;
    this.sampleSize = capacity * SAMPLE_PER_ROOM;
  }

  /** How often `key` was asked for lately, 0 to 15. */
  frequency(key: number): number {
    const hash = blockHash(key ^ this.#salt);
    const chosen = counterHash(hash);
    const block = (hash & this.#blockMask) * WORDS_PER_BLOCK;
    let least = COUNTER_MAX;
    for (let i = 0; i < COUNTERS_PER_KEY; i++) {
      const bits = chosen >>> (i << 3);
      const counter = (bits >>> 1) & 15;
      const half = (block + (bits & 1) + (i << 1)) * 2 + (counter >>> 3);
      const count = ((this.#halves[half] as number) >>> ((counter & 7) << 2)) & COUNTER_MAX;
      if (count < least) least = count;
    }
    return least;
  }

  /** Counts a request for `key`. */
  increment(key: number): void {
    const hash = blockHash(key ^ this.#salt);
    const chosen = counterHash(hash);
    const block = (hash & this.#blockMask) * WORDS_PER_BLOCK;
    let isAdded = false;
    for (let i = 0; i < COUNTERS_PER_KEY; i++) {
      const bits = chosen >>> (i << 3);
      const counter = (bits >>> 1) & 15;
      const half = (block + (bits & 1) + (i << 1)) * 2 + (counter >>> 3);
      const shift = (counter & 7) << 2;
      const word = this.#halves[half] as number;
      if (((word >>> shift) & COUNTER_MAX) === COUNTER_MAX) continue;
      this.#halves[half] = word + (1 << shift);
      isAdded = true;
    }
    if (isAdded && ++this.#increments === this.sampleSize) this.#halve();
  }

  #halve(): void {
    const halves = this.#halves;
    let odd = 0;
    for (let i = 0; i < halves.length; i++) {
      const word = halves[i] as number;
      odd += bitsIn(word & ODD_BITS);
      halves[i] = (word >>> 1) & HALVED_BITS;
    }
    this.#increments = (this.#increments - (odd >>> 2)) >>> 1;
  }
}
