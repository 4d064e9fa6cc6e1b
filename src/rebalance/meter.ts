/** Keeps what goes over below a number of bytes a second, with as much as a second's at once. */
import type { Clock } from '../base/clock.js';

/** Says how long to pause; see the top of this file. */
export class Meter {
  #bytesPerSecond: number;
  readonly #clock: Clock;
  /** Bytes that may go over right now; negative while more did than was allowed. */
  #allowance: number;
  #filledMs: number;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#allowance = bytesPerSecond;
    this.#filledMs = clock.monotonicMs();
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** From now on so many may. */
  setRate(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#allowance = Math.min(this.#allowance, bytesPerSecond);
  }

  /** So many bytes went over: how long to pause before more do, in milliseconds. */
  pauseAfter(bytes: number): number {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#filledMs) * this.#bytesPerSecond) / 1000;
    this.#allowance = Math.min(this.#bytesPerSecond, this.#allowance + gained) - bytes;
    this.#filledMs = nowMs;
    return this.#allowance >= 0 ? 0 : Math.ceil((-this.#allowance * 1000) / this.#bytesPerSecond);
  }
}
