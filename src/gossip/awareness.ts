/**
 * Local health (Lifeguard): a node that is slow itself sees others miss its deadlines. It counts
 * what speaks against itself and takes more time for its judgements while that is much.
 */

/**
 * The score that stands for the worst health; timeouts are at most `1 + SCORE_MAX` times longer.
 */
export const SCORE_MAX = 8;

/** How far a node trusts its own sense of time. */
export class Awareness {
  /** 0 is healthy. */
  #score = 0;

  /** 0 (healthy) to `SCORE_MAX`. */
  get score(): number {
    return this.#score;
  }

  /** Counts `points` against this node's health, or in its favour when negative. */
  blame(points: number): void {
    this.#score = Math.min(SCORE_MAX, Math.max(0, this.#score + points));
  }

  /** A span as long as this node needs for it now. */
  scaled(spanMs: number): number {
    return spanMs * (1 + this.#score);
  }
}
