/**
 * What the thread of the log and the threads it serves tell each other, in a memory they share.
 *
 *    0 work | 4 started | 8 durable | 12 state | 16 moved, i32 each | 64 figures, f64 each
 *
 * The log works in rounds: it takes what every feed has published, writes it, and syncs. `started`
 * is the number of the round it began last, `durable` that of the last one whose changes are all on
 * disk. Whoever has made or seen a change and then reads `started` knows that the next round takes
 * it along: the change is safe once `durable` has reached that number, its *ticket*. Numbers of
 * rounds wrap around.
 *
 * `work` changes to wake the log. `moved` changes with `durable` and with `state`, and is what the
 * others wait at: they read it, look at the two, and wait until it is not what they read.
 */
import { Mark } from '../base/mark.js';
import { STATUS } from '../protocol/status.js';

/** The log writes as it should. */
export const RUNNING = 0;
/** The device is full: nothing more is taken until it has room. */
export const FULL = 1;
/** A write or a sync failed: nothing is confirmed any more until the node is started anew. */
export const FAILED = 2;
/** The log was closed in order. */
export const CLOSED = 3;

/** One of the states above. */
export type LogState = typeof RUNNING | typeof FULL | typeof FAILED | typeof CLOSED;

/** The status of changes while the log is in a state; 0 when they are taken. */
export function refusalIn(state: LogState): number {
  if (state === RUNNING) return 0;
  return state === FULL ? STATUS.DISK_FULL : STATUS.DISK_FAILED;
}

const WORK = 0;
const STARTED = 1;
const DURABLE = 2;
const STATE = 3;
const MOVED = 4;
const HEAD_BYTES = 64;

/** What the log counts; the order is the place in the memory. */
export const LOG_FIGURES = [
  'records',
  'bytes',
  'rounds',
  'syncs',
  'syncMs',
  'syncMsMax',
  'files',
  'logBytes',
  'pendingBytes',
  'fulls',
  // The rest is set by the main thread.
  'compactions',
  'compactedBytes',
  'droppedBytes',
] as const;

/** The name of a figure. */
export type LogFigure = (typeof LOG_FIGURES)[number];

const PLACE = Object.fromEntries(LOG_FIGURES.map((name, index) => [name, index])) as Readonly<
  Record<LogFigure, number>
>;

/** The shared words; made from their buffer on each thread. */
export class Signals {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #figures: Float64Array<SharedArrayBuffer>;
  readonly #work: Mark;
  readonly #moved: Mark;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEAD_BYTES / 4);
    this.#figures = new Float64Array(buffer, HEAD_BYTES, LOG_FIGURES.length);
    this.#work = new Mark(this.#words, WORK);
    this.#moved = new Mark(this.#words, MOVED);
  }

  /** Fresh words, for a log that runs. */
  static create(): Signals {
    return new Signals(new SharedArrayBuffer(HEAD_BYTES + LOG_FIGURES.length * 8));
  }

  /** `RUNNING`, `FULL`, `FAILED` or `CLOSED`. */
  get state(): LogState {
    return Atomics.load(this.#words, STATE) as LogState;
  }

  /** Changes the state and wakes who waits. Only the log does that, and who finds it dead. */
  set state(state: LogState) {
    Atomics.store(this.#words, STATE, state);
    this.#moved.move();
  }

  /** A ticket for all changes that the caller has made or seen. */
  ticket(): number {
    return (Atomics.load(this.#words, STARTED) + 1) | 0;
  }

  /** Whether the changes of a ticket are on disk. */
  isDurable(ticket: number): boolean {
    return ((Atomics.load(this.#words, DURABLE) - ticket) | 0) >= 0;
  }

  /** Wakes the log: there is something to do. */
  nudge(): void {
    this.#work.move();
  }

  /** What `whenMoved` compares with; to be read before looking at tickets and state. */
  get moved(): number {
    return this.#moved.value;
  }

  /** Calls `look` once a round became durable or the state changed since `moved` was read. */
  whenMoved(moved: number, look: () => void): void {
    this.#moved.whenMoved(moved, look);
  }

  /** The log begins a round; its number. */
  begin(): number {
    return (Atomics.add(this.#words, STARTED, 1) + 1) | 0;
  }

  /** Everything up to a round is on disk. */
  finish(round: number): void {
    Atomics.store(this.#words, DURABLE, round);
    this.#moved.move();
  }

  /** What `waitForWork` compares with. */
  get work(): number {
    return this.#work.value;
  }

  /** Blocks the log's thread until it is woken since `work` was read, for at most `timeoutMs`. */
  waitForWork(work: number, timeoutMs: number): void {
    this.#work.wait(work, timeoutMs);
  }

  /** A figure of the log. */
  figure(name: LogFigure): number {
    return this.#figures[PLACE[name]] ?? 0;
  }

  /** Each figure has one thread that sets and adds. */
  set(name: LogFigure, value: number): void {
    this.#figures[PLACE[name]] = value;
  }

  add(name: LogFigure, value: number): void {
    this.set(name, this.figure(name) + value);
  }
}
