/**
 * Requests and answers over datagrams: both are cut into parts, every part is acknowledged by a
 * receipt, and parts without one are sent again. The receiver knows a request by the boot of its
 * sender and the number of the call, hands it on once, and keeps its answer for as long as parts of
 * it may still be asked for.
 *
 *   asker     request 0, request 1 ------>  <------ answer 0       receipt ------>
 *   other     <------ receipt, receipt      handler ^
 *
 * It carries what nodes settle among themselves: states, votes, configurations. Data in bulk wants
 * flow control over a stream.
 */

import type { Clock } from '../base/clock.js';
import { LINK_BODY_MAX, type LinkHandler, type Links, type Settle } from '../base/links.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import {
  type AnswerPart,
  PART_BYTES,
  PARTS_MAX,
  type Receipt,
  type RequestPart,
} from './message.js';
import type { Post } from './post.js';
import { Parcel, SHIPPING_MS, Shipment } from './shipment.js';

/** How long what was asked is remembered after it was answered, in milliseconds. */
export const KEPT_MS = 15_000;
/** Requests of others that are remembered at once. */
const KEPT_MAX = 4_096;
/** Bytes of requests that have begun to arrive, at most. */
const ARRIVING_MAX = 16 * 1024 * 1024;
/** Calls begin elsewhere with each start: an answer to an earlier one must not fit a later one. */
const STARTS = 2 ** 32;
const CALLS_PER_START = 2 ** 16;
/** Boots whose forgotten calls are known. */
const FLOORS_MAX = 4_096;

/** What a courier works with. */
export interface CourierParts {
  readonly post: Post;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** The id of this node. */
  readonly self: string;
  /** Where the datagrams of a node go; nothing when it is not known. */
  readonly endpointOf: (to: string) => string | undefined;
}

interface Call {
  readonly settle: Settle;
  readonly shipment: Shipment | undefined;
  readonly timer: Timer;
  parcel: Parcel | undefined;
}

/** A request of another node. */
interface Asked {
  readonly parcel: Parcel;
  readonly timer: Timer;
  answer: Shipment | undefined;
  handled: boolean;
}

/** Carries requests and answers; see the top of this file. */
export class Courier implements Links {
  readonly #parts: CourierParts;
  readonly #handlers = new Map<number, LinkHandler>();
  readonly #calls = new Map<number, Call>();
  readonly #asked = new Map<string, Asked>();
  /** The highest call of each boot that is forgotten. */
  readonly #floors = new Map<string, number>();
  #call: number;
  #arrivingBytes = 0;
  #stopped = false;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    this.#call = parts.random.below(STARTS) * CALLS_PER_START;
  }

  serve(topic: number, handler: LinkHandler): void {
    this.#handlers.set(topic, handler);
  }

  request(to: string, topic: number, body: Uint8Array, timeoutMs: number, settle: Settle): void {
    if (body.length > LINK_BODY_MAX) throw new RangeError(`a body of ${body.length} bytes`);
    const { timers, self, endpointOf } = this.#parts;
    const endpoint = this.#stopped ? undefined : endpointOf(to);
    this.#call++;
    const call = this.#call;
    const timer = timers.after(timeoutMs, () => this.#settle(call, undefined));
    if (to === self) {
      this.#calls.set(call, { settle, shipment: undefined, timer, parcel: undefined });
      timers.soon(() => this.#askSelf(call, topic, body));
    } else if (endpoint === undefined) {
      timer.cancel();
      timers.soon(() => settle(undefined));
    } else this.#ask({ call, topic, body, endpoint, settle, timer });
  }

  #ask(asked: {
    call: number;
    topic: number;
    body: Uint8Array;
    endpoint: string;
    settle: Settle;
    timer: Timer;
  }): void {
    const { post, self } = this.#parts;
    const { call, topic, endpoint, settle, timer } = asked;
    const shipment = new Shipment(asked.body, this.#parts, (part, parts, bytes) => {
      post.send(endpoint, { kind: 'request', call, part, parts, topic, from: self, bytes });
    });
    this.#calls.set(call, { settle, shipment, timer, parcel: undefined });
    shipment.start();
  }

  #askSelf(call: number, topic: number, body: Uint8Array): void {
    const answer = (bytes: Uint8Array): void => this.#settle(call, Uint8Array.from(bytes));
    this.#handlers.get(topic)?.(this.#parts.self, Uint8Array.from(body), answer);
  }

  #settle(call: number, answer: Uint8Array | undefined): void {
    const open = this.#calls.get(call);
    if (open === undefined) return;
    this.#calls.delete(call);
    open.timer.cancel();
    open.shipment?.stop();
    open.settle(answer);
  }

  /** A part of another node's request. */
  asked(boot: string, endpoint: string, part: RequestPart): void {
    const handler = this.#handlers.get(part.topic);
    if (this.#stopped || handler === undefined) return;
    const key = `${boot}/${part.call}`;
    const asked = this.#asked.get(key) ?? this.#open(key, boot, part);
    if (asked === undefined || !asked.parcel.take(part)) return;
    const { call } = part;
    this.#parts.post.send(endpoint, { kind: 'receipt', call, part: part.part, of: 'request' });
    if (!asked.parcel.complete || asked.handled) return;
    asked.handled = true;
    const body = asked.parcel.open();
    handler(part.from, body, (answer) => this.#answer(asked, endpoint, call, answer));
  }

  #open(key: string, boot: string, { call, parts }: RequestPart): Asked | undefined {
    if (call <= (this.#floors.get(boot) ?? -1)) return undefined;
    const bytes = parts * PART_BYTES;
    if (this.#asked.size >= KEPT_MAX || this.#arrivingBytes + bytes > ARRIVING_MAX)
      return undefined;
    this.#arrivingBytes += bytes;
    const parcel = new Parcel(parts);
    const timer = this.#parts.timers.after(KEPT_MS, () => {
      this.#forget(key, boot, call, bytes);
    });
    const asked: Asked = { parcel, timer, answer: undefined, handled: false };
    this.#asked.set(key, asked);
    return asked;
  }

  /** Calls of one boot are numbered in order: one as old as a forgotten one is not new. */
  #forget(key: string, boot: string, call: number, bytes: number): void {
    this.#arrivingBytes -= bytes;
    this.#asked.get(key)?.answer?.stop();
    this.#asked.delete(key);
    const floor = Math.max(call, this.#floors.get(boot) ?? 0);
    this.#floors.delete(boot);
    this.#floors.set(boot, floor);
    const [oldest] = this.#floors.keys();
    if (this.#floors.size > FLOORS_MAX && oldest !== undefined) this.#floors.delete(oldest);
  }

  #answer(asked: Asked, endpoint: string, call: number, answer: Uint8Array): void {
    if (this.#stopped || asked.answer !== undefined) return;
    if (answer.length > LINK_BODY_MAX) throw new RangeError(`an answer of ${answer.length} bytes`);
    const { post } = this.#parts;
    asked.answer = new Shipment(Uint8Array.from(answer), this.#parts, (part, parts, bytes) => {
      post.send(endpoint, { kind: 'answer', call, part, parts, bytes });
    });
    asked.answer.start();
  }

  /** A part of an answer. A call that is settled thanks for it, too, or it would come again. */
  answered(endpoint: string, part: AnswerPart): void {
    const { call } = part;
    const open = this.#calls.get(call);
    if (open !== undefined) {
      // Who answers has the request, even where the receipts were lost.
      open.shipment?.stop();
      open.parcel ??= new Parcel(part.parts);
      if (!open.parcel.take(part)) return;
    }
    this.#parts.post.send(endpoint, { kind: 'receipt', call, part: part.part, of: 'answer' });
    if (open?.parcel?.complete) this.#settle(call, open.parcel.open());
  }

  /** A part of this node's arrived. */
  received(boot: string, { call, part, of }: Receipt): void {
    if (of === 'request') this.#calls.get(call)?.shipment?.received(part);
    else this.#asked.get(`${boot}/${call}`)?.answer?.received(part);
  }

  /** Ends: what is open is settled with nothing. */
  stop(): void {
    this.#stopped = true;
    for (const { timer, answer } of this.#asked.values()) {
      timer.cancel();
      answer?.stop();
    }
    this.#asked.clear();
    for (const call of [...this.#calls.keys()]) this.#settle(call, undefined);
  }
}

/** What may still arrive is still known, with time to spare for a slow network. */
if (KEPT_MS < SHIPPING_MS + 5_000) throw new Error('requests are forgotten too early');
/** The parts of the longest body have numbers. */
if (LINK_BODY_MAX > PARTS_MAX * PART_BYTES) throw new Error('a body has more parts than numbers');
