import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Timers } from '../../base/timers.js';
import { FIGURE, type Tally } from '../board.js';

/** How late timers are is looked at this often; each look is a wake-up of an idle thread. */
const RESOLUTION_MS = 20;
const PERIOD_MS = 2000;
const NS_PER_US = 1000;

/** Keeps a thread's tally informed of how late its event loop ran in the last two seconds. */
export class LoopDelay {
  readonly #tally: Tally;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  /** Starts measuring, for as long as the thread lives. */
  constructor(tally: Tally, timers: Timers) {
    this.#tally = tally;
    this.#histogram.enable();
    timers.every(PERIOD_MS, () => this.#note()).unref();
  }

  #note(): void {
    const histogram = this.#histogram;
    if (histogram.count === 0) return;
    this.#tally[FIGURE.loopDelayP50Us] = lateUs(histogram.percentile(50));
    this.#tally[FIGURE.loopDelayP99Us] = lateUs(histogram.percentile(99));
    this.#tally[FIGURE.loopDelayMaxUs] = lateUs(histogram.max);
    histogram.reset();
  }
}

/** The histogram holds the whole time between two looks. */
function lateUs(intervalNs: number): number {
  return Math.max(0, intervalNs / NS_PER_US - RESOLUTION_MS * 1000);
}
