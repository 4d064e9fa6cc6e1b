/** What a real node does about ranges: tells of them and, as the steward, divides them. */
import { systemClock } from '../base/clock.js';
import { systemRandom } from '../base/random.js';
import { systemTimers } from '../base/timers.js';
import type { Config } from '../config/config.js';
import type { Log } from '../net/log.js';
import { HeatReader, heatMemory } from '../net/peers/heat.js';
import type { Ask } from '../net/peers/pages.js';
import type { ClusterView } from '../ring/view.js';
import type { Calls } from './calls.js';
import type { SeatedCouncil } from './council.js';
import { RangeReporter } from './rangeReporter.js';
import { Splitting } from './splitting.js';

/** What it is made from. */
export interface RangesParts {
  readonly calls: Calls;
  readonly seat: SeatedCouncil;
  readonly config: Config;
  readonly log: Log;
  readonly view: ClusterView;
  /** What requests of clients are noted in. */
  readonly heat?: SharedArrayBuffer | undefined;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** How many keys this node has. */
  readonly items: () => number;
}

/** What is going on about ranges. */
export interface Ranges {
  readonly splitting: Splitting;
  readonly stop: () => void;
}

/** Tells how large and how hot ranges are, and divides them where this node is the steward. */
export function rangesFor(parts: RangesParts): Ranges {
  const { calls, seat, log, view, askOwn, items, config, heat = heatMemory(1) } = parts;
  const { splitBytes, splitRequestsPerSecond, rebalancePercent } = config.cluster;
  const shared = { view, clock: systemClock, timers: systemTimers };
  const sources = { random: systemRandom, heat: new HeatReader(heat), askOwn, items };
  const reporter = new RangeReporter({ ...shared, ...sources });
  const splitting = new Splitting({
    ...{ ...shared, calls, log, reporter },
    isSteward: () => seat.isSteward,
    wish: (change) => seat.council.wish(change),
    maxBytes: splitBytes,
    hotRequestsPerSecond: splitRequestsPerSecond,
    thresholdPercent: rebalancePercent,
  });
  reporter.start();
  splitting.start();
  const stop = (): void => {
    reporter.stop();
    splitting.stop();
  };
  return { splitting, stop };
}
