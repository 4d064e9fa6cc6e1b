/**
 * The changes for one peer as frames of requests: filled, sent, answered, and sent again where that
 * is needed. What it knows of the peer's connection is whether there is one.
 *
 *   put ─▶ open frame ─▶ outbox ─▶ on the way ─▶ answered ─▶ marks: "applied up to here"
 *                          │           │ refused for now: the same frame again, later
 *                          │           └ connection lost: all of them again
 *                          └ too much: given up, for hints and repair to make up for
 *
 * All requests of a frame carry the frame's position as their id, so a frame is done when as many
 * answers with that id have come as it has requests. One with a change that is too far ahead of the
 * peer's clock is handed back, to be kept as hints. Frames may be done in another order than they
 * were sent; what is told to have been applied is always all of it up to a point. A peer that knows
 * a later configuration than the one that a frame was begun under says so before it answers.
 */
import { FrameWriter } from '../protocol/frameWriter.js';
import { FIRST_ERROR, STATUS } from '../protocol/status.js';
import { type FeedRecord, renumber, writeChange } from './change.js';
import { Outbox, type OutboxLimits } from './outbox.js';

/** What a sender needs from outside. */
export interface SenderParts {
  readonly limits: OutboxLimits;
  /** Frames that the peer will not get from here any more. */
  readonly givenUp: (frames: readonly Uint8Array[]) => void;
  /** The peer holds something of a frame to be too far ahead, and does not take it yet. */
  readonly ahead: (frame: Uint8Array) => void;
  /** The peer refuses a change for good. */
  readonly refused: (status: number) => void;
  /** What to send in front of a frame, if anything: its id, and the number it was begun under. */
  readonly fence?: (id: number, number: number) => FrontFence | undefined;
  /** The number of the configuration that changes are told under now. */
  readonly number?: () => number;
  /** The peer has taken a frame that was begun under an older configuration than it knows. */
  readonly outdated?: () => void;
}

/** A request in front of a frame. */
export interface FrontFence {
  readonly bytes: Uint8Array;
  /** Whether it is answered in any case, as each change is. */
  readonly isAnswered: boolean;
}

/** A frame is sealed when it has so many bytes. */
const FRAME_BYTES = 64 * 1024;
/** A frame that was refused for now is sent again after so many milliseconds. */
const RETRY_MS = 100;
/** What a peer may say now and take back later; everything else is for good. */
const PASSING: ReadonlySet<number> = new Set([
  STATUS.BUSY,
  STATUS.TIMEOUT,
  STATUS.SHUTTING_DOWN,
  STATUS.DISK_FULL,
  STATUS.INTERNAL,
  STATUS.UNAVAILABLE,
]);

interface Mark {
  readonly frame: number;
  readonly done: () => void;
}

interface OnTheWay {
  left: number;
  refused: boolean;
  ahead: boolean;
}

const idOf = (frame: number): number => frame >>> 0;

/** Sends changes to one peer; see the top of this file. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #outbox: Outbox;
  readonly #open = new FrameWriter(2 * FRAME_BYTES);
  #openCount = 0;
  /** How many requests each frame has that is held. */
  readonly #counts = new Map<number, number>();
  /** Under which configuration each of them was begun: others may have become owners since. */
  readonly #numbers = new Map<number, number>();
  #openNumber = 0;
  readonly #onTheWay = new Map<number, OnTheWay>();
  readonly #done = new Set<number>();
  readonly #again = new Map<number, number>();
  #marks: Mark[] = [];
  /** When frames were first there, the oldest that is held first: below `end` since `sinceMs`. */
  #ages: { readonly end: number; readonly sinceMs: number }[] = [];
  #send: ((frame: Uint8Array) => void) | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts.limits);
  }

  /** Whether the peer has applied everything. */
  get idle(): boolean {
    return this.#openCount === 0 && this.#outbox.lag === 0;
  }

  /** Bytes that wait or are on the way. */
  get bytes(): number {
    return this.#outbox.bytes + this.#open.at;
  }

  /** Changes that the peer has not acknowledged. */
  get lag(): number {
    let lag = this.#openCount;
    for (const count of this.#counts.values()) lag += count;
    return lag;
  }

  /** For how long the oldest of them has waited, in milliseconds; as exact as `tick` is called. */
  lagMs(nowMs: number): number {
    return this.idle ? 0 : Math.max(0, nowMs - (this.#ages[0]?.sinceMs ?? nowMs));
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#send !== undefined;
  }

  /** Takes a change on. */
  put(record: FeedRecord, nowMs: number): void {
    writeChange(this.#open, idOf(this.#outbox.end), record, nowMs);
    this.#added();
  }

  /** Takes a change on that is a request already. */
  putRequest(request: Uint8Array): void {
    const { at } = this.#open;
    this.#open.data(request);
    renumber(this.#open, at, idOf(this.#outbox.end));
    this.#added();
  }

  #added(): void {
    if (this.#openCount++ === 0) this.#openNumber = this.#parts.number?.() ?? 0;
    if (this.#open.at >= FRAME_BYTES) this.#seal();
  }

  #seal(): void {
    if (this.#openCount === 0) return;
    const frame = this.#outbox.add(this.#open.frame().slice());
    this.#counts.set(frame, this.#openCount);
    this.#numbers.set(frame, this.#openNumber);
    this.#openCount = 0;
    this.#open.clear(4 * FRAME_BYTES);
    this.#forgetGivenUp();
  }

  #forgetGivenUp(): void {
    const givenUp = this.#outbox.takeGivenUp();
    if (givenUp.length === 0) return;
    const { base } = this.#outbox;
    for (const known of this.#all()) {
      for (const frame of [...known.keys()]) if (frame < base) known.delete(frame);
    }
    this.#marks = this.#marks.filter(({ frame }) => frame >= base);
    this.#parts.givenUp(givenUp);
  }

  /** Calls back once the peer has applied everything that was put so far; not if it is given up. */
  whenApplied(done: () => void): void {
    if (this.idle) done();
    else {
      const frame = this.#openCount > 0 ? this.#outbox.end : this.#outbox.end - 1;
      this.#marks.push({ frame, done });
    }
  }

  /** There is a connection: what is not acknowledged goes out again. */
  connect(send: (frame: Uint8Array) => void): void {
    this.#send = send;
    this.#onTheWay.clear();
    this.#again.clear();
    this.#outbox.resume(this.#outbox.base);
    this.flush();
  }

  /** The connection is lost. */
  disconnect(): void {
    this.#send = undefined;
  }

  /** Gives up what waits and what is on the way: nobody is there to take it. */
  giveUp(): void {
    this.#seal();
    this.#outbox.giveUpAll();
    this.#forgetGivenUp();
  }

  /** Sends what may be sent. */
  flush(): void {
    this.#seal();
    const send = this.#send;
    if (send === undefined) return;
    for (;;) {
      const batch = this.#outbox.take(FRAME_BYTES);
      if (batch === undefined) return;
      for (const [n, frame] of batch.records.entries()) {
        if (!this.#done.has(batch.first + n)) this.#transmit(batch.first + n, frame, send);
      }
    }
  }

  #transmit(frame: number, bytes: Uint8Array, send: (frame: Uint8Array) => void): void {
    const fence = this.#parts.fence?.(idOf(frame), this.#numbers.get(frame) ?? 0);
    const left = (this.#counts.get(frame) ?? 0) + (fence?.isAnswered === true ? 1 : 0);
    this.#onTheWay.set(frame, { left, refused: false, ahead: false });
    send(fence === undefined ? bytes : Buffer.concat([fence.bytes, bytes]));
  }

  /** Lets go of all that the peer has not acknowledged: it is not to get it any more. */
  discard(): void {
    this.#seal();
    this.#outbox.discard();
    for (const known of this.#all()) known.clear();
    this.#marks = [];
  }

  /** What is known of frames by their positions. */
  #all(): readonly (Map<number, unknown> | Set<number>)[] {
    return [this.#counts, this.#numbers, this.#onTheWay, this.#done, this.#again];
  }

  #noteAges(nowMs: number): void {
    const { base, end } = this.#outbox;
    const young = this.#ages.findIndex((age) => age.end > base);
    this.#ages.splice(0, young < 0 ? this.#ages.length : young);
    const last = this.#ages.at(-1)?.end ?? base;
    if (end > last) this.#ages.push({ end, sinceMs: nowMs });
  }

  /** Sends again what was refused for now, when it is time. */
  tick(nowMs: number): void {
    this.#noteAges(nowMs);
    const send = this.#send;
    if (send === undefined) return;
    for (const [frame, dueMs] of this.#again) {
      if (nowMs < dueMs) continue;
      this.#again.delete(frame);
      this.#transmit(frame, this.#outbox.at(frame), send);
    }
  }

  /** An answer came. */
  answered(id: number, status: number, nowMs: number): void {
    const frame = this.#frameOf(id);
    const state = this.#onTheWay.get(frame);
    if (state === undefined) return;
    if (status === STATUS.VERSION_MISMATCH) {
      this.#parts.outdated?.();
      return;
    }
    if (status === STATUS.AHEAD) state.ahead = true;
    else if (PASSING.has(status)) state.refused = true;
    else if (status >= FIRST_ERROR) this.#parts.refused(status);
    if (--state.left > 0) return;
    this.#onTheWay.delete(frame);
    if (state.refused) this.#again.set(frame, nowMs + RETRY_MS);
    else {
      // It must not hold up what comes behind it, so it is kept elsewhere.
      if (state.ahead) this.#parts.ahead(this.#outbox.at(frame));
      this.#done.add(frame);
      this.#acknowledge();
    }
  }

  /** The frame that has an id: the one at or behind `base`. */
  #frameOf(id: number): number {
    const { base } = this.#outbox;
    return base + ((id - idOf(base)) >>> 0);
  }

  #acknowledge(): void {
    let { base } = this.#outbox;
    while (this.#done.delete(base)) {
      this.#numbers.delete(base);
      this.#counts.delete(base++);
    }
    if (base === this.#outbox.base) return;
    this.#outbox.acknowledge(base);
    const open = this.#marks.findIndex(({ frame }) => frame >= base);
    const reached = this.#marks.splice(0, open < 0 ? this.#marks.length : open);
    for (const { done } of reached) done();
    this.flush();
  }
}
