/**
 * What the lanes of a run asked and were answered, and when: an operation begins with the first
 * access that others can notice and ends with the last. That is as short as a caller could ever see
 * it, so what holds for these intervals holds for all.
 */
import type { Answer, Request } from '../model/support/wire.js';
import { LANES_MAX } from './conflicts.js';

/** The beginning of a call that has not begun. */
export const NEVER = -1e9;

/** When the operations of one call began and ended, in accesses that are in conflict. */
export interface Span {
  readonly lane: number;
  first: number;
  last: number;
  /** Whether the call has come to its end. */
  done: boolean;
}

/** A request with its answer; without one when its lane died. */
export interface Operation {
  readonly lane: number;
  readonly request: Request;
  /** The clock of the lane, in Unix milliseconds. */
  readonly nowMs: number;
  readonly span: Span;
  answer: Answer | undefined;
}

/** What a whole scan returned: for each key a look at whether it is there. */
export interface ScanOperation {
  readonly lane: number;
  readonly nowMs: number;
  readonly span: Span;
  readonly keys: readonly string[];
}

export class History {
  readonly operations: Operation[] = [];
  readonly scans: ScanOperation[] = [];
  /** Counts the accesses that are in conflict. */
  time = 0;

  /** How many calls of each lane have come to their end. */
  readonly #ended = new Uint8Array(LANES_MAX);

  /** A span that begins with the next access. */
  open(lane: number): Span {
    return { lane, first: NEVER, last: NEVER, done: false };
  }

  /** How many calls of each lane have come to their end, as one number. */
  endedCalls(): number {
    return this.#ended.reduce((word, ended) => (word << 8) | ended, 0);
  }

  /** Ends a span. */
  close(span: Span): void {
    if (span.first === NEVER) span.first = span.last = this.time;
    span.done = true;
    this.#ended[span.lane] = (this.#ended[span.lane] ?? 0) + 1;
  }
}
