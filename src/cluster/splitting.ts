/**
 * Divides ranges by themselves. The steward asks all members every few seconds what they know of
 * the ranges, and wishes for a step that divides the one which needs it most. One at a time, none
 * while partitions move, and none for a while after: what is halved has to show what became of it.
 */
import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Log } from '../net/log.js';
import { loadsIn, type NodeLoads, reportsOf, toldLoads } from '../rebalance/loads.js';
import { type RangeReport, type Split, type SplitLimits, splitOf } from '../rebalance/splits.js';
import type { Change } from '../ring/change.js';
import { type Configuration, compareKeys } from '../ring/configuration.js';
import type { ClusterView } from '../ring/view.js';
import type { Calls } from './calls.js';
import { Decisions } from './decisions.js';

/** What dividing works with. */
export interface SplittingParts {
  readonly view: ClusterView;
  readonly calls: Pick<Calls, 'ask' | 'serve'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly reporter: { readonly loads: NodeLoads | undefined };
  readonly isSteward: () => boolean;
  readonly wish: (change: Change) => void;
  /** The most bytes of a range; 0 for any. */
  readonly maxBytes: number;
  /** Requests a second from which on a range is hot; 0 for never. */
  readonly hotRequestsPerSecond: number;
  /** How far above its share a node may be, in percent. */
  readonly thresholdPercent: number;
}

/** What came of dividing on one node. */
export interface SplitFigures {
  /** How often this node, as the steward, has divided a range, by the reason. */
  readonly size: number;
  readonly heat: number;
}

/** What is known of all ranges, as people see it. */
export interface SplittingDocument {
  readonly limits: { readonly bytes: number; readonly requests_per_second: number };
  readonly ranges: number;
  readonly largest_bytes: number;
  readonly hottest_requests_per_second: number;
  /** What this node has divided since it started. */
  readonly splits: SplitFigures;
}

/** How often the steward asks, in milliseconds. */
const LOOK_MS = 3_000;
/** How long nothing is divided after something was, in milliseconds. */
const PAUSE_MS = 10_000;
/** How long it is waited for a step that no majority agrees to, in milliseconds. */
const GIVE_UP_MS = 60_000;

const orNever = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

/** Members that own anything. */
function ownersIn({ layout }: Configuration): number {
  return layout.members.filter(({ weight }) => weight > 0).length;
}

/** One node's; see the top of this file. */
export class Splitting {
  /** How far above its share a node may be, in percent; changed while it runs. */
  thresholdPercent: number;
  readonly #parts: SplittingParts;
  readonly #decisions: Decisions;
  readonly #figures = { size: 0, heat: 0 };
  #timer: Timer | undefined;
  #busy = false;
  #stopped = false;
  #pausedUntilMs = 0;
  /** A split that nobody has agreed to yet. */
  #open: Uint8Array | undefined;
  #openSinceMs = 0;

  constructor(parts: SplittingParts) {
    this.#parts = parts;
    this.thresholdPercent = parts.thresholdPercent;
    const { view, timers, wish } = parts;
    this.#decisions = new Decisions({ view, timers, wish });
    parts.calls.serve('ranges', () => {
      const { loads } = parts.reporter;
      return loads === undefined ? null : toldLoads(loads);
    });
  }

  /** Begins to look. */
  start(): void {
    this.#timer = this.#parts.timers.every(LOOK_MS, () => void this.#look()).unref();
  }

  /** Ends at once. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What this node has divided. */
  get figures(): SplitFigures {
    return this.#figures;
  }

  /** What is known of all ranges, in their order; nothing where there are none. */
  async reports(): Promise<readonly RangeReport[] | undefined> {
    const { view, calls, reporter } = this.#parts;
    const { configuration } = view;
    if (configuration?.partitioner !== 'range') return undefined;
    const others = configuration.layout.members.filter(
      ({ id }) => id !== view.self && view.isAlive(id),
    );
    const answers = await Promise.all(others.map(({ id }) => calls.ask(id, 'ranges', null)));
    const all = [reporter.loads, ...answers.map(loadsIn)].filter((loads) => loads !== undefined);
    const fresh = all.filter(({ number }) => number === configuration.number);
    return reportsOf(configuration.layout.ranges, fresh);
  }

  /** What is known of them together. */
  documentOf(reports: readonly RangeReport[]): SplittingDocument {
    const { maxBytes, hotRequestsPerSecond } = this.#parts;
    return {
      limits: { bytes: maxBytes, requests_per_second: hotRequestsPerSecond },
      ranges: reports.length,
      largest_bytes: Math.max(0, ...reports.map(({ bytes }) => bytes)),
      hottest_requests_per_second: Math.max(0, ...reports.map((one) => one.requestsPerSecond)),
      splits: { ...this.#figures },
    };
  }

  /** Where something may be divided now; nothing while it may not. */
  get #ready(): Configuration | undefined {
    const { view, clock, isSteward } = this.#parts;
    const { configuration } = view;
    if (configuration?.partitioner !== 'range' || configuration.leaving !== undefined) {
      return undefined;
    }
    if (clock.monotonicMs() < this.#pausedUntilMs || this.#isOpen(configuration)) return undefined;
    return !this.#stopped && isSteward() ? configuration : undefined;
  }

  #isOpen({ layout }: Configuration): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    const isMade = layout.ranges.some(({ from }) => compareKeys(from, open) === 0);
    const isLate = this.#parts.clock.monotonicMs() - this.#openSinceMs > GIVE_UP_MS;
    if (isMade || isLate) this.#open = undefined;
    return !isMade && !isLate;
  }

  /** Where everybody owns everything alike, a hot range can't be shared out any further. */
  #limitsIn(configuration: Configuration): SplitLimits {
    const { view, maxBytes, hotRequestsPerSecond } = this.#parts;
    const spreads = view.isLed || configuration.layout.replicas < ownersIn(configuration);
    return {
      maxBytes: orNever(maxBytes),
      hotRequestsPerSecond: orNever(spreads ? hotRequestsPerSecond : 0),
      threshold: this.thresholdPercent / 100,
    };
  }

  async #look(): Promise<void> {
    const configuration = this.#ready;
    if (this.#busy || configuration === undefined) return;
    this.#busy = true;
    const reports = (await this.reports()) ?? [];
    const split = splitOf(reports, ownersIn(configuration), this.#limitsIn(configuration));
    // The answers took a while, and were about the ranges as they were.
    if (split !== undefined && this.#ready === configuration) await this.#divide(split);
    this.#busy = false;
  }

  async #divide({ from, why }: Split): Promise<void> {
    const { clock, log } = this.#parts;
    const decision = await this.#decisions.decide({ kind: 'split', from });
    const nowMs = clock.monotonicMs();
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    [this.#open, this.#openSinceMs] = [decision.kind === 'open' ? from : undefined, nowMs];
    // Where is not said: split points are made of keys.
    if (decision.kind === 'refused') log.warn({ why, refused: decision.why }, 'range not divided');
    if (decision.kind !== 'agreed') return;
    this.#figures[why]++;
    const { number, layout } = decision.configuration;
    log.info({ why, number, ranges: layout.ranges.length }, 'range divided');
  }
}
