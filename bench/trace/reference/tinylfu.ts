/**
 * W-TinyLFU (Einziger, Friedman, Manes: "TinyLFU: a highly efficient cache admission policy", TOS
 * 2017, and "Adaptive software cache management", Middleware'18) as Caffeine has it. New keys live
 * in a window; what leaves it is admitted to the main part only if it was asked for more often than
 * the main part's next victim. The main part is a segmented LRU.
 *
 *     new --> window (LRU) --> probation (LRU) <--> protected (LRU)
 *                                  |
 *                                  `--> candidate against victim, by the sketch
 *
 * The window begins with a hundredth. After each ten requests for every key there is room for it
 * grows or shrinks by a step: on in the same direction while the hit ratio does not fall, else
 * back. Steps become shorter until the hit ratio jumps.
 *
 * Which way it climbs hangs on small things. With another salt of the sketch, misses differ by one
 * or two percent on caches of some hundred keys, so a reference is the median of several runs.
 */
import type { Random } from '../../../src/base/random.js';
import { Links, List } from './list.js';
import type { Simulation } from './simulation.js';
import { Sketch } from './sketch.js';

const ABSENT = 0;
const WINDOW = 1;
const PROBATION = 2;
const PROTECTED = 3;

const MAIN_SHARE = 0.99;
const PROTECTED_SHARE = 0.8;
/** From this frequency on a candidate that loses is admitted by chance, against attackers. */
const LUCKY_FREQUENCY = 6;
const LUCKY_ONE_IN = 128;

const STEP_SHARE = 0.0625;
const STEP_DECAY = 0.98;
/** A change of the hit ratio at which steps become long again. */
const RESTART_CHANGE = 0.05;

/** Decides by how much the window changes: climbs the hill of the hit ratio. */
class Climber {
  readonly #stepMax: number;
  readonly #sampleSize: number;
  #step: number;
  #requests = 0;
  #hits = 0;
  #ratioBefore = 0;

  constructor(capacity: number, sampleSize: number) {
    this.#stepMax = STEP_SHARE * capacity;
    this.#sampleSize = sampleSize;
    this.#step = -this.#stepMax;
  }

  /** Counts a request; returns by how many keys the window is to grow, mostly 0. */
  count(isHit: boolean): number {
    this.#requests++;
    if (isHit) this.#hits++;
    return this.#requests < this.#sampleSize ? 0 : this.#climb();
  }

  #climb(): number {
    const ratio = this.#hits / this.#requests;
    const change = ratio - this.#ratioBefore;
    const amount = change >= 0 ? this.#step : -this.#step;
    const isJump = Math.abs(change) >= RESTART_CHANGE;
    this.#step = isJump ? Math.sign(amount) * this.#stepMax : STEP_DECAY * amount;
    this.#ratioBefore = ratio;
    this.#requests = 0;
    this.#hits = 0;
    return Math.trunc(amount);
  }
}

/** W-TinyLFU with a window that climbs. */
export class TinyLfu implements Simulation {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #sketch: Sketch;
  readonly #climber: Climber;
  readonly #window: List;
  readonly #probation: List;
  readonly #protected: List;
  readonly #place: Uint8Array;
  #windowMax: number;
  #protectedMax: number;

  /** A cache for `capacity` of the keys 0..keys-1; `random` salts the sketch and admits losers. */
  constructor(capacity: number, keys: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
    this.#sketch = new Sketch(capacity, random.below(2 ** 32));
    this.#climber = new Climber(capacity, this.#sketch.sampleSize);
    const links = new Links(keys);
    this.#window = new List(links);
    this.#probation = new List(links);
    this.#protected = new List(links);
    this.#place = new Uint8Array(keys);
    this.#windowMax = capacity - Math.floor(capacity * MAIN_SHARE);
    this.#protectedMax = Math.floor((capacity - this.#windowMax) * PROTECTED_SHARE);
  }

  /** How many keys the window may hold now. */
  get windowMax(): number {
    return this.#windowMax;
  }

  request(key: number): boolean {
    this.#sketch.increment(key);
    const isHit = this.#place[key] !== ABSENT;
    if (isHit) this.#hit(key);
    else this.#insert(key);
    this.#resize(this.#climber.count(isHit));
    return isHit;
  }

  #hit(key: number): void {
    const place = this.#place[key];
    if (place === WINDOW) this.#window.renew(key);
    else if (place === PROTECTED) this.#protected.renew(key);
    else {
      this.#probation.remove(key);
      this.#protected.add(key);
      this.#place[key] = PROTECTED;
      this.#demote();
    }
  }

  #insert(key: number): void {
    this.#window.add(key);
    this.#place[key] = WINDOW;
    while (this.#window.size > this.#windowMax) this.#leaveWindow();
  }

  /** The oldest of the window goes to the main part, and one of it goes when that is full. */
  #leaveWindow(): void {
    const candidate = this.#window.removeOldest();
    const isFull = this.#size() >= this.#capacity;
    this.#probation.add(candidate);
    this.#place[candidate] = PROBATION;
    if (!isFull) return;
    const victim = this.#probation.oldest;
    const loser = this.#isAdmitted(candidate, victim) ? victim : candidate;
    this.#probation.remove(loser);
    this.#place[loser] = ABSENT;
  }

  #size(): number {
    return this.#window.size + this.#probation.size + this.#protected.size;
  }

  #isAdmitted(candidate: number, victim: number): boolean {
    const frequency = this.#sketch.frequency(candidate);
    if (frequency > this.#sketch.frequency(victim)) return true;
    return frequency >= LUCKY_FREQUENCY && this.#random.below(LUCKY_ONE_IN) === 0;
  }

  #demote(): void {
    while (this.#protected.size > this.#protectedMax) {
      const key = this.#protected.removeOldest();
      this.#probation.add(key);
      this.#place[key] = PROBATION;
    }
  }

  #resize(by: number): void {
    if (by > 0) this.#grow(Math.min(by, this.#protectedMax));
    else if (by < 0) this.#shrink(Math.min(-by, this.#windowMax - 1));
  }

  /** The window takes room from the protected part, and keys from the oldest of the main part. */
  #grow(by: number): void {
    this.#windowMax += by;
    this.#protectedMax -= by;
    this.#demote();
    for (let i = 0; i < by && this.#probation.size > 0; i++) {
      const key = this.#probation.removeOldest();
      this.#window.add(key);
      this.#place[key] = WINDOW;
    }
  }

  #shrink(by: number): void {
    this.#windowMax -= by;
    this.#protectedMax += by;
    for (let i = 0; i < by && this.#window.size > 0; i++) {
      const key = this.#window.removeOldest();
      this.#probation.add(key);
      this.#place[key] = PROBATION;
    }
  }
}
