/**
 * How far this node's clock is from those of its peers. Each answer of a peer that says what its
 * clock shows gives a sample, which is off by at most half of the time that the answer took; of the
 * last few samples of a peer the quickest counts. The median of all clocks, this node's included,
 * is taken for the right time: one wrong clock among three or more does not move it. Between two
 * middle ones the nearer counts, so of two nodes that differ neither holds itself to be wrong.
 *
 * What is kept is the difference to this node's monotonic clock, so that a jump of its own wall
 * clock shows at once.
 */

interface Sample {
  /** The peer's clock less this node's monotonic one, in milliseconds. */
  readonly aboveMs: number;
  readonly tookMs: number;
}

/** So many samples of a peer are looked at. */
const SAMPLES = 4;

/** The clocks of the peers, as far as they have told. */
export class Skew {
  readonly #samples = new Map<string, Sample[]>();

  /** A peer's clock showed `theirMs` between two moments of this node's monotonic clock. */
  note(id: string, theirMs: number, askedMs: number, answeredMs: number): void {
    const aboveMs = theirMs - (askedMs + answeredMs) / 2;
    const samples = this.#samples.get(id) ?? [];
    this.#samples.set(id, [...samples, { aboveMs, tookMs: answeredMs - askedMs }].slice(-SAMPLES));
  }

  /** Forgets all but these peers. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of [...this.#samples.keys()]) if (!ids.has(id)) this.#samples.delete(id);
  }

  /** How far this node's clock is ahead of the median, in milliseconds; behind it below 0. */
  ofMs(nowMs: number, monotonicMs: number): number {
    const ownMs = nowMs - monotonicMs;
    const ahead = [...this.#samples.values()].map((samples) => {
      const best = samples.reduce((a, b) => (b.tookMs < a.tookMs ? b : a));
      return ownMs - best.aboveMs;
    });
    return medianOf([...ahead, 0]);
  }
}

/** The one in the middle, or of two the one that is nearer to 0. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, high = 0] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.floor(sorted.length / 2)],
  ];
  return Math.abs(low) <= Math.abs(high) ? low : high;
}
