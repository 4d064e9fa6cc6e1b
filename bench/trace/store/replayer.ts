/**
 * One thread's part of a replay. The stream is dealt out in turns of consecutive requests, each as
 * long as a frame: whoever is free takes the next. A turn is a frame of GETs and a frame of SETs
 * for what missed.
 *
 * The obvious frame distorts: a key that is in it twice misses twice, and two threads that meet the
 * same new key at the same time both miss it, which is a matter of the application and not of the
 * policy. So a key is marked while a request for it is under way. A frame ends in front of a
 * request whose key is marked, be it by this frame or by another thread, and goes on when the mark
 * is gone. Every miss has thus been stored before its key is looked at again. What is left is that
 * the order of requests differs from the stream's by a frame for each thread, and by more where the
 * system stops a thread in its turn; a frame is at most a 512th of what there is room for.
 *
 * The clock is the stream's: a request a millisecond.
 */
import { DONE, type Lane, WAIT } from '../../../src/arena/lane.js';
import { STATUS } from '../../../src/protocol/status.js';
import {
  ANSWER_HEADER_BYTES,
  ANSWER_STATUS_AT,
  ID_AT,
  SIZE_AT,
} from '../../../src/protocol/wire.js';
import { type Copies, keyOf } from '../copies.js';
import { Gets, Sets } from './requests.js';
import type { Shape } from './shape.js';

/** What the threads of a replay share. */
export interface Shared {
  /** The key of each request of the stream. */
  readonly keys: Uint32Array;
  /** So many programs ask for the same, each under keys of its own, one after the other. */
  readonly copies: Copies;
  /** For each key the request from which on it has expired; empty where nothing expires. */
  readonly expiries: Uint32Array;
  /** For each key 1 while a request for it is under way. */
  readonly marks: Int32Array;
  /** One word: the first request that nobody has taken. */
  readonly cursor: Int32Array;
  /** The time of the first request, in Unix milliseconds. */
  readonly startMs: number;
  readonly shape: Shape;
}

/** What a thread did. */
export interface Replayed {
  readonly requests: number;
  readonly misses: number;
  /** How often a frame had to be taken up again because other threads held memory. */
  readonly waits: number;
}

const CONNECTION = 1;
const STATUS_MASK = 0xff;
/** Beyond any stream. */
const LONG_MS = 2 ** 31;
/** A frame that finds no memory for so long means that the store is stuck. */
const WAIT_LIMIT_MS = 5000;
/** Looks at the mark of another thread before sleeping on it. */
const SPINS = 200;
const NAP_MS = 0.1;
const nap = new Int32Array(new SharedArrayBuffer(4));

/** A lane that works through a stream as a program with a cache in front of its database would. */
export class Replayer {
  readonly #lane: Lane;
  readonly #grants: number;
  readonly #shared: Shared;
  readonly #words: Uint32Array;
  readonly #gets: Gets;
  readonly #sets: Sets;
  /** The keys of the frame in work, and the places in it that missed. */
  readonly #keys: Uint32Array;
  readonly #missed: Uint32Array;
  #missedCount = 0;
  #misses = 0;
  #requests = 0;
  #waits = 0;
  #nowMs = 0;

  /** A replayer whose frames may use the verbs of `grants`. */
  constructor(lane: Lane, grants: number, shared: Shared) {
    this.#lane = lane;
    this.#grants = grants;
    this.#shared = shared;
    this.#words = new Uint32Array(lane.memory.buffer);
    this.#gets = new Gets(shared.shape);
    this.#sets = new Sets(shared.shape);
    this.#keys = new Uint32Array(shared.shape.frame);
    this.#missed = new Uint32Array(shared.shape.frame);
  }

  /** Takes turns until the stream is at its end. */
  run(): Replayed {
    const { copies, cursor, shape } = this.#shared;
    for (;;) {
      const from = Atomics.add(cursor, 0, shape.frame);
      if (from >= copies.requests) break;
      this.#turn(from, Math.min(copies.requests, from + shape.frame));
    }
    return { requests: this.#requests, misses: this.#misses, waits: this.#waits };
  }

  #turn(from: number, to: number): void {
    this.#requests += to - from;
    let next = from;
    while (next < to) {
      const count = this.#gather(next, to);
      if (count === 0) this.#awaitMark(next);
      else this.#work(next, count);
      next += count;
    }
  }

  /** Marks keys and writes their GETs up to the first that is marked; how many those are. */
  #gather(from: number, to: number): number {
    const { keys, copies, marks } = this.#shared;
    let count = 0;
    for (; from + count < to; count++) {
      const key = keyOf(keys, copies, from + count);
      if (Atomics.compareExchange(marks, key, 0, 1) !== 0) break;
      this.#keys[count] = key;
      this.#gets.write(count, key);
    }
    return count;
  }

  #awaitMark(request: number): void {
    const { keys, copies, marks } = this.#shared;
    const key = keyOf(keys, copies, request);
    for (let spins = 0; Atomics.load(marks, key) !== 0; spins++) {
      if (spins > SPINS) Atomics.wait(marks, key, 1, NAP_MS);
    }
  }

  #work(from: number, count: number): void {
    this.#nowMs = this.#shared.startMs + from;
    this.#missedCount = 0;
    this.#execute(this.#gets.frame(count), this.#takeRead);
    if (this.#missedCount > 0) this.#store(from);
    this.#misses += this.#missedCount;
    for (let i = 0; i < count; i++) Atomics.store(this.#shared.marks, this.#keys[i] as number, 0);
  }

  #store(from: number): void {
    for (let i = 0; i < this.#missedCount; i++) {
      const place = this.#missed[i] as number;
      const key = this.#keys[place] as number;
      const expiry = this.#shared.expiries[key] ?? LONG_MS;
      this.#sets.write(i, key, Math.max(1, expiry - from));
    }
    this.#execute(this.#sets.frame(this.#missedCount), this.#takeStored);
  }

  #execute(frame: Uint8Array, take: (at: number) => void): void {
    const lane = this.#lane;
    if (!lane.push(CONNECTION, this.#grants, this.#nowMs, frame)) {
      throw new Error('the inbox is full');
    }
    const waitedFromMs = performance.now();
    for (;;) {
      const result = lane.execute(this.#nowMs);
      while (lane.next()) this.#takeAll(take);
      if (result === DONE) return;
      if (result === WAIT) this.#await(waitedFromMs);
    }
  }

  /** Leaves the processor to the thread that holds the memory. */
  #await(fromMs: number): void {
    this.#waits++;
    if (performance.now() - fromMs > WAIT_LIMIT_MS) throw new Error('no memory is freed');
    Atomics.wait(nap, 0, 0, NAP_MS);
  }

  /** Hands on where each answer of a message starts; answers and their parts are aligned. */
  #takeAll(take: (at: number) => void): void {
    const { messageAt, messageLength, closeCode } = this.#lane;
    if (closeCode !== 0) throw new Error(`the core closes with ${closeCode}`);
    const end = messageAt + messageLength;
    for (let at = messageAt; at < end; at += this.#word(at + SIZE_AT)) take(at);
  }

  readonly #takeRead = (at: number): void => {
    const place = this.#word(at + ID_AT);
    const status = this.#word(at + ANSWER_STATUS_AT) & STATUS_MASK;
    if (status === STATUS.NOT_FOUND) this.#missed[this.#missedCount++] = place;
    else if (status !== STATUS.OK) throw new Error(`a GET was answered with status ${status}`);
    else this.#checkValue(at, this.#keys[place] as number);
  };

  #checkValue(at: number, key: number): void {
    const valueBytes = this.#word(at + SIZE_AT) - ANSWER_HEADER_BYTES;
    const value = this.#word(at + ANSWER_HEADER_BYTES);
    if (valueBytes === this.#shared.shape.valueBytes && value === key) return;
    throw new Error(`key ${key} was answered ${valueBytes} bytes of the value of ${value}`);
  }

  readonly #takeStored = (at: number): void => {
    const status = this.#word(at + ANSWER_STATUS_AT) & STATUS_MASK;
    if (status !== STATUS.OK) throw new Error(`a SET was answered with status ${status}`);
  };

  #word(at: number): number {
    return this.#words[at >>> 2] as number;
  }
}
