import type { AnswerReader } from '../protocol/answerReader.js';
import { copyBytes } from '../protocol/bytes.js';
import type { OrlopError } from '../protocol/errors.js';
import type { Request } from '../protocol/request.js';
import type { Call, Outlet, Passage } from './call.js';

/** Reads the result of a verb from its answer, or throws the error that the answer stands for. */
export type ReadResult<T> = (answer: AnswerReader) => T;

function owned(data: string | Uint8Array): string | Uint8Array {
  return typeof data === 'string' ? data : copyBytes(data);
}

/** One request and the promise of its result. */
export class SingleCall<T> implements Call {
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly waitingBytes: number;
  done = false;
  sent = false;
  readonly passage: Passage;
  #request: Request | undefined;
  readonly #read: ReadResult<T>;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    request: Request,
    read: ReadResult<T>,
    deadlineMs: number,
    timeoutMs: number,
    passage: Passage,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.waitingBytes = (request.key?.length ?? 0) + (request.value?.length ?? 0);
    this.#read = read;
    this.deadlineMs = deadlineMs;
    this.timeoutMs = timeoutMs;
    this.passage = passage;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The request, as long as it was not put into a frame. */
  get request(): Request | undefined {
    return this.#request;
  }

  keep(): void {
    const request = this.#request;
    if (request?.key !== undefined) request.key = owned(request.key);
    if (request?.value !== undefined) request.value = owned(request.value);
  }

  feed(outlet: Outlet): boolean {
    const request = this.#request;
    if (request === undefined) return true;
    if (!outlet.hasRoom()) return false;
    outlet.put(this, 0, request);
    this.sent = true;
    this.#request = undefined;
    return true;
  }

  settle(_place: number, answer: AnswerReader): void {
    this.done = true;
    try {
      this.#resolve(this.#read(answer));
    } catch (error) {
      this.#reject(error);
    }
  }

  fail(error: OrlopError): void {
    if (this.done) return;
    this.done = true;
    this.#request = undefined;
    this.#reject(error);
  }
}
