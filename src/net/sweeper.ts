/**
 * Removes expired items that nobody asks for. A pass over the whole table takes about ten seconds,
 * in slices so short that no request waits for one; where much has expired, the sweeper comes back
 * sooner.
 */
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';

/** A pass over the whole table takes about this long. */
const PASS_MS = 10_000;
/** Between two slices; the shorter, the smaller the slices. */
const PERIOD_MS = 50;
/** Between two slices while many items are found expired. */
const EAGER_PERIOD_MS = 5;
/** A slice may take this long. */
const SLICE_MS = 1;
/** Lines swept between two looks at the clock. */
const STEP_LINES = 256;
/** One expired item in so many lines makes the sweeper eager. */
const EAGER_LINES = 16;

/** Sweeps the table from one lane, in the background. */
export class Sweeper {
  readonly #lane: StoreLane;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onFailure: (error: unknown) => void;
  #timer: Timer | undefined;

  constructor(lane: StoreLane, clock: Clock, timers: Timers, onFailure: (error: unknown) => void) {
    this.#lane = lane;
    this.#clock = clock;
    this.#timers = timers;
    this.#onFailure = onFailure;
  }

  /** Starts sweeping. */
  start(): void {
    this.#schedule(PERIOD_MS);
  }

  /** Ends sweeping. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#timers.after(delayMs, () => this.#sweep()).unref();
  }

  #sweep(): void {
    try {
      this.#schedule(this.slice() ? EAGER_PERIOD_MS : PERIOD_MS);
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** Sweeps one slice; whether it found so much that the next should come soon. */
  slice(): boolean {
    const lines = Math.ceil((this.#lane.sweepLines() * PERIOD_MS) / PASS_MS);
    const endMs = this.#clock.monotonicMs() + SLICE_MS;
    let swept = 0;
    let removed = 0;
    while (swept < lines) {
      const step = Math.min(STEP_LINES, lines - swept);
      removed += this.#lane.sweep(this.#clock.nowMs(), step);
      swept += step;
      if (this.#clock.monotonicMs() >= endMs) break;
    }
    return removed * EAGER_LINES > swept;
  }
}
