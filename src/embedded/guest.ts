import type { MessagePort } from 'node:worker_threads';
import { LaneTrap } from '../arena/lane.js';
import type { Store } from '../arena/store.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import { ClosedError, InvalidArgumentError } from '../protocol/errors.js';
import type { CacheHandle } from './handle.js';
import { HOST } from './host.js';
import { LaneTable } from './laneTable.js';
import type { Seat } from './seat.js';

/** Ports that a cache of this thread uses or used; their close speaks for one cache only. */
const spent = new WeakSet<MessagePort>();

function claim(table: LaneTable, handle: CacheHandle): number {
  if (spent.has(handle.port)) {
    throw new InvalidArgumentError('the handle is used up: ask the cache for one per attachCache');
  }
  const lane = table.claim(handle.holder);
  if (lane === undefined) {
    throw new ClosedError(
      `all ${table.lanes} places of the cache are taken: make it with a larger maxThreads`,
    );
  }
  spent.add(handle.port);
  return lane;
}

/** The seat of a thread that attached to a cache. */
export class Guest implements Seat {
  readonly lane: StoreLane;
  readonly #clock: Clock;
  readonly #table: LaneTable;
  readonly #holder: number;
  readonly #port: MessagePort;
  #closed = false;

  constructor(handle: CacheHandle, store: Store, clock: Clock) {
    this.#clock = clock;
    this.#table = new LaneTable(handle.lanes);
    this.#holder = handle.holder;
    this.#port = handle.port;
    this.lane = store.openLane(claim(this.#table, handle));
    this.#port.on('close', () => this.#orphan());
    this.#port.unref();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The host has ended or has closed its cache: one guest takes over what it left behind. */
  #orphan(): void {
    if (this.#closed) return;
    const lane = this.#table.laneOf(HOST);
    if (lane === undefined || !this.#table.pass(lane, HOST, this.#holder)) return;
    try {
      this.lane.takeOver(lane, this.#clock.nowMs());
      this.#table.free(lane);
    } catch (error) {
      if (!(error instanceof LaneTrap)) throw error;
      this.close();
    }
  }

  /** The host sees the port close, and takes the lane over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.close();
  }
}
