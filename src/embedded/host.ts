import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { LaneTrap } from '../arena/lane.js';
import type { Store } from '../arena/store.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import { ClosedError } from '../protocol/errors.js';
import type { CacheHandle } from './handle.js';
import { LaneTable } from './laneTable.js';
import type { Seat } from './seat.js';

/** The holder that made the cache; guests count on from here. */
export const HOST = 1;

/** How often a few lines of the table are swept, in milliseconds. */
const SWEEP_PERIOD_MS = 100;

/** In how many of these periods the whole table is swept. */
const SWEEP_PERIODS = 300;

/** What a host works with. */
export interface HostParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
}

/**
 * The seat of the thread that made the cache. It issues handles, takes over what threads leave
 * behind when they end, and sweeps expired items out.
 */
export class Host implements Seat {
  readonly lane: StoreLane;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #table: LaneTable;
  readonly #ports = new Map<number, MessagePort>();
  readonly #sweep: Timer;
  #lastHolder = HOST;
  #closed = false;

  constructor(parts: HostParts) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#table = LaneTable.create(parts.store.lanes);
    this.lane = parts.store.openLane(this.#table.claim(HOST) ?? 0);
    const lines = Math.ceil(this.lane.sweepLines() / SWEEP_PERIODS);
    const sweep = (): void => this.#guard(() => this.lane.sweep(this.#clock.nowMs(), lines));
    this.#sweep = parts.timers.every(SWEEP_PERIOD_MS, sweep).unref();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A handle for one more thread. */
  issue(): CacheHandle {
    if (this.#closed) throw new ClosedError('the cache is closed');
    const { port1, port2 } = new MessageChannel();
    this.#lastHolder++;
    this.#watch(this.#lastHolder, port1);
    return {
      store: this.#store.handle,
      lanes: this.#table.shared,
      holder: this.#lastHolder,
      port: port2,
    };
  }

  #watch(holder: number, port: MessagePort): void {
    this.#ports.set(holder, port);
    port.on('close', () => this.#leave(holder));
    port.unref();
  }

  /** The thread behind `holder` has ended or has closed its cache. */
  #leave(holder: number): void {
    this.#ports.delete(holder);
    if (this.#closed) return;
    const lane = this.#table.laneOf(holder);
    if (lane === undefined) return;
    this.#guard(() => {
      this.lane.takeOver(lane, this.#clock.nowMs());
      this.#table.free(lane);
    });
  }

  /**
   * A trap outside of a verb has nobody to be thrown at: the cache closes, and the next verb says
   * so.
   */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof LaneTrap)) throw error;
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweep.cancel();
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }
}
