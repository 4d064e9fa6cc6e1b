import { type OrlopError, QueueFullError } from '../protocol/errors.js';
import type { Call } from './call.js';
import { Fifo } from './fifo.js';
import type { Settings } from './options.js';

type Bounds = Pick<Settings, 'maxQueuedCalls' | 'maxQueuedBytes'>;

/** The calls that wait for a connection or for room in it, in their order and within bounds. */
export class WaitingCalls {
  readonly #bounds: Bounds;
  readonly #calls = new Fifo<Call>();
  #bytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** How many wait. */
  get length(): number {
    return this.#calls.length;
  }

  /** Why there is no room for a call of which nothing was sent; nothing when there is. */
  refusalOf(call: Call): QueueFullError | undefined {
    const { maxQueuedCalls, maxQueuedBytes } = this.#bounds;
    const { length } = this.#calls;
    if (call.sent) return undefined;
    if (length < maxQueuedCalls && this.#bytes + call.waitingBytes <= maxQueuedBytes)
      return undefined;
    return new QueueFullError(`${length} calls with ${this.#bytes} bytes are waiting already`);
  }

  /** Puts one behind all others. */
  push(call: Call): void {
    this.#bytes += call.waitingBytes;
    this.#calls.push(call);
  }

  /** Takes the first. */
  shift(): Call | undefined {
    const call = this.#calls.shift();
    if (call !== undefined) this.#bytes -= call.waitingBytes;
    return call;
  }

  /** Takes those that are not done, first to last. */
  takeAll(): Call[] {
    this.#bytes = 0;
    return this.#calls.takeAll().filter((call) => !call.done);
  }

  /** Lets go of those that are done, wherever they stand. */
  sweep(): void {
    for (const call of this.takeAll()) this.push(call);
  }

  /** Takes those of which nothing was sent. */
  surrender(): Call[] {
    const waiting = this.takeAll();
    for (const call of waiting) if (call.sent) this.push(call);
    return waiting.filter(({ sent }) => !sent);
  }

  /** Ends all; one of which a part was sent ends with `interrupted` of the error. */
  fail(error: OrlopError, interrupted: (error: OrlopError) => OrlopError): void {
    for (const call of this.takeAll()) call.fail(call.sent ? interrupted(error) : error);
  }

  /** All, first to last. */
  [Symbol.iterator](): Iterator<Call> {
    return this.#calls[Symbol.iterator]();
  }
}
