import type { AnswerReader } from '../protocol/answerReader.js';
import type { OrlopError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';

/** Where a call puts its requests. */
export interface Outlet {
  /** Whether there is room for another request on the connection. */
  hasRoom(): boolean;
  /**
   * Puts one request of `call` into the current frame, to be answered at `place`. Throws when it
   * cannot be encoded or is larger than the node accepts; then nothing was put.
   */
  put(call: Call, place: number, request: Request): void;
}

/** What a program waits for: one request, or many that belong together. */
export interface Call {
  /** The moment on the monotonic clock after which it has failed. */
  readonly deadlineMs: number;
  /** Milliseconds between its start and its deadline, for the error. */
  readonly timeoutMs: number;
  /** It has its result or its error; answers that still come are ignored. */
  readonly done: boolean;
  /** At least one of its requests was put into a frame. */
  readonly sent: boolean;
  /** Bytes that it holds while it waits. */
  readonly waitingBytes: number;
  /** It has to wait: whatever the program may change meanwhile is copied. */
  keep(): void;
  /** Puts requests while there is room; true when none is left to put. May throw like `put`. */
  feed(outlet: Outlet): boolean;
  /** Takes the current answer of `answer`, which belongs to `place`. */
  settle(place: number, answer: AnswerReader): void;
  /** Ends it with an error; without effect when it is done. */
  fail(error: OrlopError): void;
  /**
   * Is told now and then while it is open at one of several nodes; `silent` when nothing was heard
   * of that one for long. A call that knows no other node does nothing.
   */
  linger?(nowMs: number, silent: boolean): void;
}

/** How a call may travel between the nodes of a cluster. */
export interface Passage {
  /** `LEVEL_…`: how many owners have to answer. */
  readonly level: number;
  /** Whether it may be sent again although it may have been executed already. */
  readonly again: boolean;
}
