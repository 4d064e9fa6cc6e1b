/**
 * How long requests take, measured so rarely that it costs nothing: of every 16 turns of the gather
 * loop one is watched, from the arrival of its first frame to the last answer handed to a socket.
 * How many requests of each verb the turn held is the difference of the core's own counters, and
 * each of them is booked with the time of the whole turn, which is the most it can have taken.
 */

import { VERBS, type Verb } from '../arena/stats.js';
import type { Store } from '../arena/store.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import { HISTOGRAM_WORDS, HISTOGRAMS_AT, noteLatency, type Tally } from './board.js';

/** One turn in so many is watched. */
export const WATCHED_TURNS = 16;

const OUTCOMES = ['OK', 'MISS', 'ERROR'] as const;

/** Tells how many requests of each verb a lane has executed; the order is that of `VERBS`. */
export type VerbTotals = (into: Float64Array) => void;

/** A word that counts, and the memory it is in. */
interface Place {
  readonly words: Uint32Array;
  readonly at: number;
}

/** Reads the counters of a lane: the low halves, whose differences are right for 2^32 requests. */
export function verbTotals(store: Store, lane: StoreLane): VerbTotals {
  const blocks = lane.parts.map(({ memory, countersAt }) => ({
    words: new Uint32Array(memory.buffer),
    at: countersAt >>> 2,
  }));
  const placesOf = (verb: Verb): Place[] => {
    const counters = OUTCOMES.map((outcome) => `COUNTER_${verb.toUpperCase()}_${outcome}`);
    const offsets = counters.map((name) => 2 * store.constant(name));
    // A clear goes through every arena, and the first counts it.
    const counting = verb === 'clear' ? blocks.slice(0, 1) : blocks;
    return counting.flatMap(({ words, at }) =>
      offsets.map((offset) => ({ words, at: at + offset })),
    );
  };
  const places = VERBS.map(placesOf);
  return (into) => {
    for (let verb = 0; verb < places.length; verb++) {
      let sum = 0;
      for (const { words, at } of places[verb] ?? []) sum += words[at] ?? 0;
      into[verb] = sum;
    }
  };
}

/** Watches one turn in `WATCHED_TURNS`; see the top of this file. */
export class Stopwatch {
  readonly #totals: VerbTotals;
  readonly #tally: Tally;
  readonly #clock: Clock;
  readonly #before = new Float64Array(VERBS.length);
  readonly #after = new Float64Array(VERBS.length);
  #countdown = 1;
  #startMs = 0;
  #armed = false;

  constructor(totals: VerbTotals, tally: Tally, clock: Clock) {
    this.#totals = totals;
    this.#tally = tally;
    this.#clock = clock;
  }

  /** The first frame of a turn has come. */
  arm(): void {
    if (this.#armed || --this.#countdown > 0) return;
    this.#countdown = WATCHED_TURNS;
    this.#armed = true;
    this.#totals(this.#before);
    this.#startMs = this.#clock.monotonicMs();
  }

  /** The turn was interrupted, so that its time says nothing. */
  cancel(): void {
    this.#armed = false;
  }

  /** Everything the turn had is answered. */
  stop(): void {
    if (!this.#armed) return;
    this.#armed = false;
    const tookUs = (this.#clock.monotonicMs() - this.#startMs) * 1000;
    this.#totals(this.#after);
    for (let verb = 0; verb < VERBS.length; verb++) {
      const count = ((this.#after[verb] ?? 0) - (this.#before[verb] ?? 0)) >>> 0;
      if (count === 0) continue;
      noteLatency(this.#tally, HISTOGRAMS_AT + verb * HISTOGRAM_WORDS, tookUs, count);
    }
  }
}
