/**
 * A lane is one thread's way into the core: an instance of the core, an inbox it fills with frames
 * and an outbox it empties. A lane never waits for another; at any time one thread at most holds
 * it.
 *
 *   inbox    frames back to back    | descriptor 16 | requests … | padded to 8 |
 *   outbox   messages back to back  | descriptor 16 | answers …  | padded to 8 |
 *
 *   inbox descriptor    u32 connection   u32 length   u32 grants       u32 arrival ms, low bits
 *   outbox descriptor   u32 connection   u32 length   u32 close code   u32 zero
 *
 * The core keeps its place in the inbox across calls, so frames are appended behind the ones in
 * work until it reports DONE; then the next frame goes to the beginning again. Nothing is allocated
 * per message: the current one is described by the `message…` fields, which `next` moves on.
 */
import type { Core, CoreFunctions } from './core.js';
import type { StoreLane } from './storeLane.js';
import type { WasmMemory } from './wasm.js';

/** What `execute` came back with. */
export type ExecuteResult = typeof DONE | typeof MORE | typeof WAIT;

/** Every frame is executed and the inbox is empty. */
export const DONE = 0;
/** The outbox is full: drain it and execute again. */
export const MORE = 1;
/** Other threads hold the memory that is needed: drain the outbox and execute on the next turn. */
export const WAIT = 2;

/** Bytes of a descriptor, in the inbox and in the outbox. */
export const DESCRIPTOR_BYTES = 16;

const padded = (bytes: number): number => (bytes + 7) & -8;

/** The core stopped at an impossible state; the lane is dead and waits to be taken over. */
export class LaneTrap extends Error {
  override readonly name = 'LaneTrap';
}

/** The rest of a frame whose execution stopped; the caller submits it again as a frame. */
export interface PendingFrame {
  readonly connection: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One thread's way into the core: an inbox of frames, an outbox of messages. */
export class Lane implements StoreLane {
  readonly index: number;
  readonly parts: readonly Lane[] = [this];
  /** The whole arena; messages are views on it that hold until the next `execute`. */
  readonly memory: Uint8Array<SharedArrayBuffer>;
  readonly buffer: SharedArrayBuffer;
  /** The current message of the outbox: whose it is. */
  messageConnection = 0;
  /** The current message: where its bytes start in `memory`. */
  messageAt = 0;
  /** The current message: how many bytes it has. */
  messageLength = 0;
  /** The current message: the code to close its connection with after sending it, 0 for none. */
  closeCode = 0;

  readonly #core: CoreFunctions;
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #inboxAt: number;
  readonly #feedHeadWord: number;
  readonly #inboxLimit: number;
  readonly #outboxAt: number;
  #inboxEnd: number;
  #outboxNext = 0;
  #outboxEnd = 0;
  /** Execution stopped within a frame. */
  #stopped = false;
  #trap: LaneTrap | undefined;
  /** Where the core lists what requests want from the disk; see `wants.ts`. */
  readonly wantsAt: number;

  /** Claims lane `index` for this instance; the caller sees to it that nobody else holds it. */
  constructor(core: Core, memory: WasmMemory, index: number) {
    this.index = index;
    this.buffer = memory.buffer;
    this.memory = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#core = core.functions;
    this.#core.attach(index);
    this.#inboxAt = this.#core.inboxAt() >>> 0;
    this.#inboxLimit = this.#inboxAt + (this.#core.inboxBytes() >>> 0);
    this.#outboxAt = this.#core.outboxAt() >>> 0;
    this.wantsAt = this.#core.wantsAt() >>> 0;
    this.#feedHeadWord = (this.#core.feedHeadAt(index) >>> 0) / 4;
    this.forgetWants();
    this.#inboxEnd = this.#inboxAt;
    this.#outboxEnd = this.#outboxAt;
    this.#outboxNext = this.#outboxAt;
  }

  /** Where the next change of this lane will start in its feed, modulo 2^32. */
  get feedHead(): number {
    return this.#words[this.#feedHeadWord] ?? 0;
  }

  /** How many values requests of the last `execute` want from the disk. */
  get wantCount(): number {
    return this.#words[this.wantsAt >>> 2] ?? 0;
  }

  /** What was wanted is seen to. */
  forgetWants(): void {
    this.#words[this.wantsAt >>> 2] = 0;
  }

  /** Bytes of the inbox in use, descriptors included; 0 when everything is executed. */
  get queuedBytes(): number {
    return this.#inboxEnd - this.#inboxAt;
  }

  /** The longest frame that `push` would take now, in bytes. */
  get roomBytes(): number {
    return Math.max(0, this.#inboxLimit - this.#inboxEnd - DESCRIPTOR_BYTES);
  }

  /** Bytes of the messages that the last `execute` wrote, descriptors included. */
  get answerBytes(): number {
    return this.#outboxEnd - this.#outboxAt;
  }

  /** Where the counters of this lane start in `memory`, see the core's `COUNTER_…` constants. */
  get countersAt(): number {
    return this.#core.countersAt(this.index) >>> 0;
  }

  /** True when the core stopped at an impossible state; the lane is of no more use then. */
  get trapped(): boolean {
    return this.#trap !== undefined;
  }

  /**
   * Queues a frame of whole requests that arrived at `arrivalMs` (Unix milliseconds) and may use
   * the verbs in `grants`; false, and nothing is queued, when the inbox has no room for it.
   */
  push(connection: number, grants: number, arrivalMs: number, bytes: Uint8Array): boolean {
    const at = this.#inboxEnd;
    const end = at + DESCRIPTOR_BYTES + padded(bytes.length);
    if (end > this.#inboxLimit) return false;
    const words = this.#words;
    const word = at >>> 2;
    words[word] = connection;
    words[word + 1] = bytes.length;
    words[word + 2] = grants;
    words[word + 3] = arrivalMs;
    this.memory.set(bytes, at + DESCRIPTOR_BYTES);
    this.#inboxEnd = end;
    return true;
  }

  /**
   * Executes what is queued, from where it stopped, and starts the outbox anew. Throws `LaneTrap`
   * when the core stops at an impossible state.
   */
  execute(nowMs: number): ExecuteResult {
    if (this.#trap !== undefined) throw this.#trap;
    const result = this.#run(nowMs);
    this.#outboxNext = this.#outboxAt;
    this.#outboxEnd = this.#core.outboxEnd() >>> 0;
    this.#stopped = result !== DONE;
    if (result === DONE) this.#inboxEnd = this.#inboxAt;
    return result;
  }

  #run(nowMs: number): ExecuteResult {
    try {
      return this.#core.execute(this.#inboxEnd, nowMs) as ExecuteResult;
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #fail(cause: unknown): LaneTrap {
    this.#trap = new LaneTrap(`lane ${this.index} of the core stopped at an impossible state`, {
      cause,
    });
    this.#outboxNext = 0;
    this.#outboxEnd = 0;
    return this.#trap;
  }

  /** Steps to the next message of the outbox and describes it; false when there is none left. */
  next(): boolean {
    const at = this.#outboxNext;
    if (at >= this.#outboxEnd) return false;
    const words = this.#words;
    const word = at >>> 2;
    const length = words[word + 1] ?? 0;
    this.messageConnection = words[word] ?? 0;
    this.messageLength = length;
    this.closeCode = words[word + 2] ?? 0;
    this.messageAt = at + DESCRIPTOR_BYTES;
    this.#outboxNext = at + DESCRIPTOR_BYTES + padded(length);
    return true;
  }

  /** A view of the current message's bytes; it holds until the next `execute`. */
  message(): Uint8Array<SharedArrayBuffer> {
    return this.memory.subarray(this.messageAt, this.messageAt + this.messageLength);
  }

  /**
   * After MORE or WAIT: copies the requests of the frame in work that are not executed yet and
   * takes them out of the inbox, or undefined when none are left of it.
   */
  takePending(): PendingFrame | undefined {
    if (!this.#stopped) return undefined;
    const at = this.#core.pendingAt() >>> 0;
    const end = this.#core.pendingEnd() >>> 0;
    if (at >= end) return undefined;
    const connection = this.#core.pendingConnection() >>> 0;
    const bytes = new Uint8Array(end - at);
    bytes.set(this.memory.subarray(at, end));
    this.#core.skipPending();
    return { connection, bytes };
  }

  /**
   * After MORE or WAIT: copies everything that is not executed yet, in order, and empties the inbox
   * and the outbox. What one connection sent stays in order only if the caller keeps it so.
   */
  takeRest(nowMs: number): PendingFrame[] {
    const words = this.#words;
    let at = this.#stopped ? padded(this.#core.pendingEnd() >>> 0) : this.#inboxAt;
    const first = this.takePending();
    const rest = first === undefined ? [] : [first];
    while (at < this.#inboxEnd) {
      const bytes = new Uint8Array(words[(at >>> 2) + 1] ?? 0);
      const start = at + DESCRIPTOR_BYTES;
      bytes.set(this.memory.subarray(start, start + bytes.length));
      rest.push({ connection: words[at >>> 2] ?? 0, bytes });
      at = start + padded(bytes.length);
    }
    // With nothing behind the frame that was skipped, the core begins at the front again.
    this.#inboxEnd = this.#inboxAt;
    this.execute(nowMs);
    return rest;
  }

  /** The version that a clear would take now: above everything that any lane knows of. */
  clearVersion(): bigint {
    return BigInt.asUintN(64, this.#core.versionOfClear());
  }

  /** Removes expired items from the next `lines` lines of the table; how many there were. */
  sweep(nowMs: number, lines: number): number {
    return this.#guard(() => this.#core.sweep(nowMs, lines) >>> 0);
  }

  /** How many lines of the table one round of `sweep` passes. */
  sweepLines(): number {
    return this.#core.sweepLines() >>> 0;
  }

  /** Frees what the dead holder of `lane` left behind; after that the lane may be opened again. */
  takeOver(lane: number, nowMs: number): void {
    this.#guard(() => this.#core.takeOver(lane, nowMs));
  }

  #guard<T>(work: () => T): T {
    if (this.#trap !== undefined) throw this.#trap;
    try {
      return work();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }
}
