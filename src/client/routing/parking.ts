import { type OrlopError, QueueFullError, TimeoutError } from '../../protocol/errors.js';
import type { Settings } from '../options.js';

/** What waits until a node can be asked again. */
export interface Parked {
  readonly deadlineMs: number;
  readonly done: boolean;
  readonly waitingBytes: number;
  /** Tries again. */
  resume(nowMs: number): void;
  /** There is no use in waiting any longer. */
  fail(error: OrlopError): void;
}

type Bounds = Pick<Settings, 'maxQueuedCalls' | 'maxQueuedBytes'>;

/** Calls that no node can take now, within bounds. */
export class Parking {
  readonly #bounds: Bounds;
  #parked: Parked[] = [];
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** How many wait. */
  get length(): number {
    return this.#parked.length;
  }

  /** Lets one wait, or fails it when too many do. */
  add(parked: Parked): void {
    const { maxQueuedCalls, maxQueuedBytes } = this.#bounds;
    const { length } = this.#parked;
    if (length >= maxQueuedCalls || this.#bytes + parked.waitingBytes > maxQueuedBytes) {
      parked.fail(new QueueFullError(`${length} calls wait for a node already`));
      return;
    }
    this.#parked.push(parked);
    this.#bytes += parked.waitingBytes;
  }

  #take(): Parked[] {
    const parked = this.#parked;
    this.#parked = [];
    this.#bytes = 0;
    return parked.filter(({ done }) => !done);
  }

  /** Lets all try again whose deadline has not passed, and fails the others. */
  resume(nowMs: number): void {
    for (const parked of this.#take()) {
      if (parked.deadlineMs > nowMs) parked.resume(nowMs);
      else parked.fail(new TimeoutError('no node of the cluster took the call in time'));
    }
  }

  /** Fails all. */
  fail(error: OrlopError): void {
    for (const parked of this.#take()) parked.fail(error);
  }
}
