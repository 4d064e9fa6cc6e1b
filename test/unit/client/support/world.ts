/**
 * A world for the client in which time passes only when a test says so, and sockets do what it
 * says. It is for timing alone: what a real node does is tested against a real node.
 */
import type { Clock } from '../../../../src/base/clock.js';
import type { Timer, Timers } from '../../../../src/base/timers.js';
import { type Client, connectThrough } from '../../../../src/client/client.js';
import type { ClientEvent } from '../../../../src/client/events.js';
import type { ClientOptions } from '../../../../src/client/options.js';
import type { Runtime } from '../../../../src/client/runtime.js';
import type { Socket, SocketEvents } from '../../../../src/client/socket.js';
import { type Answer, encodeAnswer } from '../../../../src/protocol/answer.js';
import { FrameWriter } from '../../../../src/protocol/frameWriter.js';
import { encodeGreeting } from '../../../../src/protocol/hello.js';
import { RequestReader } from '../../../../src/protocol/requestReader.js';
import { STATUS } from '../../../../src/protocol/status.js';
import { readText } from '../../../../src/protocol/text.js';
import { ANSWER_HAS_VALUE, ENCODING_UTF8, OP_HELLO } from '../../../../src/protocol/wire.js';

interface Task {
  readonly atMs: number;
  readonly run: () => void;
  readonly referenced: { is: boolean };
}

/** One request as the node's side of a socket sees it. */
export interface SeenRequest {
  readonly id: number;
  readonly opcode: number;
  readonly level: number;
  readonly deadlineMs: number;
  readonly key: string;
  readonly value: string;
}

/** The node's end of a socket that the client opened. */
export class FakeSocket implements Socket {
  readonly frames: Uint8Array[] = [];
  closedWith: number | undefined;
  terminated = false;
  bufferedBytes = 0;
  readonly url: string;
  readonly events: SocketEvents;

  constructor(url: string, events: SocketEvents) {
    this.url = url;
    this.events = events;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    this.frames.push(message.slice());
  }

  close(code: number): void {
    this.closedWith = code;
    this.events.closed(code, '', undefined);
  }

  terminate(): void {
    this.terminated = true;
  }

  /** All requests that came, hello excepted. */
  requests(): SeenRequest[] {
    return this.frames.flatMap((frame) => requestsIn(frame)).filter((r) => r.opcode !== OP_HELLO);
  }

  /** Lets the connection stand and greets the client. */
  greet(maxValueBytes = 1024, facts: object = {}): void {
    this.events.opened();
    const greeting = JSON.parse(encodeGreeting('fake/1', maxValueBytes)) as object;
    const body = JSON.stringify({ ...greeting, ...facts });
    const flags = ANSWER_HAS_VALUE;
    this.answer({ id: 0, opcode: OP_HELLO, status: 0, flags, encoding: ENCODING_UTF8, body });
  }

  /** Answers in one message. */
  answer(...answers: Answer[]): void {
    const writer = new FrameWriter();
    for (const answer of answers) encodeAnswer(writer, answer);
    this.events.received(writer.frame());
  }

  /** Answers requests with text, by default their own key. */
  answerTo(requests: readonly SeenRequest[], text = (request: SeenRequest) => request.key): void {
    this.answer(
      ...requests.map((request) => ({
        id: request.id,
        opcode: request.opcode,
        status: STATUS.OK,
        flags: ANSWER_HAS_VALUE,
        encoding: ENCODING_UTF8,
        body: text(request),
      })),
    );
  }
}

/** The requests of a frame. */
export function requestsIn(frame: Uint8Array): SeenRequest[] {
  const reader = new RequestReader(frame);
  const seen: SeenRequest[] = [];
  while (reader.next()) {
    const { id, opcode, level, deadlineMs } = reader;
    seen.push({
      id,
      opcode,
      level,
      deadlineMs,
      key: readText(reader.key()),
      value: readText(reader.value()),
    });
  }
  if (reader.malformed) throw new Error('the client sent a malformed frame');
  return seen;
}

/** Time, chance and sockets under the hand of a test. */
export class World {
  nowMs = 1000;
  /** What the next random fraction is. */
  fraction = 0.5;
  readonly sockets: FakeSocket[] = [];
  readonly events: ClientEvent[] = [];
  #tasks: Task[] = [];
  #soon: (() => void)[] = [];

  readonly clock: Clock = { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs };

  readonly timers: Timers = {
    after: (delayMs, run) => this.#schedule(delayMs, run),
    every: (periodMs, run) => this.#repeat(periodMs, run),
    soon: (task) => void this.#soon.push(task),
  };

  readonly runtime: Runtime = {
    clock: this.clock,
    timers: this.timers,
    random: {
      fraction: () => this.fraction,
      below: () => 0,
      bytes: (length) => new Uint8Array(length),
    },
    openSocket: (url, events) => {
      const socket = new FakeSocket(url, events);
      this.sockets.push(socket);
      return socket;
    },
  };

  /** A client in this world. */
  connect(options: ClientOptions = {}): Client {
    const onEvent = (event: ClientEvent): void => void this.events.push(event);
    return connectThrough(this.runtime, 'ws://node:1', { onEvent, ...options });
  }

  /** A client in this world that is greeted. */
  greeted(options: ClientOptions = {}, maxValueBytes?: number): Client {
    const client = this.connect(options);
    this.socket.greet(maxValueBytes);
    return client;
  }

  /** The socket that was opened last. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  #schedule(delayMs: number, run: () => void): Timer {
    const referenced = { is: true };
    const task = { atMs: this.nowMs + delayMs, run, referenced };
    this.#tasks.push(task);
    const timer: Timer = {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== task);
      },
      unref: () => {
        referenced.is = false;
        return timer;
      },
    };
    return timer;
  }

  #repeat(periodMs: number, run: () => void): Timer {
    let cancelled = false;
    let current: Timer;
    const again = (): void => {
      if (cancelled) return;
      current = this.#schedule(periodMs, again);
      run();
    };
    current = this.#schedule(periodMs, again);
    const timer: Timer = {
      cancel: () => {
        cancelled = true;
        current.cancel();
      },
      unref: () => {
        current.unref();
        return timer;
      },
    };
    return timer;
  }

  /** Ends the turn of the event loop: what was to run soon runs, and promises settle. */
  async tick(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (const task of this.#soon.splice(0)) task();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass, with all that is due on the way. */
  async pass(spanMs: number): Promise<void> {
    const endMs = this.nowMs + spanMs;
    await this.tick();
    for (;;) {
      const due = this.#tasks.filter((task) => task.atMs <= endMs);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((task) => task !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
      await this.tick();
    }
    this.nowMs = endMs;
  }

  /** Whether something scheduled would keep the process alive. */
  get awake(): boolean {
    return this.#tasks.some((task) => task.referenced.is);
  }
}

/** What became of a promise, without waiting for it. */
export interface Fate<T> {
  state: 'open' | 'kept' | 'broken';
  value?: T;
  error?: unknown;
}

/** Watches a promise. */
export function fateOf<T>(promise: Promise<T>): Fate<T> {
  const fate: Fate<T> = { state: 'open' };
  promise.then(
    (value) => Object.assign(fate, { state: 'kept', value }),
    (error: unknown) => Object.assign(fate, { state: 'broken', error }),
  );
  return fate;
}
