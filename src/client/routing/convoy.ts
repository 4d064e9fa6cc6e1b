/**
 * Many requests of one call, on their way through a cluster: taken apart by node, one part for
 * each, and put together again. What a node could not take goes on to the next owners of its keys,
 * key by key; what a silent one has not answered is read from another one besides.
 */
import type { AnswerReader } from '../../protocol/answerReader.js';
import { errorOfStatus, type OrlopError } from '../../protocol/errors.js';
import type { Request } from '../../protocol/request.js';
import { type Batch, type BatchCall, TURN } from '../batchCall.js';
import type { Call, Outlet } from '../call.js';
import type { Parked } from './parking.js';
import { type Peer, RANK } from './peer.js';
import type { Guide } from './router.js';
import type { Intent } from './topology.js';
import { mayAskElsewhere, mayGoElsewhere, mayPass } from './verdict.js';

/** The places of a call by the node that is to be asked, in their order. */
export function scatter<N>(
  places: Iterable<number>,
  nodeOf: (place: number) => N,
): Map<N, number[]> {
  const byNode = new Map<N, number[]>();
  for (const place of places) {
    const node = nodeOf(place);
    const known = byNode.get(node);
    if (known === undefined) byNode.set(node, [place]);
    else known.push(place);
  }
  return byNode;
}

/** Some places of a call at one node. */
class Part implements Call {
  readonly waitingBytes = 0;
  sent = false;
  readonly #convoy: Convoy;
  readonly #tried: readonly Peer[];
  readonly #startMs: number;
  #places: number[];
  /** Where the next place to put is in `#places`. */
  #next = 0;
  #unanswered = 0;
  #refused: number[] = [];
  #over = false;
  #lingered = false;

  constructor(convoy: Convoy, places: number[], tried: readonly Peer[], startMs: number) {
    this.#convoy = convoy;
    this.#places = places;
    this.#tried = tried;
    this.#startMs = startMs;
  }

  get deadlineMs(): number {
    return this.#convoy.deadlineMs;
  }

  get timeoutMs(): number {
    return this.#convoy.call.timeoutMs;
  }

  get done(): boolean {
    return this.#over || this.#convoy.done;
  }

  /** Nothing is copied: the arguments of a batch must not change until its promise settles. */
  keep(): void {}

  feed(outlet: Outlet): boolean {
    const end = Math.min(this.#places.length, this.#next + TURN);
    while (this.#next < end && outlet.hasRoom() && !this.done) {
      const place = this.#places[this.#next] as number;
      if (this.#convoy.isOpen(place)) this.#put(outlet, place);
      this.#next++;
    }
    if (this.#next === this.#places.length) this.#checkEnd();
    return this.done || this.#next === this.#places.length;
  }

  #put(outlet: Outlet, place: number): void {
    outlet.put(this, this.#next, this.#convoy.request(place));
    this.sent = true;
    this.#convoy.call.sent = true;
    this.#unanswered++;
  }

  settle(at: number, answer: AnswerReader): void {
    this.#unanswered--;
    const place = this.#places[at] as number;
    if (this.#convoy.mustGoOn(answer)) this.#refused.push(place);
    else this.#convoy.accept(place, answer);
    this.#checkEnd();
  }

  #checkEnd(): void {
    if (this.#unanswered > 0 || this.#next < this.#places.length || this.done) return;
    this.#over = true;
    this.#goOn(this.#refused);
  }

  #goOn(places: readonly number[]): void {
    const open = places.filter((place) => this.#convoy.isOpen(place));
    if (open.length > 0) this.#convoy.spread(open, this.#tried);
  }

  fail(error: OrlopError): void {
    if (this.done) return;
    this.#over = true;
    const open = this.#places.filter((place) => this.#convoy.isOpen(place));
    if (open.length === 0) return;
    if (this.#convoy.mayGoOn(error, this.#unanswered === 0)) this.#convoy.spread(open, this.#tried);
    else this.#convoy.end(error);
  }

  /** Silence is no reason to send a write again, but what was not sent may go elsewhere. */
  linger(nowMs: number, stuck: boolean): void {
    const convoy = this.#convoy;
    if (this.#lingered || !stuck || nowMs - this.#startMs < convoy.patienceMs) return;
    const mayMove = (place: number): boolean => convoy.isAskable(place, this.#tried);
    const unsent = this.#places.slice(this.#next);
    const sent = this.#places.slice(0, this.#next);
    const moving = unsent.filter(mayMove);
    const doubled = convoy.again ? sent.filter(mayMove) : [];
    if (moving.length + doubled.length === 0) return;
    this.#lingered = true;
    this.#places = [...sent, ...unsent.filter((place) => !moving.includes(place))];
    convoy.spread([...doubled, ...moving], this.#tried);
    this.#checkEnd();
  }
}

/** Places that no node can take now. */
class Stranded implements Parked {
  readonly #convoy: Convoy;
  readonly #places: readonly number[];

  constructor(convoy: Convoy, places: readonly number[]) {
    this.#convoy = convoy;
    this.#places = places;
  }

  readonly waitingBytes = 0;

  get deadlineMs(): number {
    return this.#convoy.deadlineMs;
  }

  get done(): boolean {
    return this.#convoy.done;
  }

  resume(): void {
    const open = this.#places.filter((place) => this.#convoy.isOpen(place));
    if (open.length > 0) this.#convoy.spread(open, []);
  }

  fail(error: OrlopError): void {
    this.#convoy.end(error);
  }
}

/** A call about many keys. */
export class Convoy {
  readonly call: BatchCall<unknown>;
  readonly #guide: Guide;
  readonly #batch: Batch<unknown>;
  readonly #answered: Uint8Array;
  #lastError: OrlopError | undefined;

  /** Of `call` nothing was sent. */
  constructor(guide: Guide, call: BatchCall<unknown>, batch: Batch<unknown>) {
    this.#guide = guide;
    this.call = call;
    this.#batch = batch;
    this.#answered = new Uint8Array(batch.count);
  }

  get deadlineMs(): number {
    return this.call.deadlineMs;
  }

  get done(): boolean {
    return this.call.done;
  }

  get patienceMs(): number {
    return this.#guide.patienceMs;
  }

  /** Whether requests may be sent again although they may have been executed. */
  get again(): boolean {
    return this.call.passage.again;
  }

  get #intent(): Intent {
    return this.#batch.reads ? 'read' : 'write';
  }

  #peerOf(place: number, tried: readonly Peer[]): Peer | undefined {
    return this.#guide.pick(this.#batch.keyAt(place), this.#intent, tried);
  }

  /** Whether a place is open and a node that was not tried is ready for it. */
  isAskable(place: number, tried: readonly Peer[]): boolean {
    return this.isOpen(place) && this.#peerOf(place, tried)?.rank === RANK.ready;
  }

  /** Sends everything on its way. */
  go(): void {
    this.spread(this.#answered.keys(), []);
  }

  /** Sends places on their way to nodes that were not tried. */
  spread(places: Iterable<number>, tried: readonly Peer[]): void {
    const nowMs = this.#guide.nowMs();
    for (const [peer, some] of scatter(places, (place) => this.#peerOf(place, tried))) {
      if (this.call.done) return;
      if (peer === undefined) this.#strand(some);
      else peer.submit(new Part(this, some, [...tried, peer], nowMs), nowMs);
    }
  }

  #strand(places: readonly number[]): void {
    if (mayPass(this.#lastError)) this.#guide.park(new Stranded(this, places));
    else this.end(this.#lastError as OrlopError);
  }

  /** Whether a place has no answer yet. */
  isOpen(place: number): boolean {
    return this.#answered[place] === 0;
  }

  /** The request of a place; used before the next one is asked for. */
  request(place: number): Request {
    const request = this.#batch.request(place);
    request.level = this.call.passage.level;
    return request;
  }

  /** Whether an answer is none yet, since another node may answer otherwise. */
  mustGoOn(answer: AnswerReader): boolean {
    if (!mayAskElsewhere(answer.status, this.again)) return false;
    this.#lastError = errorOfStatus(answer.status);
    return true;
  }

  /** Whether what failed at one node may be tried at another; `unsent` if all sent is answered. */
  mayGoOn(error: OrlopError, unsent: boolean): boolean {
    this.#lastError = error;
    return !this.#guide.closed && mayGoElsewhere(error, unsent || this.again);
  }

  /** The answer of a place; only the first one counts. */
  accept(place: number, answer: AnswerReader): void {
    if (this.#answered[place] !== 0 || this.call.done) return;
    this.#answered[place] = 1;
    this.call.settle(place, answer);
  }

  /** Ends the call. */
  end(error: OrlopError): void {
    this.call.fail(error);
  }
}
