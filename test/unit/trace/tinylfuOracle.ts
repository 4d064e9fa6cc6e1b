/** W-TinyLFU once more: Caffeine's sketch in 64-bit words as it is there, and lists as arrays. */
import type { Random } from '../../../src/base/random.js';
import type { Oracle } from './oracles.js';

/** Caffeine's `FrequencySketch`, line by line. */
export class SketchOracle {
  readonly #table: bigint[];
  readonly #sampleSize: number;
  readonly #salt: number;
  #size = 0;

  constructor(capacity: number, salt: number) {
    let words = 8;
    while (words < capacity) words *= 2;
    this.#table = Array.from({ length: words }, () => 0n);
    this.#sampleSize = 10 * capacity;
    this.#salt = salt;
  }

  #counters(key: number): { word: number; offset: bigint }[] {
    let x = key ^ this.#salt;
    x ^= x >>> 17;
    x = Math.imul(x, 0xed5ad4bb);
    x ^= x >>> 11;
    x = Math.imul(x, 0xac4c1b51);
    x ^= x >>> 15;
    const block = (x & ((this.#table.length >>> 3) - 1)) << 3;
    x = Math.imul(x, 0x31848bab);
    x ^= x >>> 14;
    return [0, 1, 2, 3].map((i) => {
      const h = x >>> (i << 3);
      return { word: block + (h & 1) + (i << 1), offset: BigInt(((h >>> 1) & 15) << 2) };
    });
  }

  frequency(key: number): number {
    const counts = this.#counters(key).map(
      ({ word, offset }) => ((this.#table[word] as bigint) >> offset) & 15n,
    );
    return Math.min(...counts.map(Number));
  }

  increment(key: number): void {
    let added = false;
    for (const { word, offset } of this.#counters(key)) {
      const value = this.#table[word] as bigint;
      if (((value >> offset) & 15n) === 15n) continue;
      this.#table[word] = value + (1n << offset);
      added = true;
    }
    if (added && ++this.#size === this.#sampleSize) this.#reset();
  }

  #reset(): void {
    let odd = 0;
    this.#table.forEach((value, word) => {
      let halved = 0n;
      for (let offset = 0n; offset < 64n; offset += 4n) {
        const counter = (value >> offset) & 15n;
        if (counter % 2n === 1n) odd++;
        halved |= (counter / 2n) << offset;
      }
      this.#table[word] = halved;
    });
    this.#size = Math.floor((this.#size - Math.floor(odd / 4)) / 2);
  }
}

function drop(list: number[], key: number): void {
  list.splice(list.indexOf(key), 1);
}

/** W-TinyLFU with the same draws as the simulation; arrays whose first is the next to go. */
class TinyLfuOracle {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #sketch: SketchOracle;
  readonly #window: number[] = [];
  readonly #probation: number[] = [];
  readonly #shielded: number[] = [];
  #windowMax: number;
  #shieldedMax: number;
  #step: number;
  #hits = 0;
  #requests = 0;
  #before = 0;

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
    this.#sketch = new SketchOracle(capacity, random.below(2 ** 32));
    this.#windowMax = capacity - Math.floor(capacity * 0.99);
    this.#shieldedMax = Math.floor((capacity - this.#windowMax) * 0.8);
    this.#step = -0.0625 * capacity;
  }

  request(key: number): boolean {
    this.#sketch.increment(key);
    const isHit = this.#touch(key);
    if (!isHit) this.#insert(key);
    this.#requests++;
    if (isHit) this.#hits++;
    if (this.#requests >= 10 * this.#capacity) this.#climb();
    return isHit;
  }

  #touch(key: number): boolean {
    if (this.#window.includes(key)) {
      drop(this.#window, key);
      this.#window.push(key);
      return true;
    }
    const list = [this.#probation, this.#shielded].find((one) => one.includes(key));
    if (list === undefined) return false;
    drop(list, key);
    this.#shielded.push(key);
    this.#demote();
    return true;
  }

  #demote(): void {
    while (this.#shielded.length > this.#shieldedMax) {
      this.#probation.push(this.#shielded.shift() as number);
    }
  }

  #insert(key: number): void {
    this.#window.push(key);
    if (this.#window.length <= this.#windowMax) return;
    const candidate = this.#window.shift() as number;
    this.#probation.push(candidate);
    const size = this.#window.length + this.#probation.length + this.#shielded.length;
    if (size <= this.#capacity) return;
    const victim = this.#probation[0] as number;
    const frequency = this.#sketch.frequency(candidate);
    const isBetter = frequency > this.#sketch.frequency(victim);
    const admit = isBetter || (frequency >= 6 && this.#random.below(128) === 0);
    drop(this.#probation, admit ? victim : candidate);
  }

  #climb(): void {
    const ratio = this.#hits / this.#requests;
    const amount = ratio >= this.#before ? this.#step : -this.#step;
    const isJump = Math.abs(ratio - this.#before) >= 0.05;
    const longest = 0.0625 * this.#capacity;
    this.#step = isJump ? longest * (amount >= 0 ? 1 : -1) : 0.98 * amount;
    this.#before = ratio;
    this.#hits = 0;
    this.#requests = 0;
    this.#resize(Math.trunc(amount));
  }

  #resize(wanted: number): void {
    const by = Math.max(-(this.#windowMax - 1), Math.min(this.#shieldedMax, wanted));
    this.#windowMax += by;
    this.#shieldedMax -= by;
    this.#demote();
    const isGrowing = by > 0;
    const from = isGrowing ? this.#probation : this.#window;
    const to = isGrowing ? this.#window : this.#probation;
    to.push(...from.splice(0, Math.abs(by)));
  }
}

/** W-TinyLFU as a function. */
export function tinyLfu(capacity: number, random: Random): Oracle {
  const cache = new TinyLfuOracle(capacity, random);
  return (key) => cache.request(key);
}
