/**
 * Where there is a tier, a value that memory evicts stays readable only if the log has written it
 * by then. A log for which nobody waits looks now and then what there is; who writes much wakes it.
 */
import type { StoreLane } from '../arena/storeLane.js';
import type { Signals } from '../log/signals.js';

/** The log is woken when a thread has made so many bytes of changes since it was last. */
export const HASTE_BYTES = 64 * 1024;

/** One thread's; see the top of this file. */
export class Haste {
  readonly #parts: StoreLane['parts'];
  readonly #signals: Pick<Signals, 'nudge'>;
  /** Where the feed of each arena stood when the log was woken last. */
  readonly #heads: Uint32Array;

  constructor({ parts }: Pick<StoreLane, 'parts'>, signals: Pick<Signals, 'nudge'>) {
    this.#parts = parts;
    this.#signals = signals;
    this.#heads = Uint32Array.from(parts, ({ feedHead }) => feedHead);
  }

  /** The core may have made changes. */
  look(): void {
    let bytes = 0;
    this.#parts.forEach(({ feedHead }, arena) => {
      bytes += (feedHead - (this.#heads[arena] ?? 0)) >>> 0;
    });
    if (bytes < HASTE_BYTES) return;
    this.#parts.forEach(({ feedHead }, arena) => {
      this.#heads[arena] = feedHead;
    });
    this.#signals.nudge();
  }
}
