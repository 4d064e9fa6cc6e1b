/**
 * One request on its way through a cluster. It is made at the first owner of its key that is worth
 * asking. Where that one is gone or refuses, and nothing can have been changed, it is made at the
 * next; so is a read that was under way there. A read that lingers is asked of a second owner
 * besides, and the first answer counts. A write that was sent is not, unless the program asked for
 * that: it may have been executed.
 */
import type { AnswerReader } from '../../protocol/answerReader.js';
import {
  DisconnectedError,
  errorOfStatus,
  OrlopError,
  TimeoutError,
  UnavailableError,
} from '../../protocol/errors.js';
import type { Request } from '../../protocol/request.js';
import { FIRST_ERROR } from '../../protocol/status.js';
import { OP_GET } from '../../protocol/wire.js';
import type { Call, Outlet } from '../call.js';
import type { SingleCall } from '../singleCall.js';
import type { Parked } from './parking.js';
import type { Peer } from './peer.js';
import type { Guide } from './router.js';
import { mayAskElsewhere, mayGoElsewhere, mayPass } from './verdict.js';

/** The request at one node. */
class Attempt implements Call {
  readonly waitingBytes: number;
  sent = false;
  readonly #journey: Journey;
  readonly #startMs: number;
  #over = false;
  #lingered = false;

  constructor(journey: Journey, startMs: number) {
    this.#journey = journey;
    this.#startMs = startMs;
    this.waitingBytes = journey.call.waitingBytes;
  }

  get deadlineMs(): number {
    return this.#journey.call.deadlineMs;
  }

  get timeoutMs(): number {
    return this.#journey.call.timeoutMs;
  }

  get done(): boolean {
    return this.#over || this.#journey.call.done;
  }

  /** The journey keeps its own copy. */
  keep(): void {}

  feed(outlet: Outlet): boolean {
    if (this.done) return true;
    if (!outlet.hasRoom()) return false;
    outlet.put(this, 0, this.#journey.request);
    this.sent = true;
    this.#journey.call.sent = true;
    return true;
  }

  settle(_place: number, answer: AnswerReader): void {
    this.#over = true;
    this.#journey.answered(this, answer);
  }

  fail(error: OrlopError): void {
    if (this.done) return;
    this.#over = true;
    this.#journey.failed(this, error);
  }

  linger(nowMs: number, stuck: boolean): void {
    const journey = this.#journey;
    if (this.#lingered || nowMs - this.#startMs < journey.patienceMs) return;
    if (this.sent) {
      if (journey.mayHedge(stuck)) this.#lingered = journey.hedge(nowMs);
    } else if (stuck && journey.hedge(nowMs)) {
      this.#over = true;
      journey.left(this);
    }
  }
}

/** One request, until it has its answer. */
export class Journey implements Parked {
  readonly call: SingleCall<unknown>;
  readonly request: Request;
  readonly #guide: Guide;
  readonly #tried: Peer[] = [];
  readonly #open = new Set<Attempt>();
  /** Some attempt that is over may have been executed. */
  #unknown = false;
  #lastError: OrlopError | undefined;

  /** `call` was not sent anywhere. */
  constructor(guide: Guide, call: SingleCall<unknown>, request: Request) {
    this.#guide = guide;
    this.call = call;
    this.request = request;
    request.level = call.passage.level;
    // It may be sent again after the program has changed what it passed.
    call.keep();
  }

  get patienceMs(): number {
    return this.#guide.patienceMs;
  }

  get deadlineMs(): number {
    return this.call.deadlineMs;
  }

  get done(): boolean {
    return this.call.done;
  }

  get waitingBytes(): number {
    return this.call.waitingBytes;
  }

  /** Goes to the next node that is worth asking, or waits for one. */
  go(nowMs: number): void {
    const peer = this.#next();
    if (peer !== undefined) this.#attempt(peer, nowMs);
    else if (this.#open.size === 0) this.#rest();
  }

  #next(): Peer | undefined {
    const { key, opcode } = this.request;
    const intent = opcode === OP_GET ? 'read' : 'write';
    return this.#guide.pick(key, intent, this.#tried);
  }

  #attempt(peer: Peer, nowMs: number): void {
    this.#tried.push(peer);
    const attempt = new Attempt(this, nowMs);
    this.#open.add(attempt);
    peer.submit(attempt, nowMs);
  }

  #rest(): void {
    if (!mayPass(this.#lastError)) {
      this.#end(this.#lastError as OrlopError);
      return;
    }
    this.#tried.length = 0;
    this.#guide.park(this);
  }

  resume(nowMs: number): void {
    this.go(nowMs);
  }

  /** Whether a second node may be asked while the first has the request. */
  mayHedge(stuck: boolean): boolean {
    return this.request.opcode === OP_GET || (stuck && this.call.passage.again);
  }

  /** Asks another node, too; false when there is none. */
  hedge(nowMs: number): boolean {
    const peer = this.#next();
    if (peer === undefined || peer.rank > 0) return false;
    this.#attempt(peer, nowMs);
    return true;
  }

  /** An attempt of which nothing was sent was given up for another one. */
  left(attempt: Attempt): void {
    this.#open.delete(attempt);
  }

  /** An attempt has its answer. */
  answered(attempt: Attempt, answer: AnswerReader): void {
    this.#open.delete(attempt);
    if (this.call.done) return;
    const { status } = answer;
    if (mayAskElsewhere(status, this.call.passage.again)) {
      this.#lastError = errorOfStatus(status);
      this.#unknown ||= this.#lastError.outcome === 'unknown';
      this.go(this.#guide.nowMs());
    } else if (status >= FIRST_ERROR && this.#mayBeDone) this.#end(errorOfStatus(status));
    else this.call.settle(0, answer);
  }

  /** Whether a change may have been made, whatever the attempt says that ended last. */
  get #mayBeDone(): boolean {
    if (this.request.opcode === OP_GET) return false;
    return this.#unknown || [...this.#open].some(({ sent }) => sent);
  }

  /** An attempt has failed. */
  failed(attempt: Attempt, error: OrlopError): void {
    this.#open.delete(attempt);
    const { again } = this.call.passage;
    if (!mayGoElsewhere(error, again) || this.#guide.closed) {
      this.#end(error);
      return;
    }
    this.#unknown ||= error.outcome === 'unknown';
    this.#lastError = error;
    this.go(this.#guide.nowMs());
  }

  /** Its deadline passed while it waited, or there is no use in waiting. */
  fail(error: OrlopError): void {
    this.#end(this.#lastError instanceof UnavailableError ? this.#lastError : error);
  }

  #end(error: OrlopError): void {
    if (!this.#mayBeDone || error.outcome === 'unknown') {
      this.call.fail(error);
      return;
    }
    // The error may be shared with calls that were not sent.
    const { code, message } = error;
    const details = { outcome: 'unknown', cause: error } as const;
    if (error instanceof TimeoutError) this.call.fail(new TimeoutError(message, details));
    else if (error instanceof DisconnectedError) {
      this.call.fail(new DisconnectedError(message, details));
    } else this.call.fail(new OrlopError(code, message, details));
  }
}
