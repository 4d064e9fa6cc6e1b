import type { AnswerReader } from '../protocol/answerReader.js';
import { OrlopError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';
import type { Key } from '../protocol/verbs.js';
import type { Call, Outlet, Passage } from './call.js';

/** Many requests that make one result. */
export interface Batch<T> {
  /** How many requests there are; at least one. */
  readonly count: number;
  /** Whether nothing is changed. */
  readonly reads: boolean;
  /** The key of a place. */
  keyAt(place: number): Key;
  /**
   * The request of a place; used before the next one is asked for, so it may be the same object.
   */
  request(place: number): Request;
  /** Takes the answer of a place, or throws the error that it stands for. */
  accept(place: number, answer: AnswerReader): void;
  /** The result when all answers were taken. */
  result(): T;
}

/**
 * The most requests that a batch puts before it lets others put theirs: a batch of a million keys
 * must not make a single get wait for all of them.
 */
export const TURN = 4096;

/** Many requests under one promise; they are encoded as room comes up, never all at once. */
export class BatchCall<T> implements Call {
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  done = false;
  sent = false;
  readonly waitingBytes = 0;
  readonly passage: Passage;
  #batch: Batch<T> | undefined;
  #next = 0;
  #open: number;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    batch: Batch<T>,
    deadlineMs: number,
    timeoutMs: number,
    passage: Passage,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#batch = batch;
    this.#open = batch.count;
    this.deadlineMs = deadlineMs;
    this.timeoutMs = timeoutMs;
    this.passage = passage;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** What it asks, until it has ended. */
  get batch(): Batch<T> | undefined {
    return this.#batch;
  }

  /** Nothing is copied: the arguments of a batch must not change until its promise settles. */
  keep(): void {}

  feed(outlet: Outlet): boolean {
    const batch = this.#batch;
    if (batch === undefined) return true;
    const end = Math.min(batch.count, this.#next + TURN);
    while (this.#next < end && outlet.hasRoom()) {
      outlet.put(this, this.#next, batch.request(this.#next));
      this.#next++;
      this.sent = true;
    }
    return this.#next === batch.count;
  }

  settle(place: number, answer: AnswerReader): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    try {
      batch.accept(place, answer);
      this.#open--;
      if (this.#open === 0) this.#finish(batch);
    } catch (error) {
      this.#end(error);
    }
  }

  #finish(batch: Batch<T>): void {
    this.done = true;
    this.#batch = undefined;
    this.#resolve(batch.result());
  }

  /** An error is about one request; others of the batch may have been executed. */
  #end(error: unknown): void {
    this.done = true;
    if (this.sent && error instanceof OrlopError) error.outcome = 'unknown';
    this.#batch = undefined;
    this.#reject(error);
  }

  fail(error: OrlopError): void {
    if (!this.done) this.#end(error);
  }
}
