/** What the scale bench asks of the arena. */
import type { Spread } from '../draws.js';

/** Requests of one kind over one spread of keys. */
export interface Work {
  readonly name: string;
  readonly spread: Spread;
  /** Share of SETs, 0 to 1. */
  readonly setShare: number;
  /** The SETs bring keys that were never there, to an arena that is full. */
  readonly fresh: boolean;
}

/**
 * Everything the bench measures, in order: the overwrites come first, so that what is read later
 * lies where churn has left it.
 */
export const WORKS: readonly Work[] = [
  { name: 'SET uniform', spread: 'uniform', setShare: 1, fresh: false },
  { name: 'GET uniform', spread: 'uniform', setShare: 0, fresh: false },
  { name: '90/10 uniform', spread: 'uniform', setShare: 0.1, fresh: false },
  { name: 'SET zipf', spread: 'zipf', setShare: 1, fresh: false },
  { name: 'GET zipf', spread: 'zipf', setShare: 0, fresh: false },
  { name: '90/10 zipf', spread: 'zipf', setShare: 0.1, fresh: false },
  { name: 'SET new, evicting', spread: 'uniform', setShare: 1, fresh: true },
];

/** Requests in one frame. */
export const FRAME_SIZES = [64, 16, 1] as const;

/** Operations per second that one thread must reach in frames of 64, by the name of the work. */
export const GOALS: ReadonlyMap<string, number> = new Map([
  ['GET uniform', 6e6],
  ['SET uniform', 4e6],
  ['SET new, evicting', 2e6],
]);

/** Throughput of two threads, of one: what those works must reach as well. */
export const TWO_THREADS_GOAL = 1.85;
