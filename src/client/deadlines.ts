import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';

/** Alarms closer together than this are one, in milliseconds. */
const GRAIN_MS = 2;

/**
 * One alarm for all deadlines. A timer per call would cost more than the call: instead the earliest
 * deadline is known, and when it comes the owner looks at all its calls and says which deadline is
 * the next. Calls that were answered cost nothing: their deadline is only found to be past
 * interest.
 */
export class DeadlineAlarm {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #due: (nowMs: number) => number;
  #timer: Timer | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  /** `due` fails what is overdue and returns the earliest deadline that is left, or infinity. */
  constructor(clock: Clock, timers: Timers, due: (nowMs: number) => number) {
    this.#clock = clock;
    this.#timers = timers;
    this.#due = due;
  }

  /** There is a call with this deadline on the monotonic clock. */
  watch(deadlineMs: number, nowMs: number): void {
    if (deadlineMs >= this.#atMs) return;
    this.#timer?.cancel();
    this.#arm(deadlineMs, nowMs);
  }

  #arm(deadlineMs: number, nowMs: number): void {
    this.#atMs = deadlineMs;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(GRAIN_MS, Math.ceil(deadlineMs - nowMs));
    this.#timer = this.#timers.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs();
    // Whatever `due` makes the program call is watched anew; the rest is what it returns.
    this.#atMs = Number.POSITIVE_INFINITY;
    const nextMs = this.#due(nowMs);
    this.watch(nextMs, nowMs);
  }

  /** Calls the alarm off. */
  stop(): void {
    this.#timer?.cancel();
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}
