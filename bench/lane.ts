/**
 * A lane of a store in this thread, driven as an I/O thread drives it: frames from private memory
 * are pushed into the inbox and executed together, and every message of the outbox is looked at.
 */
import { DONE, WAIT } from '../src/arena/lane.js';
import type { StoreLane } from '../src/arena/storeLane.js';
import { ANSWER_HEADER_BYTES, ANSWER_STATUS_AT, ID_AT } from '../src/protocol/wire.js';
import type { Pool } from './driver/pool.js';
import { HIT_BYTES, HIT_WORD, STORED_BYTES, STORED_WORD } from './orlopRequests.js';
import { checkValue } from './workload.js';

/** Every so many messages the first value in it is compared byte for byte; prime. */
const CHECK_EVERY = 61;
/** Connections that the frames seem to come from, in turn. */
const CONNECTIONS = 50;
/** A turn that finds no memory for so long means that the store is stuck. */
const WAIT_LIMIT_MS = 2000;

/** A store, or an arena alone. */
export interface Benched {
  openLane(index: number): StoreLane;
  constant(name: string): number;
}

/** A lane that is given pools of requests, each a unit of its own. */
export class BenchLane {
  /** Bytes of answers so far; for answers of known sizes it tells whether each was as expected. */
  answerBytes = 0;
  /** How often an execution had to stop because other threads held the memory it needed. */
  waits = 0;

  readonly #lane: StoreLane;
  /** The memory of the last message that was checked, as words. */
  #words: Uint32Array;
  readonly #grants: number;
  #connection = 0;
  #unchecked = 0;

  /** Opens the lane `index`; its frames may use the verbs of the constant `grants`. */
  constructor(store: Benched, index: number, grants = 'GRANTS_CLIENT') {
    this.#lane = store.openLane(index);
    this.#words = new Uint32Array(this.#lane.buffer);
    this.#grants = store.constant(grants);
  }

  /** Executes one frame whose answers may be anything; only that none closes is checked. */
  frame(bytes: Uint8Array): void {
    const nowMs = Date.now();
    if (!this.#lane.push(1, this.#grants, nowMs, bytes)) throw new Error('the inbox is full');
    this.#execute(nowMs, false);
  }

  /**
   * Pushes the units from..to-1 of the pool in frames of `perFrame` and executes them. The units
   * are GETs that hit and SETs that store; the first answer of many a message is checked.
   */
  turn(pool: Pool, from: number, to: number, perFrame: number): void {
    const nowMs = Date.now();
    const { starts } = pool;
    const { buffer, byteOffset } = pool.bytes;
    for (let unit = from; unit < to; unit += perFrame) {
      const end = Math.min(to, unit + perFrame);
      const at = starts[unit] ?? 0;
      const frame = new Uint8Array(buffer, byteOffset + at, (starts[end] ?? 0) - at);
      this.#connection = this.#connection === CONNECTIONS ? 1 : this.#connection + 1;
      if (!this.#lane.push(this.#connection, this.#grants, nowMs, frame)) {
        throw new Error('the inbox is full');
      }
    }
    this.#execute(nowMs, true);
  }

  #execute(nowMs: number, isChecked: boolean): void {
    let waitedSinceMs = 0;
    for (;;) {
      const result = this.#lane.execute(nowMs);
      while (this.#lane.next()) this.#look(isChecked);
      if (result === DONE) return;
      if (result !== WAIT) continue;
      this.waits++;
      waitedSinceMs ||= performance.now();
      if (performance.now() - waitedSinceMs > WAIT_LIMIT_MS) throw new Error('no memory is freed');
    }
  }

  #look(isChecked: boolean): void {
    const lane = this.#lane;
    this.answerBytes += lane.messageLength;
    if (lane.closeCode !== 0) throw new Error(`the core closes with ${lane.closeCode}`);
    if (!isChecked || ++this.#unchecked < CHECK_EVERY) return;
    this.#unchecked = 0;
    this.#checkFirst(lane.messageAt);
  }

  /** Checks the first answer of a message; messages and the words of headers are aligned. */
  #checkFirst(at: number): void {
    if (this.#words.buffer !== this.#lane.buffer) this.#words = new Uint32Array(this.#lane.buffer);
    const size = this.#words[at >>> 2];
    const kind = this.#words[(at + ANSWER_STATUS_AT) >>> 2] ?? 0;
    if (size === STORED_BYTES && (kind | 0) === STORED_WORD) return;
    if (size !== HIT_BYTES || (kind | 0) !== HIT_WORD) {
      throw new Error(`an answer of ${size} bytes with the status ${kind & 0xff}`);
    }
    const key = this.#words[(at + ID_AT) >>> 2] ?? 0;
    checkValue(this.#lane.memory, at + ANSWER_HEADER_BYTES, key);
  }
}
