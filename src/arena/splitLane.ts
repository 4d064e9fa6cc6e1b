/**
 * A thread's lane in a store of several arenas: it is told frames as if there were one arena.
 *
 * A frame is split into the parts of the arenas, each part goes into the inbox of its arena, the
 * arenas execute one after the other, and what they answer is joined into messages again.
 *
 *   push ──▶ splitter ──▶ inbox 0 │ inbox 1 │ inbox 2 ──▶ execute ──▶ outboxes ──▶ joiner ──▶ next
 *                └─ clear, scan, malformed: alone, when the inboxes are empty ────────────┘
 *
 * What this keeps: requests of one connection on one key are executed in the order in which they
 * were sent, since they share an inbox; an arena that waits for memory does not keep the others
 * from executing; and a request that is of all arenas divides what is before it from what is after
 * it. Until that is done, nobody can push: the lane says that it has no room, and whoever pushes
 * already knows what to do then.
 *
 * What it gives up: requests on keys of different arenas may be executed in another order than
 * they were sent in.
 */
import type { Arena } from './arena.js';
import { ClearAcross } from './clearAcross.js';
import { Joiner } from './joiner.js';
import { DONE, type ExecuteResult, type Lane, MORE, type PendingFrame, WAIT } from './lane.js';
import { type Asked, ask, type LoneCodes, loneCodesOf, type Reply } from './loneRequest.js';
import { homeOf, type KeyedOpcodes, NO_HOME, SIZE_AT, wordAt } from './placement.js';
import { scanAcross } from './scanAcross.js';
import { Splitter } from './splitter.js';
import type { StoreLane } from './storeLane.js';

/** A request that goes alone, with what came behind it in its frame. */
interface Alone {
  readonly asked: Asked;
  readonly rest: Uint8Array;
  readonly execute: (nowMs: number) => Reply | undefined;
}

/** One thread's way into several arenas; see the top of this file. */
export class SplitLane implements StoreLane {
  readonly index: number;
  readonly parts: readonly Lane[];
  readonly #splitter: Splitter;
  readonly #joiner: Joiner;
  readonly #codes: LoneCodes;
  readonly #keyed: KeyedOpcodes;
  readonly #answerBytesMax: number;
  #alone: Alone | undefined;
  /** The arena that executes first, so that those with many answers do not go before others. */
  #first = 0;

  /** Opens lane `index` of each arena; the caller sees to it that nobody else holds it. */
  constructor(arenas: readonly Arena[], index: number) {
    const [first] = arenas;
    if (first === undefined) throw new Error('a store has at least one arena');
    this.index = index;
    this.parts = arenas.map((arena) => arena.openLane(index));
    const { module } = first.handle;
    this.#splitter = new Splitter(module, arenas.length, first.geometry.inboxBytes);
    this.#answerBytesMax = first.constant('MESSAGE_BYTES_MAX');
    this.#joiner = new Joiner(this.#answerBytesMax);
    this.#codes = loneCodesOf(first);
    this.#keyed = { first: first.constant('OP_GET'), last: first.constant('OP_MERGE') };
  }

  get memory(): Uint8Array {
    return this.#joiner.memory;
  }

  get buffer(): ArrayBufferLike {
    return this.#joiner.buffer;
  }

  get messageConnection(): number {
    return this.#joiner.messageConnection;
  }

  get messageAt(): number {
    return this.#joiner.messageAt;
  }

  get messageLength(): number {
    return this.#joiner.messageLength;
  }

  get closeCode(): number {
    return this.#joiner.closeCode;
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const lane of this.parts) bytes += lane.queuedBytes;
    const alone = this.#alone;
    return alone === undefined ? bytes : bytes + alone.asked.bytes.length + alone.rest.length;
  }

  push(connection: number, grants: number, arrivalMs: number, bytes: Uint8Array): boolean {
    if (this.#alone !== undefined) return false;
    const home = homeOf(bytes, this.#keyed, this.parts.length);
    const pushed =
      home === NO_HOME
        ? this.#pushParts({ connection, grants, arrivalMs, bytes })
        : (this.parts[home] as Lane).push(connection, grants, arrivalMs, bytes);
    if (pushed) this.#joiner.note(connection);
    return pushed;
  }

  /** Splits a frame and pushes the parts, all of them or none. */
  #pushParts(asked: Asked): boolean {
    const { connection, grants, arrivalMs, bytes } = asked;
    const splitter = this.#splitter;
    if (bytes.length > splitter.frameBytesMax) return false;
    const taken = splitter.split(bytes);
    const { parts } = this;
    for (let arena = 0; arena < parts.length; arena++) {
      if (splitter.partBytes(arena) > (parts[arena] as Lane).roomBytes) return false;
    }
    for (let arena = 0; arena < parts.length; arena++) {
      if (splitter.partBytes(arena) === 0) continue;
      const part = splitter.part(arena);
      const pushed = (parts[arena] as Lane).push(connection, grants, arrivalMs, part);
      if (!pushed) throw new Error('an inbox has less room than it said');
    }
    if (taken < bytes.length) this.#setAlone({ ...asked, bytes: bytes.slice(taken) });
    return true;
  }

  /** Keeps a request, and what is behind it in the frame, until it can go alone. */
  #setAlone(asked: Asked): void {
    const { stop } = this.#splitter;
    const isLone = stop === this.#codes.scan || stop === this.#codes.clear;
    const end = isLone ? wordAt(asked.bytes, SIZE_AT) : asked.bytes.length;
    const lone = { ...asked, bytes: asked.bytes.subarray(0, end) };
    this.#alone = {
      asked: lone,
      rest: asked.bytes.subarray(end),
      execute: this.#wayOf(stop, lone),
    };
  }

  #wayOf(stop: number, asked: Asked): Alone['execute'] {
    const { parts } = this;
    const codes = this.#codes;
    if (stop === codes.scan) return (nowMs) => scanAcross(parts, codes, asked, nowMs);
    if (stop !== codes.clear) return (nowMs) => ask(parts[0] as Lane, asked, nowMs);
    const clear = new ClearAcross(parts, codes, asked);
    return (nowMs) => clear.execute(nowMs);
  }

  execute(nowMs: number): ExecuteResult {
    this.#joiner.clear();
    const result = this.#executeParts(nowMs);
    if (result !== DONE) return result;
    this.#joiner.finish();
    if (this.#alone === undefined) return DONE;
    // Outboxes that hold answers are handed out first.
    return this.#joiner.isEmpty ? this.#executeAlone(this.#alone, nowMs) : MORE;
  }

  /** Executes the arenas that have something queued, until there are enough answers to hand out. */
  #executeParts(nowMs: number): ExecuteResult {
    const { parts } = this;
    const { length } = parts;
    const first = this.#first;
    let result: ExecuteResult = DONE;
    let bytes = 0;
    for (let n = 0; n < length; n++) {
      const arena = (first + n) % length;
      const lane = parts[arena] as Lane;
      if (lane.queuedBytes === 0) continue;
      if (bytes >= this.#answerBytesMax) {
        this.#first = arena;
        return MORE;
      }
      const one = lane.execute(nowMs);
      if (one === MORE || result === DONE) result = one;
      bytes += lane.answerBytes;
      this.#joiner.add(lane);
    }
    return result;
  }

  #executeAlone(alone: Alone, nowMs: number): ExecuteResult {
    const reply = alone.execute(nowMs);
    if (reply === undefined) return WAIT;
    const { connection, grants, arrivalMs } = alone.asked;
    this.#joiner.addLast(connection, reply.closeCode, reply.bytes);
    this.#alone = undefined;
    if (alone.rest.length === 0) return DONE;
    const pushed = this.push(connection, grants, arrivalMs, alone.rest);
    if (!pushed) throw new Error('the rest of a frame has no room in empty inboxes');
    return MORE;
  }

  next(): boolean {
    return this.#joiner.next();
  }

  takeRest(nowMs: number): PendingFrame[] {
    const rest: PendingFrame[] = [];
    for (const lane of this.parts) {
      if (lane.queuedBytes > 0) rest.push(...lane.takeRest(nowMs));
    }
    if (this.#alone !== undefined) {
      const { asked } = this.#alone;
      const bytes = new Uint8Array(asked.bytes.length + this.#alone.rest.length);
      bytes.set(asked.bytes);
      bytes.set(this.#alone.rest, asked.bytes.length);
      rest.push({ connection: asked.connection, bytes });
    }
    this.#alone = undefined;
    this.#joiner.clear();
    this.#joiner.finish();
    return rest;
  }

  /** Each arena is swept by its share of the lines. */
  sweep(nowMs: number, lines: number): number {
    const each = Math.ceil(lines / this.parts.length);
    return this.parts.reduce((sum, lane) => sum + lane.sweep(nowMs, each), 0);
  }

  sweepLines(): number {
    return this.parts.reduce((sum, lane) => sum + lane.sweepLines(), 0);
  }

  takeOver(lane: number, nowMs: number): void {
    for (const part of this.parts) part.takeOver(lane, nowMs);
  }
}
