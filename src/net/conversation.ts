/**
 * One WebSocket's side of the story: greeted or not, served or paused, and why it ends. It knows
 * neither uWebSockets.js nor `ws`; listeners call it, and it speaks through a `Wire`.
 *
 *            hello                     answers at the limit
 *    fresh ────────▶ greeted ◀──────────────────────────▶ paused
 *      │                │            the reader caught up    │
 *      └────────────────┴──────────────────┬─────────────────┘
 *                                          ▼
 *                              ended (`wire` is undefined)
 */
import {
  CLOSE_FRAME_TIMEOUT,
  CLOSE_GOING_AWAY,
  CLOSE_MALFORMED,
  CLOSE_SLOW_READER,
  CLOSE_TEXT,
  CLOSE_TOO_BIG,
  CLOSE_TOO_MUCH_PIPELINED,
  CLOSE_UNAUTHENTICATED,
} from '../protocol/wire.js';
import { addTo, FIGURE, type Tally } from './board.js';
import { figureOf, reasonOf } from './farewell.js';
import type { Gather } from './gather.js';
import type { Greeter } from './greeting.js';
import type { Limits } from './limits.js';
import { Party } from './party.js';
import { type ListenerSeal, NO_FRAME } from './peers/linkSeal.js';
import { isAboutSeal, SEAL_BYTES } from './peers/sealWire.js';
import type { Sessions } from './peers/sessions.js';
import { isAboutSession, takeSession } from './sessionDesk.js';
import { isAboutTopology, type TopologyDesk } from './topologyDesk.js';
import type { Wire } from './wire.js';

/** What all conversations of a thread share. */
export interface ConversationParts {
  readonly gather: Gather;
  readonly greeter: Greeter;
  readonly topology: TopologyDesk;
  /** What sessions are kept by, where there may be other nodes. */
  readonly sessions?: Sessions | undefined;
  readonly limits: Limits;
  readonly tally: Tally;
  /** The verbs of a greeted client. */
  readonly grants: number;
  /** Those of another node. */
  readonly peerGrants: number;
  /** Makes the seal of another node's conversation, where nodes have keys. */
  readonly makeSeal?: ((tell: (message: Uint8Array) => void) => ListenerSeal) | undefined;
}

/** `send` says this when it dropped the message. */
const DROPPED = 2;
/** `send` says this when everything went out. */
const SENT = 1;

/** One connection; see the top of this file. */
export class Conversation extends Party {
  /** When the connection came, or last completed a frame or a pong, on the vigil's clock in ms. */
  heardMs: number;
  /** Something was completed since the vigil last looked. */
  heard = true;
  /** The vigil's ping is not answered yet. */
  pinged = false;
  /** Unread bytes when the vigil last looked. */
  unreadBytes = 0;
  readonly #parts: ConversationParts;
  #wire: Wire | undefined;
  /** What all is sealed with, if another node speaks. */
  #seal: ListenerSeal | undefined;

  constructor(parts: ConversationParts, wire: Wire, nowMs: number) {
    super();
    this.#parts = parts;
    this.#wire = wire;
    this.heardMs = nowMs;
  }

  /** The socket, until the conversation has ended. */
  get wire(): Wire | undefined {
    return this.#wire;
  }

  /** True once a hello succeeded. */
  get greeted(): boolean {
    return this.grants !== 0;
  }

  /** A binary message came; `bytes` is not kept. */
  receive(bytes: Uint8Array): void {
    const { tally, limits } = this.#parts;
    if (this.#wire === undefined) return;
    const length = bytes.length;
    this.heard = true;
    addTo(tally, FIGURE.framesIn);
    addTo(tally, FIGURE.bytesIn, length);
    const tagBytes = this.#seal === undefined ? 0 : SEAL_BYTES;
    if (length - tagBytes > limits.maxFrameBytes) {
      this.#refuse(CLOSE_TOO_BIG);
      return;
    }
    const frame = this.#unsealed(bytes);
    if (frame === undefined) this.#refuse(CLOSE_UNAUTHENTICATED);
    else if (frame === NO_FRAME) return;
    else if (this.grants === 0) this.#greet(frame);
    else if (frame.length === 0) this.#refuse(CLOSE_MALFORMED);
    else this.#submit(frame);
  }

  /** The frame in a message, or `NO_FRAME`; nothing when it was not sealed by who speaks here. */
  #unsealed(bytes: Uint8Array): Uint8Array | undefined {
    const { makeSeal } = this.#parts;
    const isOpening = makeSeal !== undefined && this.grants === 0 && isAboutSeal(bytes);
    if (this.#seal === undefined && isOpening) {
      // What is said about the seal is sealed by itself.
      this.#seal = makeSeal((message) => this.#transmit(message));
    }
    return this.#seal === undefined ? bytes : this.#seal.take(bytes);
  }

  /** Other keys: whoever seals with one that is none any more has to begin anew. */
  rekey(): void {
    if (this.#seal?.current === false) this.end(CLOSE_GOING_AWAY);
  }

  /** What is about the cluster the core knows nothing of; it stands at the beginning of frames. */
  #submit(bytes: Uint8Array): void {
    const { gather, topology, sessions } = this.#parts;
    let rest = bytes;
    for (let left = -1; left !== rest.length; ) {
      left = rest.length;
      if (isAboutTopology(rest)) rest = topology.take(this, rest);
      if (sessions !== undefined && isAboutSession(rest)) rest = takeSession(this, rest);
    }
    if (rest.length > 0) gather.ask(this, rest);
  }

  /** Sends what is no answer to what is being executed. */
  tell(answers: Uint8Array): void {
    if (this.#send(answers)) this.end(CLOSE_SLOW_READER);
  }

  /** A text message came. */
  receiveText(): void {
    this.#refuse(CLOSE_TEXT);
  }

  /** Ends because of a message that makes no sense, after answering those before it. */
  #refuse(closeCode: number): void {
    this.#parts.gather.run();
    this.end(closeCode);
  }

  #greet(bytes: Uint8Array): void {
    const { greeter, grants, peerGrants } = this.#parts;
    const { answers, rest, isPeer, closeCode } = greeter.greet(bytes, this.#seal !== undefined);
    if (answers.length > 0 && this.#send(answers)) {
      this.end(CLOSE_SLOW_READER);
      return;
    }
    if (closeCode !== 0) {
      this.end(closeCode);
      return;
    }
    if (rest === undefined) return;
    this.isPeer = isPeer === true;
    this.grants = this.isPeer ? peerGrants : grants;
    if (rest.length > 0) this.#submit(rest);
  }

  /** Sends, and tells whether so much is unread that nothing more should be. */
  #send(answers: Uint8Array): boolean {
    if (this.#wire === undefined) return false;
    return this.#transmit(this.#seal === undefined ? answers : this.#seal.seal(answers));
  }

  #transmit(message: Uint8Array): boolean {
    const wire = this.#wire;
    if (wire === undefined) return false;
    const { tally, limits } = this.#parts;
    const sent = wire.send(message, true);
    addTo(tally, FIGURE.messagesOut);
    addTo(tally, FIGURE.bytesOut, message.length);
    if (sent === SENT) return false;
    // The listener's own limit lies far above ours. If it drops, the answers have a hole.
    if (sent === DROPPED) this.end(CLOSE_SLOW_READER);
    return sent !== DROPPED && wire.getBufferedAmount() >= limits.maxBackpressureBytes;
  }

  override deliver(answers: Uint8Array, closeCode: number): boolean {
    const { session } = this;
    const signed = session && this.#parts.sessions?.signed(session, answers);
    const choked = answers.length > 0 && this.#send(signed ?? answers);
    if (closeCode === 0) return choked;
    this.end(closeCode);
    return false;
  }

  override ease(): void {
    this.drained();
  }

  override overflow(): void {
    this.end(CLOSE_TOO_MUCH_PIPELINED);
  }

  /** The socket took some of what was unread. */
  drained(): void {
    const { gather, limits } = this.#parts;
    if (!this.paused || this.#wire === undefined) return;
    if (this.#wire.getBufferedAmount() < limits.maxBackpressureBytes / 2) gather.resume(this);
  }

  /** The frame in work, or the hello, took too long; or the answers were not read. */
  expire(slowReader: boolean): void {
    this.end(slowReader ? CLOSE_SLOW_READER : CLOSE_FRAME_TIMEOUT);
  }

  /** Says goodbye with a close code and ends. */
  end(closeCode: number): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    const figure = figureOf(closeCode);
    if (figure !== undefined) this.#parts.tally[FIGURE[figure]] = this.#count(figure) + 1;
    this.#wire = undefined;
    this.#parts.gather.leave(this);
    this.#parts.topology.leave(this);
    wire.end(closeCode, reasonOf(closeCode));
  }

  #count(figure: keyof typeof FIGURE): number {
    return this.#parts.tally[FIGURE[figure]] ?? 0;
  }

  /** The socket is closed, by whichever side. */
  closed(): void {
    this.#wire = undefined;
    this.#parts.gather.leave(this);
    this.#parts.topology.leave(this);
  }
}
