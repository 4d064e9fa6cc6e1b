import { DONE, LaneTrap, WAIT } from '../arena/lane.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import { AnswerReader } from '../protocol/answerReader.js';
import { InternalError, ProtocolError, TooLargeError } from '../protocol/errors.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import { encodeRequest, type Request } from '../protocol/request.js';
import { STATUS } from '../protocol/status.js';

/** Requests are gathered into frames of about this many bytes. */
const FRAME_BYTES_AIM = 256 * 1024;

/** A writer that had to grow beyond this for one large value is cut back, in bytes. */
const WRITER_BYTES_KEPT = 1024 * 1024;

/** How long a thread rests when other threads hold the memory it needs, in milliseconds. */
const REST_MS = 1;

/** Frames need a connection to be told apart by; a lane in process has one. */
const CONNECTION = 0;

const restCell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Reads what a verb's answer means. */
export type Read<T> = (answer: AnswerReader) => T;

/** What turns are made with. */
export interface TurnParts {
  readonly lane: StoreLane;
  readonly clock: Clock;
  /** What the requests may do, a bit for each verb. */
  readonly grants: number;
  /** The longest request; an inbox has room for it behind a frame that is about to be sent. */
  readonly maxFrameBytes: number;
}

/**
 * Runs requests through a lane at once, from the caller's point of view: request in, answer out.
 */
export class Turn {
  readonly #lane: StoreLane;
  readonly #clock: Clock;
  readonly #grants: number;
  readonly #maxFrameBytes: number;
  readonly #writer = new FrameWriter();
  readonly #answer = new AnswerReader();

  constructor(parts: TurnParts) {
    this.#lane = parts.lane;
    this.#clock = parts.clock;
    this.#grants = parts.grants;
    this.#maxFrameBytes = parts.maxFrameBytes;
  }

  /** Runs one request and returns its answer as `read` sees it. */
  one<T>(request: Request, read: Read<T>): T {
    this.#append(request);
    this.#push();
    for (;;) {
      const result = this.#lane.execute(this.#clock.nowMs());
      if (this.#nextMessage() && this.#answer.next()) {
        try {
          return read(this.#answer);
        } finally {
          if (result !== DONE) this.#drain(() => {});
        }
      }
      if (result === DONE) throw new ProtocolError('the core answered nothing');
      if (result === WAIT) rest();
    }
  }

  /**
   * Runs requests in as few frames as they fit into and returns their answers in order. When some
   * fail, the others are carried out all the same, and then the first failure is thrown.
   */
  many<T>(requests: readonly Request[], read: Read<T>): T[] {
    const results: T[] = new Array(requests.length);
    const errors: unknown[] = [];
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        if (error instanceof LaneTrap) throw error;
        errors.push(error);
      }
    };
    const take: Read<void> = (answer) =>
      attempt(() => {
        results[answer.id] = read(answer);
      });
    requests.forEach((request, id) => {
      attempt(() => this.#append({ ...request, id }));
      if (this.#writer.at >= FRAME_BYTES_AIM) this.#flush(take);
    });
    if (this.#writer.at > 0) this.#flush(take);
    if (errors.length > 0) throw errors[0];
    return results;
  }

  /** Adds a request to the frame; when it throws, the frame is as before. */
  #append(request: Request): void {
    const start = this.#writer.at;
    const bytes = encodeRequest(this.#writer, request);
    if (bytes <= this.#maxFrameBytes) return;
    this.#writer.at = start;
    throw new TooLargeError(STATUS.TOO_LARGE);
  }

  #flush(take: Read<void>): void {
    this.#push();
    this.#drain(take);
  }

  #push(): void {
    const frame = this.#writer.frame();
    const pushed = this.#lane.push(CONNECTION, this.#grants, this.#clock.nowMs(), frame);
    this.#writer.clear(WRITER_BYTES_KEPT);
    if (!pushed) throw new InternalError(STATUS.INTERNAL, 'the inbox has no room for a frame');
  }

  #drain(take: Read<void>): void {
    for (;;) {
      const result = this.#lane.execute(this.#clock.nowMs());
      while (this.#nextMessage()) {
        while (this.#answer.next()) take(this.#answer);
      }
      if (result === DONE) return;
      if (result === WAIT) rest();
    }
  }

  #nextMessage(): boolean {
    const lane = this.#lane;
    if (!lane.next()) return false;
    this.#answer.reset(lane.memory, lane.messageAt, lane.messageLength);
    return true;
  }
}

/**
 * Lets the threads that hold the memory get on with it; a synchronous verb can't come back later.
 */
function rest(): void {
  Atomics.wait(restCell, 0, 0, REST_MS);
}
