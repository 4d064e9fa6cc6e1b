/**
 * Who holds which lane, shared by all threads of a cache: one word per lane, 0 while it is free,
 * otherwise the number of its holder. A lane is claimed by one compare-and-swap, so a thread that
 * dies at any point has either claimed nothing or can be found by its number.
 */
const FREE = 0;

/** The lanes of an arena and their holders. */
export class LaneTable {
  readonly shared: SharedArrayBuffer;
  readonly #holders: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#holders = new Int32Array(shared);
  }

  /** A table of `lanes` free lanes. */
  static create(lanes: number): LaneTable {
    return new LaneTable(new SharedArrayBuffer(lanes * Int32Array.BYTES_PER_ELEMENT));
  }

  /** How many lanes there are. */
  get lanes(): number {
    return this.#holders.length;
  }

  /** Claims a free lane for `holder` (1 or more), or undefined when all are held. */
  claim(holder: number): number | undefined {
    for (let lane = 0; lane < this.lanes; lane++) {
      if (Atomics.compareExchange(this.#holders, lane, FREE, holder) === FREE) return lane;
    }
    return undefined;
  }

  /** The lane that `holder` holds, if it holds one. */
  laneOf(holder: number): number | undefined {
    for (let lane = 0; lane < this.lanes; lane++) {
      if (Atomics.load(this.#holders, lane) === holder) return lane;
    }
    return undefined;
  }

  /** Hands the lane of `from` to `to`; false when `from` does not hold it any more. */
  pass(lane: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#holders, lane, from, to) === from;
  }

  /** Frees a lane, which nothing may be left in. */
  free(lane: number): void {
    Atomics.store(this.#holders, lane, FREE);
  }
}
