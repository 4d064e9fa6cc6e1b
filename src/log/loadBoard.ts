/**
 * What the threads that load a log share: which file is next, and how far each has come.
 *
 *    0 next file i32 | 4 stop i32 | 64 bytes, records, taken, refused, f64 each, of each thread
 */

const NEXT = 0;
const STOP = 1;
const HEAD_BYTES = 64;

/** What each thread counts. */
export const LOAD_FIGURES = ['bytes', 'records', 'taken', 'refused'] as const;
/** The name of a figure: bytes read, records seen, records merged, records that do not fit. */
export type LoadFigure = (typeof LOAD_FIGURES)[number];

/** The shared words of one loading; made from their buffer on each thread. */
export class LoadBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #figures: Float64Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEAD_BYTES / 4);
    this.#figures = new Float64Array(buffer, HEAD_BYTES);
  }

  /** A board for `threads` threads. */
  static create(threads: number): LoadBoard {
    return new LoadBoard(new SharedArrayBuffer(HEAD_BYTES + threads * LOAD_FIGURES.length * 8));
  }

  /** The index of a file that nobody else reads, from 0 on. */
  take(): number {
    return Atomics.add(this.#words, NEXT, 1);
  }

  /** Whether the threads should end early. */
  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** Lets all threads end early. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /** Adds to a figure of one thread, by that thread. */
  add(thread: number, figure: LoadFigure, count: number): void {
    const place = thread * LOAD_FIGURES.length + LOAD_FIGURES.indexOf(figure);
    this.#figures[place] = (this.#figures[place] ?? 0) + count;
  }

  /** A figure summed over all threads. */
  sum(figure: LoadFigure): number {
    let sum = 0;
    for (let at = LOAD_FIGURES.indexOf(figure); at < this.#figures.length; ) {
      sum += this.#figures[at] ?? 0;
      at += LOAD_FIGURES.length;
    }
    return sum;
  }
}
