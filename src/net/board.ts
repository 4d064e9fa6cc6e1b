/**
 * The board is the little memory that all threads of a node share besides the arena: the state of
 * the node, the number of open connections, and for each lane a tally that only its thread writes.
 *
 *    0            4              8                          64
 *   +------------+--------------+--------------------------+----------------+----------------+ …
 *   | state      | connections  | unused                   | tally of lane 0| tally of lane 1|
 *   | i32 atomic | i32 atomic   |                          | f64 each       | f64 each       |
 *   +------------+--------------+--------------------------+----------------+----------------+ …
 *
 * A tally has one writer and needs no atomics; a reader on another thread may see two of its
 * figures from different moments, never half of one (they are aligned words of eight bytes).
 */
import { VERBS } from '../arena/stats.js';

/** The node is not ready yet. */
export const STARTING = 0;
/** The node serves. */
export const SERVING = 1;
/** The node finishes what it has and then stops. */
export const DRAINING = 2;

const STATE = 0;
const CONNECTIONS = 1;
const HEAD_BYTES = 64;

/** The figures that each thread keeps; the order is their place in the tally. */
export const FIGURES = [
  'opened',
  'closed',
  'turnedAway',
  'closedText',
  'closedTooBig',
  'closedMalformed',
  'closedUnauthenticated',
  'closedFrameTimeout',
  'closedPipelined',
  'closedSlow',
  'framesIn',
  'messagesOut',
  'bytesIn',
  'bytesOut',
  'http2xx',
  'http3xx',
  'http4xx',
  'http5xx',
  'turns',
  'waits',
  'loopDelayP50Us',
  'loopDelayP99Us',
  'loopDelayMaxUs',
  'tierFound',
  'tierLost',
  'tierReads',
  'knownNumber',
] as const;

/** The name of a figure in a tally. */
export type Figure = (typeof FIGURES)[number];

/** The place of each figure in a tally. */
export const FIGURE = Object.fromEntries(FIGURES.map((name, index) => [name, index])) as Readonly<
  Record<Figure, number>
>;

/** Upper bounds of the latency buckets in microseconds; one more bucket takes what is above. */
export const LATENCY_BOUNDS_US = [
  10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 1_000_000,
] as const;

/** The buckets of one verb, then the sum of its latencies in microseconds. */
export const HISTOGRAM_WORDS = LATENCY_BOUNDS_US.length + 2;
/** Where the histograms start in a tally. */
export const HISTOGRAMS_AT = FIGURES.length;

/** Where the histogram of reads from the tier starts, behind those of the verbs. */
export const TIER_HISTOGRAM_AT = HISTOGRAMS_AT + VERBS.length * HISTOGRAM_WORDS;

const TALLY_WORDS = TIER_HISTOGRAM_AT + HISTOGRAM_WORDS;
/** Tallies start on cache lines of their own, so that threads do not slow each other down. */
const TALLY_BYTES = Math.ceil((TALLY_WORDS * 8) / 64) * 64;

/** One thread's figures, see `FIGURE`, followed by its latency histograms. */
export type Tally = Float64Array<SharedArrayBuffer>;

/** Adds to the word of a tally that is at a place, as `FIGURE` says them. */
export function addTo(tally: Tally, at: number, more = 1): void {
  tally[at] = (tally[at] ?? 0) + more;
}

/** The bucket of a latency. */
function bucketOf(tookUs: number): number {
  let bucket = 0;
  while (tookUs > (LATENCY_BOUNDS_US[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
  return bucket;
}

/** Adds `count` times the same latency to the histogram that starts at a place of a tally. */
export function noteLatency(tally: Tally, histogramAt: number, tookUs: number, count = 1): void {
  addTo(tally, histogramAt + bucketOf(tookUs), count);
  addTo(tally, histogramAt + HISTOGRAM_WORDS - 1, count * tookUs);
}

/** Counts a read from the tier. */
export function noteTierRead(tally: Tally, tookUs: number): void {
  addTo(tally, FIGURE.tierReads);
  noteLatency(tally, TIER_HISTOGRAM_AT, tookUs);
}

/** What the threads of a node share besides the arena; made from its buffer on each thread. */
export class Board {
  readonly buffer: SharedArrayBuffer;
  readonly lanes: number;
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.lanes = (buffer.byteLength - HEAD_BYTES) / TALLY_BYTES;
    this.#words = new Int32Array(buffer, 0, HEAD_BYTES / 4);
  }

  /** A new board for a node with `lanes` lanes. */
  static create(lanes: number): Board {
    return new Board(new SharedArrayBuffer(HEAD_BYTES + lanes * TALLY_BYTES));
  }

  /** `STARTING`, `SERVING` or `DRAINING`. */
  get state(): number {
    return Atomics.load(this.#words, STATE);
  }

  set state(state: number) {
    Atomics.store(this.#words, STATE, state);
  }

  /** Open connections of all threads. */
  get connections(): number {
    return Atomics.load(this.#words, CONNECTIONS);
  }

  /** Counts a connection in, unless there are `limit` already. */
  admit(limit: number): boolean {
    if (Atomics.add(this.#words, CONNECTIONS, 1) < limit) return true;
    Atomics.sub(this.#words, CONNECTIONS, 1);
    return false;
  }

  /** Counts `count` connections out. */
  release(count: number): void {
    Atomics.sub(this.#words, CONNECTIONS, count);
  }

  /** The lowest number of the configurations that threads go by. */
  get knownNumber(): number {
    const lanes = Array.from({ length: this.lanes }, (_, lane) => lane);
    return Math.min(...lanes.map((lane) => this.tally(lane)[FIGURE.knownNumber] ?? 0));
  }

  /** The figures of one lane. */
  tally(lane: number): Tally {
    return new Float64Array(this.buffer, HEAD_BYTES + lane * TALLY_BYTES, TALLY_WORDS);
  }
}
