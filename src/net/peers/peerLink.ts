/**
 * A connection from this node to another one, over the protocol that clients speak: opened by this
 * side, made again when it is lost, and sealed with a key of the cluster, which gives the right to
 * merge; on loopback, where there may be no key, a token does. Whoever answers has to be the node
 * that is meant, with the memory that the configuration knows: an address may have come to belong
 * to another one. What goes over the link is somebody else's business.
 *
 *   connecting ─open─▶ sealing ─reply─▶ greeting ─hello OK─▶ up ─closed─▶ waiting ─▶ connecting
 */
import { WebSocket } from 'ws';
import type { Random } from '../../base/random.js';
import type { Timer, Timers } from '../../base/timers.js';
import { AnswerReader } from '../../protocol/answerReader.js';
import { ProtocolError } from '../../protocol/errors.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { decodeGreeting, encodeHello, type Greeting } from '../../protocol/hello.js';
import { encodeRequest } from '../../protocol/request.js';
import { STATUS } from '../../protocol/status.js';
import { readText } from '../../protocol/text.js';
import {
  CLOSE_MALFORMED,
  CLOSE_UNAUTHENTICATED,
  OP_HELLO,
  SOCKET_PATH,
  SUBPROTOCOL,
} from '../../protocol/wire.js';
import { NO_FRAME, OpenerSeal } from './linkSeal.js';
import type { PeerPass } from './secret.js';

/** A link as those see it who use it. */
export interface Link {
  /** Whether the other side has let us in. */
  readonly up: boolean;
  /** Whether the last attempt has failed, and none has succeeded since. */
  readonly failed: boolean;
  /** Begins to connect. */
  start(): void;
  /** Gives the present connection up, to make another. */
  drop(): void;
  /** Ends it. */
  stop(): void;
}

/** Makes a link. */
export type LinkMaker = (parts: PeerLinkParts) => Link;

/** What a link needs. */
export interface PeerLinkParts {
  readonly host: string;
  readonly port: number;
  /** What this side calls itself. */
  readonly name: string;
  /** Who is meant, by the newest configuration; nothing when that knows it no more. */
  readonly expected: () => { readonly id: string; readonly boot: string } | undefined;
  /** Somebody else answers: a link to a node that is not meant is refused. */
  readonly onStranger?: (greeting: Greeting) => void;
  /** The other side does not take this node's key; told once for as long as that is so. */
  readonly onRefused?: () => void;
  /** What proves that it belongs to the cluster. */
  readonly pass: PeerPass;
  readonly timers: Timers;
  readonly random: Random;
  /** The other side has let us in; `send` holds until `onDown`. */
  readonly onUp: (send: (frame: Uint8Array) => void, run: string | undefined) => void;
  /** The connection is lost, or did not come about. */
  readonly onDown: () => void;
  /** A message of answers; the reader holds during the call. */
  readonly onAnswers: (answers: AnswerReader) => void;
}

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 1000;
const CONNECT_MS = 3000;
/** No node sends more than a mebibyte or one answer. */
const MAX_MESSAGE_BYTES = 2 ** 30;
/** What those close with who have no such key, or none at all. */
const REFUSALS = [CLOSE_UNAUTHENTICATED, CLOSE_MALFORMED];

/** One connection; see the top of this file. */
export class PeerLink implements Link {
  readonly #parts: PeerLinkParts;
  readonly #reader = new AnswerReader();
  readonly #unlisten: (() => void) | undefined;
  #socket: WebSocket | undefined;
  #seal: OpenerSeal | undefined;
  #refused = false;
  #up = false;
  #failed = false;
  #ended = false;
  #waitMs = FIRST_WAIT_MS;
  #timer: Timer | undefined;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    this.#unlisten = parts.pass.keys?.onChange(() => this.#rekey());
  }

  /** Whether the other side has let us in. */
  get up(): boolean {
    return this.#up;
  }

  /** Whether the last attempt has failed, and none has succeeded since. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Begins to connect. */
  start(): void {
    const { host, port } = this.#parts;
    const address = host.includes(':') ? `[${host}]` : host;
    const socket = new WebSocket(`ws://${address}:${port}${SOCKET_PATH}`, [SUBPROTOCOL], {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: CONNECT_MS,
    });
    this.#socket = socket;
    this.#seal = undefined;
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data) => {
      // A Buffer's own `slice` would be a view.
      if (!(data instanceof Uint8Array)) socket.terminate();
      else this.#received(socket, new Uint8Array(data.buffer, data.byteOffset, data.length));
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => this.#closed(socket, code));
  }

  #opened(socket: WebSocket): void {
    const { pass, random } = this.#parts;
    const { keys } = pass;
    if (socket !== this.#socket) return;
    if (keys === undefined) {
      this.#greet(socket);
      return;
    }
    const tell = (message: Uint8Array): void => socket.send(message);
    this.#seal = new OpenerSeal({ keys, random, tell }, () => this.#greet(socket));
    this.#seal.open();
  }

  #greet(socket: WebSocket): void {
    const { name, pass } = this.#parts;
    const writer = new FrameWriter(256);
    const value = encodeHello(pass.token);
    encodeRequest(writer, { id: 0, opcode: OP_HELLO, key: name, value });
    this.#send(socket, writer.frame());
  }

  /** Nothing goes out on a connection that there is no more: its seal is gone. */
  #send(socket: WebSocket, frame: Uint8Array): void {
    if (socket !== this.#socket) return;
    socket.send(this.#seal === undefined ? frame : this.#seal.seal(frame));
  }

  /** Other keys: goes over to the first, or ends what is sealed with one that is none any more. */
  #rekey(): void {
    if (this.#seal?.current === false) this.drop();
    else this.#seal?.renew();
  }

  #received(socket: WebSocket, data: Uint8Array): void {
    if (socket !== this.#socket) return;
    const frame = this.#seal === undefined ? data : this.#seal.take(data);
    if (frame === undefined) socket.terminate();
    else if (frame !== NO_FRAME) this.#answered(socket, frame);
  }

  #answered(socket: WebSocket, frame: Uint8Array): void {
    const reader = this.#reader;
    reader.reset(frame);
    if (this.#up) this.#parts.onAnswers(reader);
    else if (reader.next() && reader.status === STATUS.OK) this.#greeted(socket, reader);
    else socket.terminate();
    reader.release();
  }

  #greeted(socket: WebSocket, { bytes, bodyAt, bodyEnd }: AnswerReader): void {
    const greeting = greetingIn(readText(bytes, bodyAt, bodyEnd));
    const expected = this.#parts.expected();
    const isMeant = greeting?.node === expected?.id && greeting?.boot === expected?.boot;
    if (greeting === undefined || expected === undefined || !isMeant) {
      if (greeting !== undefined) this.#parts.onStranger?.(greeting);
      socket.terminate();
      return;
    }
    this.#up = true;
    this.#failed = false;
    this.#refused = false;
    this.#waitMs = FIRST_WAIT_MS;
    this.#parts.onUp((frame) => this.#send(socket, frame), greeting.run);
  }

  #closed(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.#noteRefusal(code);
    this.#seal = undefined;
    this.#failed = true;
    this.#up = false;
    this.#parts.onDown();
    if (this.#ended) return;
    const waitMs = this.#waitMs * (0.5 + this.#parts.random.fraction());
    this.#waitMs = Math.min(MAX_WAIT_MS, this.#waitMs * 2);
    this.#timer = this.#parts.timers.after(waitMs, () => this.start());
    this.#timer.unref();
  }

  #noteRefusal(code: number): void {
    if (this.#refused || this.#seal === undefined || !REFUSALS.includes(code)) return;
    this.#refused = true;
    this.#parts.onRefused?.();
  }

  /** Gives the present connection up, to make another. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Ends it. */
  stop(): void {
    this.#ended = true;
    this.#unlisten?.();
    this.#timer?.cancel();
    this.#socket?.terminate();
  }
}

function greetingIn(text: string): Greeting | undefined {
  try {
    return decodeGreeting(text);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Makes a link over a WebSocket. */
export const overWebSocket: LinkMaker = (parts) => new PeerLink(parts);
