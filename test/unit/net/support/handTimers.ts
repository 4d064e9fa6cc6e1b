import type { Clock } from '../../../../src/base/clock.js';
import type { Timer, Timers } from '../../../../src/base/timers.js';

interface Due {
  readonly atMs: number;
  readonly periodMs: number;
  readonly task: () => void;
}

/** A clock and timers that stand still until the test moves them. */
export class HandTimers implements Clock, Timers {
  #nowMs = 1_700_000_000_000;
  #soon: (() => void)[] = [];
  readonly #due = new Set<Due>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + delayMs, periodMs: 0, task });
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + periodMs, periodMs, task });
  }

  #add(due: Due): Timer {
    this.#due.add(due);
    const timer: Timer = { cancel: () => this.#due.delete(due), unref: () => timer };
    return timer;
  }

  /** Runs what is to run soon, once; how much it was. */
  turn(): number {
    const tasks = this.#soon;
    this.#soon = [];
    for (const task of tasks) task();
    return tasks.length;
  }

  /** Runs turns until nothing is to run soon. */
  settle(): void {
    for (let turns = 0; this.turn() > 0; turns++) {
      if (turns > 100_000) throw new Error('it never settles');
    }
  }

  /** Lets time pass, and runs what falls due. */
  pass(spanMs: number): void {
    const endMs = this.#nowMs + spanMs;
    for (;;) {
      const next = [...this.#due].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#due.delete(next);
      this.#nowMs = next.atMs;
      if (next.periodMs > 0) this.#due.add({ ...next, atMs: next.atMs + next.periodMs });
      next.task();
    }
    this.#nowMs = endMs;
  }
}
