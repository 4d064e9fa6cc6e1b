/**
 * What this node knows of the ranges, where the cluster is divided into some: how large they are,
 * from a sample of its keys, and how hot, from a sample of the requests that clients sent to it.
 *
 * A scan goes through a store in the order of hashes, so a part of it is a fair sample of the keys,
 * wherever it begins: each round goes on where the last one stopped, and costs the same however
 * much the node holds. Figures are those of whole windows, and of the newest configuration only.
 */
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import type { HeatReader } from '../net/peers/heat.js';
import { type Ask, entriesOf, type Page, walk } from '../net/peers/pages.js';
import { question } from '../net/peers/said.js';
import { loadsFrom, type NodeLoads } from '../rebalance/loads.js';
import type { Weighed } from '../rebalance/middle.js';
import type { ClusterView } from '../ring/view.js';

/** What a reporter works with. */
export interface RangeReporterParts {
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly heat: Pick<HeatReader, 'take'>;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** How many keys this node has. */
  readonly items: () => number;
}

/** How often requests are collected, in milliseconds. */
const LOOK_MS = 500;
/** For how long they are, before they say something. */
const WINDOW_MS = 5_000;
const PAGE_KEYS = 256;
const PAGES = 16;
const PAGE_PAUSE_MS = 5;

/** One node's; see the top of this file. */
export class RangeReporter {
  readonly #parts: RangeReporterParts;
  #timer: Timer | undefined;
  /** The configuration of the window, and when that began in monotonic milliseconds. */
  #number = -1;
  #sinceMs = 0;
  #requests: Weighed[] = [];
  #loads: NodeLoads | undefined;
  #cursor = 0n;
  /** What the last round found. */
  #keys: readonly Uint8Array[] = [];
  #values: readonly Weighed[] = [];
  #walking = false;
  #stopped = false;

  constructor(parts: RangeReporterParts) {
    this.#parts = parts;
  }

  /** Begins to look. */
  start(): void {
    this.#timer = this.#parts.timers.every(LOOK_MS, () => this.#look()).unref();
  }

  /** Ends at once. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What it knows under the newest configuration; nothing while that is too new. */
  get loads(): NodeLoads | undefined {
    return this.#loads?.number === this.#parts.view.configuration?.number ? this.#loads : undefined;
  }

  #look(): void {
    const { view, clock, heat, items } = this.#parts;
    const { configuration } = view;
    if (configuration?.partitioner !== 'range') return;
    const requests = heat.take();
    const nowMs = clock.monotonicMs();
    if (this.#number !== configuration.number) {
      // What came in before belongs to other ranges.
      this.#begin(configuration.number, nowMs);
      return;
    }
    for (const one of requests) this.#requests.push(one);
    const windowMs = nowMs - this.#sinceMs;
    if (windowMs < WINDOW_MS || this.#walking) return;
    const store = { keys: this.#keys, values: this.#values, items: items() };
    const ranges = loadsFrom(configuration.layout.ranges, store, this.#requests, windowMs);
    this.#loads = { number: configuration.number, ranges };
    this.#begin(configuration.number, nowMs);
  }

  #begin(number: number, nowMs: number): void {
    this.#number = number;
    this.#sinceMs = nowMs;
    this.#requests = [];
    if (!this.#walking) this.#walk();
  }

  /** Samples the keys of the store. */
  #walk(): void {
    const { timers, askOwn } = this.#parts;
    const keys: Uint8Array[] = [];
    const values: Weighed[] = [];
    let pages = 0;
    this.#walking = true;
    walk({
      ...{ timers, ask: askOwn, cursor: this.#cursor, pageKeys: PAGE_KEYS },
      wanted: () => pages < PAGES && !this.#stopped,
      onPage: (page, next) => {
        pages++;
        for (const { key } of entriesOf(page)) keys.push(key);
        this.#weigh(page, (value) => {
          if (value !== undefined) values.push(value);
          next(PAGE_PAUSE_MS);
        });
      },
      done: (_, cursor) => {
        this.#walking = false;
        this.#cursor = cursor;
        [this.#keys, this.#values] = [keys, values];
      },
    });
  }

  /** How long the value of one key of a page is; the tombstone of a key has none. */
  #weigh(page: Page, settle: (value: Weighed | undefined) => void): void {
    const { random, askOwn } = this.#parts;
    const entries = entriesOf(page);
    const key = entries[random.below(Math.max(1, entries.length))]?.key;
    if (key === undefined) settle(undefined);
    else {
      askOwn(question(key, true), (answer) => {
        settle(answer && { key, weight: answer.bodyEnd - answer.bodyAt });
      });
    }
  }
}
