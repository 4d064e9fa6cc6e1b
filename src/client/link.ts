/**
 * Keeps one connection to one node alive. Every transition goes through here:
 *
 *   resting --start--> connecting --opened--> greeting --greeted--> up
 *      ^                   |                     |                   |
 *      +----- back-off ----+---------------------+------- lost ------+
 *
 * and from anywhere to `ended`: by `stop`, or when the node says that it will never take us. An
 * attempt that was given up may still tell things late (a browser cannot drop a socket at once), so
 * each attempt's events are heard only while it is the current one.
 */

import { messageOf } from '../base/errors.js';
import type { Timer } from '../base/timers.js';
import { AnswerReader } from '../protocol/answerReader.js';
import { DisconnectedError, OrlopError, ProtocolError } from '../protocol/errors.js';
import type { Greeting } from '../protocol/hello.js';
import { CLOSE_NORMAL } from '../protocol/wire.js';
import { backoffMs } from './backoff.js';
import { type EventListener, guarded } from './events.js';
import { finalErrorOf, helloFrame, isFinal, readGreeting } from './handshake.js';
import type { Settings } from './options.js';
import type { Runtime } from './runtime.js';
import type { Socket, SocketEvents } from './socket.js';

/** Who uses the connection. */
export interface LinkOwner {
  /** The node greeted us; requests may be sent. */
  linkUp(greeting: Greeting): void;
  /** A message of answers came. */
  linkReceived(message: Uint8Array): void;
  /** The connection is lost; another attempt follows. Also told when an attempt fails. */
  linkDown(error: OrlopError): void;
  /** There will be no connection any more. */
  linkFailed(error: OrlopError): void;
}

type State = 'resting' | 'connecting' | 'greeting' | 'up' | 'ended';

/** How long a closing connection may take before it is dropped, in milliseconds. */
const CLOSING_MS = 1000;

/**
 * One connection to one node, made again whenever it is lost. Where several addresses lead there,
 * an attempt that fails is followed by one at the next.
 */
export class Link {
  readonly #urls: readonly string[];
  readonly #settings: Settings;
  readonly #runtime: Runtime;
  readonly #owner: LinkOwner;
  readonly #tell: EventListener;
  readonly #reader = new AnswerReader();
  #state: State = 'resting';
  #socket: Socket | undefined;
  #events: SocketEvents | undefined;
  #timer: Timer | undefined;
  #attempt = 0;
  /** Which of the addresses is the next. */
  #turn = 0;
  #upSinceMs = 0;

  /** A link that rests until `start`. */
  constructor(urls: readonly string[], settings: Settings, runtime: Runtime, owner: LinkOwner) {
    this.#urls = urls;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#owner = owner;
    this.#tell = guarded(settings.onEvent);
  }

  get #url(): string {
    return this.#urls[this.#turn % this.#urls.length] ?? '';
  }

  /** Whether requests may be sent. */
  get up(): boolean {
    return this.#state === 'up';
  }

  /** Whether an attempt to connect is under way. */
  get coming(): boolean {
    return this.#state === 'connecting' || this.#state === 'greeting';
  }

  /** Failures since the last connection that lasted. */
  get failures(): number {
    return this.#attempt;
  }

  /** Bytes that were sent but have not yet left for the network. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  /** Begins to connect. */
  start(): void {
    if (this.#state !== 'resting') return;
    this.#state = 'connecting';
    const events: SocketEvents = {
      opened: () => this.#isCurrent(events) && this.#opened(),
      received: (message) => this.#isCurrent(events) && this.#received(message),
      violated: (what) => this.#isCurrent(events) && this.#violated(what),
      closed: (code, reason, cause) => this.#isCurrent(events) && this.#closed(code, reason, cause),
    };
    this.#events = events;
    const { connectTimeoutMs } = this.#settings;
    this.#timer = this.#runtime.timers.after(connectTimeoutMs, () =>
      this.drop(new DisconnectedError(`${this.#url} did not answer in ${connectTimeoutMs} ms`)),
    );
    this.#openSocket(events);
  }

  #openSocket(events: SocketEvents): void {
    try {
      this.#socket = this.#runtime.openSocket(this.#url, events);
    } catch (cause) {
      this.#end(
        new DisconnectedError(`cannot connect to ${this.#url}: ${messageOf(cause)}`, { cause }),
      );
    }
  }

  #isCurrent(events: SocketEvents): boolean {
    return this.#events === events;
  }

  #opened(): void {
    this.#state = 'greeting';
    this.#socket?.send(helloFrame(this.#settings.name, this.#settings.token));
  }

  #received(message: Uint8Array): void {
    if (this.#state === 'up') this.#owner.linkReceived(message);
    else if (this.#state === 'greeting') this.#greeted(message);
  }

  #greeted(message: Uint8Array): void {
    try {
      this.#reader.reset(message);
      if (!this.#reader.next()) throw new ProtocolError('the node sent an empty message');
      this.#up(readGreeting(this.#reader));
    } catch (error) {
      this.#refused(error instanceof OrlopError ? error : new ProtocolError(messageOf(error)));
    } finally {
      this.#reader.release();
    }
  }

  #up(greeting: Greeting): void {
    this.#timer?.cancel();
    this.#state = 'up';
    this.#upSinceMs = this.#runtime.clock.monotonicMs();
    this.#owner.linkUp(greeting);
    this.#tell({ type: 'connected', url: this.#url, server: greeting.server });
  }

  #refused(error: OrlopError): void {
    if (isFinal(error)) this.#end(error);
    else this.drop(error);
  }

  #violated(what: string): void {
    this.drop(new ProtocolError(`the node sent ${what}`));
  }

  #closed(code: number, reason: string, cause: unknown): void {
    const final = finalErrorOf(code, reason);
    if (final !== undefined) this.#end(final);
    else this.drop(this.#disconnected(code, reason, cause));
  }

  #disconnected(closeCode: number, reason: string, cause: unknown): DisconnectedError {
    const was = this.#state === 'up' ? 'lost the connection to' : 'cannot connect to';
    const why = cause === undefined ? reason : messageOf(cause);
    const message = `${was} ${this.#url}: ${why === '' ? 'closed' : why} (${closeCode})`;
    return new DisconnectedError(message, { closeCode, cause });
  }

  /** Sends a frame; only while the link is up. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#socket?.send(frame);
  }

  /** Gives the connection, or the attempt, up and tries again after a while. */
  drop(error: OrlopError): void {
    if (this.#state === 'ended' || this.#state === 'resting') return;
    if (this.#hadLasted()) this.#attempt = 0;
    const url = this.#url;
    if (this.#state !== 'up') this.#turn++;
    this.#abandon();
    this.#state = 'resting';
    const { backoffMinMs, backoffMaxMs } = this.#settings;
    const round = Math.floor(this.#attempt / this.#urls.length);
    const retryInMs = backoffMs(round, backoffMinMs, backoffMaxMs, this.#runtime.random);
    this.#attempt++;
    // A program that has nothing else to do may end; one that waits for a call has its deadline.
    this.#timer = this.#runtime.timers.after(retryInMs, () => this.start()).unref();
    this.#owner.linkDown(error);
    this.#tell({ type: 'disconnected', url, error, attempt: this.#attempt, retryInMs });
  }

  /** A connection that ends right after its greeting does not count as a success. */
  #hadLasted(): boolean {
    if (this.#state !== 'up') return false;
    return this.#runtime.clock.monotonicMs() - this.#upSinceMs >= this.#settings.backoffMaxMs;
  }

  #abandon(): void {
    this.#timer?.cancel();
    this.#events = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #end(error: OrlopError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#abandon();
    this.#owner.linkFailed(error);
    this.#tell({ type: 'failed', error });
  }

  /** Closes in good order and never connects again; resolves when the socket is gone. */
  stop(): Promise<void> {
    const wasUp = this.#state === 'up';
    const ended = this.#state === 'ended';
    this.#state = 'ended';
    const gone = wasUp ? this.#closeSocket() : Promise.resolve(this.#abandon());
    return ended ? gone : gone.then(() => this.#tell({ type: 'closed' }));
  }

  #closeSocket(): Promise<void> {
    return new Promise((resolve) => {
      const gone = (): void => {
        this.#abandon();
        resolve();
      };
      const events = this.#events;
      if (events !== undefined) events.closed = gone;
      this.#timer = this.#runtime.timers.after(CLOSING_MS, gone);
      this.#socket?.close(CLOSE_NORMAL, '');
    });
  }
}
