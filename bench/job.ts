/** A pool of requests that a lane works through, turn by turn, round and round. */
import type { Pool } from './driver/pool.js';
import type { BenchLane } from './lane.js';
import { HIT_BYTES, STORED_BYTES } from './orlopRequests.js';

/** Operations that are executed together, as a busy node gathers them from its sockets. */
export const TURN = 1024;

/** Bytes of answers that each turn brings when every GET hits and every SET stores. */
function bytesOfTurns(pool: Pool): Float64Array {
  const { sets } = pool.draws;
  const bytes = new Float64Array(Math.ceil(sets.length / TURN));
  sets.forEach((isSet, unit) => {
    const turn = Math.floor(unit / TURN);
    bytes[turn] = (bytes[turn] ?? 0) + (isSet === 1 ? STORED_BYTES : HIT_BYTES);
  });
  return bytes;
}

/** Work for one lane; every turn's answers are counted. */
export class Job {
  readonly pool: Pool;
  readonly #lane: BenchLane;
  readonly #renew: ((from: number, to: number) => void) | undefined;
  readonly #bytesOfTurns: Float64Array;
  readonly #units: number;
  #unit = 0;

  /** `renew` is told before every turn which units it may change. */
  constructor(lane: BenchLane, pool: Pool, renew?: (from: number, to: number) => void) {
    this.#lane = lane;
    this.pool = pool;
    this.#renew = renew;
    this.#bytesOfTurns = bytesOfTurns(pool);
    this.#units = pool.starts.length - 1;
  }

  /** One turn in frames of `perFrame`; returns how many operations it did. Throws on a miss. */
  turn(perFrame: number): number {
    const from = this.#unit === this.#units ? 0 : this.#unit;
    const to = Math.min(this.#units, from + TURN);
    this.#renew?.(from, to);
    const before = this.#lane.answerBytes;
    this.#lane.turn(this.pool, from, to, perFrame);
    const missing = (this.#bytesOfTurns[from / TURN] ?? 0) - (this.#lane.answerBytes - before);
    if (missing !== 0) throw new Error(`a turn of ${to - from} answers lacks ${missing} bytes`);
    this.#unit = to;
    return to - from;
  }

  /** Goes through the whole pool once; returns how many operations that were. */
  pass(perFrame: number): number {
    let done = 0;
    do done += this.turn(perFrame);
    while (this.#unit < this.#units);
    return done;
  }
}
