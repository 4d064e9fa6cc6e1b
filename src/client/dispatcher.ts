/**
 * Brings calls to the node and answers to calls.
 *
 *   submit -> room on the connection? --yes--> frame -> end of tick -> socket
 *                     |no
 *                   queue, bounded ---- connection up, or answers made room ----> frame
 *
 * A call is put into the frame right away when nothing waits before it, and only then is nothing
 * copied. How much may be under way is bounded too: a node closes connections that send on and on
 * without reading. Every call ends: by its answer, by its deadline, or with the connection.
 */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Timer, Timers } from '../base/timers.js';
import { AnswerReader } from '../protocol/answerReader.js';
import {
  ClosedError,
  DisconnectedError,
  InvalidArgumentError,
  OrlopError,
  ProtocolError,
  TimeoutError,
} from '../protocol/errors.js';
import type { Greeting } from '../protocol/hello.js';
import type { Request } from '../protocol/request.js';
import { MAX_DEADLINE_MS } from '../protocol/wire.js';
import type { Call, Outlet } from './call.js';
import { DeadlineAlarm } from './deadlines.js';
import { Flights } from './flights.js';
import { Frames } from './frames.js';
import { Link, type LinkOwner } from './link.js';
import type { Settings } from './options.js';
import { probeOf } from './probe.js';
import type { Runtime } from './runtime.js';
import { WaitingCalls } from './waiting.js';
import { Watch } from './watch.js';

/**
 * What ends a batch of which a part was sent; the error itself is shared with calls that were not.
 */
function interrupted(cause: OrlopError): OrlopError {
  return new DisconnectedError(cause.message, { outcome: 'unknown', cause });
}

/** Whoever follows what becomes of a connection. */
export interface Onlooker {
  /** The node greeted us; what is asked now goes out before all calls. */
  greeted(greeting: Greeting): void;
  /** An answer to what was asked by `ask` came. */
  told(answer: AnswerReader): void;
  /** The connection is lost, or did not come about. */
  lost(): void;
  /** What the node has to know before it is asked the next thing, if there is something. */
  news?: (() => Request | undefined) | undefined;
}

/** Ids from here on are no calls: their requests may be answered again and again. */
export const FIRST_STANDING_ID = 0xffff_ff00;

/** Calls, their queue, and the connection that serves them. */
export class Dispatcher implements Outlet, LinkOwner {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #link: Link;
  readonly #flights = new Flights();
  readonly #frames: Frames;
  readonly #queue: WaitingCalls;
  readonly #alarm: DeadlineAlarm;
  readonly #watch: Watch;
  readonly #reader = new AnswerReader();
  readonly #onlooker: Onlooker;
  /** Calls wait even when the node is away: there is no other one. */
  #patient = true;
  /** Calls wait although the connection stands. */
  #held = false;
  /** The monotonic clock as it was when the current event began. */
  #nowMs = 0;
  #flushing = false;
  /** Why there is no connection now. */
  #lastError: OrlopError | undefined;
  /** Why there will be none any more; new calls fail with it. */
  #endError: OrlopError | undefined;
  #drained: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Begins to connect at once, to the first of the addresses that answers. */
  constructor(urls: readonly string[], settings: Settings, runtime: Runtime, onlooker: Onlooker) {
    this.#onlooker = onlooker;
    this.#settings = settings;
    this.#queue = new WaitingCalls(settings);
    this.#clock = runtime.clock;
    this.#timers = runtime.timers;
    this.#alarm = new DeadlineAlarm(runtime.clock, runtime.timers, (nowMs) => this.#expire(nowMs));
    this.#link = new Link(urls, settings, runtime, this);
    this.#frames = new Frames(settings.maxFrameBytes, (frame) => {
      this.#link.send(frame);
      this.#flights.markSent();
    });
    this.#watch = new Watch(settings, runtime, this.#flights, this.#link, () => this.#probe());
    this.#link.start();
  }

  /** Whether the node has greeted us and the connection stands. */
  get connected(): boolean {
    return this.#link.up;
  }

  /** Whether an attempt to connect is under way that follows no failure. */
  get coming(): boolean {
    return this.#link.coming && this.#link.failures === 0;
  }

  /** Whether a call that is submitted now may be served, rather than refused at once. */
  get reachable(): boolean {
    return this.#endError === undefined && (this.#link.up || this.#link.coming);
  }

  /** Whether anything is under way or waits. */
  get busy(): boolean {
    return this.#flights.count > 0 || this.#queue.length > 0;
  }

  /** How long the node has owed answers without a sign of life, in milliseconds. */
  silentMs(nowMs: number): number {
    return this.#link.up && this.#flights.count > 0 ? this.#watch.silentMs(nowMs) : 0;
  }

  /** There are other nodes: from now on calls wait here only while the connection comes up. */
  share(): void {
    this.#patient = false;
  }

  /** Lets calls wait until `release`, although the connection stands. */
  hold(): void {
    this.#held = true;
  }

  /** Ends `hold`. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#nowMs = this.#clock.monotonicMs();
    this.#drain();
    this.#flushSoon();
  }

  /** Takes away the calls that wait and of which nothing was sent. */
  surrender(): Call[] {
    return this.#queue.surrender();
  }

  /** All calls that are open here, each once. */
  openCalls(): Set<Call> {
    const calls = new Set<Call>(this.#queue);
    this.#flights.forEach((call) => {
      calls.add(call);
    });
    return calls;
  }

  /**
   * Sends a request that is no call, first in a frame of its own; its answers go to the onlooker.
   * Its id has to be `FIRST_STANDING_ID` or above. Only while the node is connected.
   */
  ask(request: Request): void {
    this.#frames.flush();
    this.#frames.append(request);
    this.#flushSoon();
  }

  #probe(): void {
    const nowMs = this.#clock.monotonicMs();
    this.submit(probeOf(nowMs, this.#settings.timeoutMs), nowMs);
  }

  /** Takes a call on; whatever happens, it is ended in time and nothing is thrown. */
  submit(call: Call, nowMs: number): void {
    this.#nowMs = nowMs;
    const refusal = this.#refusal();
    if (refusal === undefined) this.#accept(call);
    else call.fail(refusal);
  }

  #refusal(): OrlopError | undefined {
    if (this.#endError !== undefined) return this.#endError;
    if (this.#link.up) return undefined;
    if (this.#patient ? this.#settings.offlineQueue : this.#link.coming) return undefined;
    return this.#lastError ?? new DisconnectedError('the connection is not up yet');
  }

  #accept(call: Call): void {
    this.#alarm.watch(call.deadlineMs, this.#nowMs);
    const direct = this.#link.up && this.#queue.length === 0;
    if (!direct || !this.#feed(call)) this.#enqueue(call);
    if (direct) this.#flushSoon();
  }

  #enqueue(call: Call): void {
    const refusal = this.#queue.refusalOf(call);
    if (refusal !== undefined) {
      call.fail(refusal);
      return;
    }
    call.keep();
    this.#queue.push(call);
  }

  /** Puts what it can of a call; true when the call needs no more turn. */
  #feed(call: Call): boolean {
    try {
      return call.feed(this);
    } catch (error) {
      call.fail(error instanceof OrlopError ? error : new InvalidArgumentError(messageOf(error)));
      return true;
    }
  }

  hasRoom(): boolean {
    const { maxInFlightCalls, maxInFlightBytes } = this.#settings;
    const { count, bytes } = this.#flights;
    return count < maxInFlightCalls && bytes < maxInFlightBytes && !this.#held;
  }

  put(call: Call, place: number, request: Request): void {
    request.id = this.#flights.nextId();
    const leftMs = Math.max(1, Math.ceil(call.deadlineMs - this.#nowMs));
    request.deadlineMs = leftMs > MAX_DEADLINE_MS ? 0 : leftMs;
    const news = this.#onlooker.news?.();
    if (news !== undefined) this.ask(news);
    const size = this.#frames.append(request);
    if (this.#flights.count === 0) this.#watch.heard(this.#nowMs);
    this.#flights.take(call, place, size);
    if (this.#frames.full) this.#frames.flush();
  }

  #flushSoon(): void {
    if (this.#flushing || this.#frames.empty) return;
    this.#flushing = true;
    this.#timers.soon(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (!this.#link.up) return;
    this.#frames.flush();
    this.#drain();
    this.#flushSoon();
  }

  /** Puts what waits, in order, as far as there is room; a long batch goes on behind the others. */
  #drain(): void {
    while (this.#queue.length > 0 && this.hasRoom()) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      if (!call.done && !this.#feed(call)) this.#queue.push(call);
    }
  }

  linkUp(greeting: Greeting): void {
    this.#lastError = undefined;
    this.#frames.limit(greeting);
    this.#nowMs = this.#clock.monotonicMs();
    this.#watch.begin();
    this.#onlooker.greeted(greeting);
    this.#drain();
    this.#frames.flush();
  }

  linkReceived(message: Uint8Array): void {
    this.#nowMs = this.#clock.monotonicMs();
    this.#watch.heard(this.#nowMs);
    const reader = this.#reader;
    try {
      reader.reset(message);
      while (reader.next()) this.#answered(reader);
    } catch (error) {
      this.#link.drop(error instanceof OrlopError ? error : new ProtocolError(messageOf(error)));
    } finally {
      reader.release();
    }
    if (this.#queue.length > 0 && this.#link.up) {
      this.#drain();
      this.#flushSoon();
    }
    this.#checkDrained();
  }

  #answered(reader: AnswerReader): void {
    if (reader.id >= FIRST_STANDING_ID) {
      this.#onlooker.told(reader);
      return;
    }
    const place = this.#flights.placeOf(reader.id);
    const call = this.#flights.release(reader.id);
    if (call === undefined) throw new ProtocolError(`nobody asked what answer ${reader.id} says`);
    if (!call.done) call.settle(place, reader);
  }

  /** Fails what is overdue; returns the earliest deadline that is left. */
  #expire(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    const look = (call: Call): void => {
      if (call.done) return;
      if (call.deadlineMs <= nowMs) call.fail(this.#overdue(call));
      else nextMs = Math.min(nextMs, call.deadlineMs);
    };
    this.#flights.forEach(look);
    for (const call of this.#queue) look(call);
    this.#queue.sweep();
    this.#checkDrained();
    return nextMs;
  }

  #overdue(call: Call): TimeoutError {
    const cause = this.#lastError;
    const because = cause === undefined ? '' : ` (${cause.message})`;
    const where = call.sent ? 'no answer' : 'not sent';
    return new TimeoutError(`${where} within ${call.timeoutMs} ms${because}`, {
      outcome: call.sent ? 'unknown' : 'none',
      cause,
    });
  }

  linkDown(error: OrlopError): void {
    this.#lastError = error;
    this.#held = false;
    this.#watch.end();
    this.#loseFlights(error);
    if (this.#endError !== undefined) this.#queue.fail(this.#endError, interrupted);
    else if (!this.#patient) this.#queue.fail(error, interrupted);
    this.#checkDrained();
    this.#onlooker.lost();
  }

  /** Ends what was under way: what was sent may have been executed, what was not was not. */
  #loseFlights(error: OrlopError): void {
    this.#frames.discard();
    const { sent, unsent } = this.#flights.takeAll();
    const details = { cause: error };
    const unknown = new DisconnectedError(error.message, { ...details, outcome: 'unknown' });
    const none = new DisconnectedError(error.message, { ...details, outcome: 'none' });
    for (const call of sent) call.fail(unknown);
    for (const call of unsent) call.fail(none);
  }

  linkFailed(error: OrlopError): void {
    this.#endError ??= error;
    this.#watch.end();
    this.#alarm.stop();
    this.#loseFlights(error);
    this.#queue.fail(error, interrupted);
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#flights.count === 0 && this.#queue.length === 0) this.#drained?.();
  }

  /** Refuses new calls, waits up to `drainMs` for those under way, fails the rest, and hangs up. */
  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#shutDown(drainMs);
    return this.#closing;
  }

  async #shutDown(drainMs: number): Promise<void> {
    const closed = new ClosedError();
    this.#endError ??= closed;
    if (this.#link.up) await this.#settled(drainMs);
    this.#watch.end();
    this.#alarm.stop();
    this.#queue.fail(closed, interrupted);
    this.#closeFlights();
    await this.#link.stop();
  }

  #closeFlights(): void {
    const { sent, unsent } = this.#flights.takeAll();
    for (const call of sent) call.fail(new ClosedError(undefined, { outcome: 'unknown' }));
    for (const call of unsent) call.fail(new ClosedError());
  }

  #settled(drainMs: number): Promise<void> {
    this.#frames.flush();
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      this.#drained = () => {
        timer?.cancel();
        resolve();
      };
      timer = this.#timers.after(drainMs, this.#drained);
      this.#checkDrained();
    });
  }
}
