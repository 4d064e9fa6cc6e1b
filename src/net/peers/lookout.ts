/**
 * Looks after those on a thread who wait for peers: whenever a peer has moved on, and every few
 * milliseconds for whoever has waited for too long. Where nobody waits, nothing is looked for.
 */
import type { Timer, Timers } from '../../base/timers.js';
import type { Reach } from '../../replication/reach.js';

/** What it looks with. */
export interface LookoutParts {
  readonly reach: Pick<Reach, 'moved' | 'whenMoved'>;
  readonly timers: Timers;
  /** Serves whoever has waited for long enough; whether somebody still waits. */
  readonly look: () => boolean;
}

/** How often it is looked whether somebody has waited for too long. */
const LOOK_MS = 20;

/** See the top of this file. */
export class Lookout {
  readonly #parts: LookoutParts;
  #watching = false;
  #timer: Timer | undefined;

  constructor(parts: LookoutParts) {
    this.#parts = parts;
  }

  /** Somebody waits: looks at once, and from then on. */
  begin(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#timer = this.#parts.timers.every(LOOK_MS, this.#parts.look);
    this.#watch();
  }

  #watch(): void {
    const { reach, look } = this.#parts;
    // Read before looking, so that nothing is missed in between.
    const { moved } = reach;
    if (look()) reach.whenMoved(moved, () => this.#watch());
    else {
      this.#watching = false;
      this.#timer?.cancel();
    }
  }

  /** Looks after nobody any more. */
  stop(): void {
    this.#timer?.cancel();
  }
}
