/**
 * Links between simulated nodes, in the place of WebSockets: frames and answers are datagrams of a
 * connection that has a number. What is lost is noticed by silence; the link then makes another
 * connection, as after a broken one. Frames may come twice or in another order, which is more than
 * a real link does to those who use it.
 */
import type { LinkHandler, Links, Settle } from '../../src/base/links.js';
import type { Timer } from '../../src/base/timers.js';
import type { Link, PeerLinkParts } from '../../src/net/peers/peerLink.js';
import { AnswerReader } from '../../src/protocol/answerReader.js';
import type { Host } from './host.js';
import { GOSSIP_PORT } from './memberNode.js';

const HELLO = 1;
const WELCOME = 2;
const FRAME = 3;
const ANSWERS = 4;
const QUESTION = 5;
const REPLY = 6;
const HEAD_BYTES = 12;
/** A connection on which nothing has come for so long, though something should, is given up. */
const SILENT_MS = 1_000;
const AGAIN_MS = 200;

/** Carries out what comes over the links of others. */
export type Server = (
  peer: string,
  frame: Uint8Array,
  answer: (answers: Uint8Array) => void,
) => void;

/** The links of one host. */
export class Exchange {
  readonly #host: Host;
  readonly #send: (to: string, bytes: Uint8Array) => void;
  readonly #links = new Map<number, SimLink>();
  readonly #handlers = new Map<number, LinkHandler>();
  readonly #asked = new Map<number, Settle>();
  /** What was handled already: a request comes to its handler at most once. */
  readonly #handled = new Set<string>();
  #next = 1;

  constructor(host: Host, serve: Server) {
    this.#host = host;
    const socket = host.datagrams(GOSSIP_PORT);
    this.#send = (to, bytes) => socket.send(to, bytes);
    socket.onDatagram((from, bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const [kind, channel, epoch] = [0, 4, 8].map((at) => view.getUint32(at, true));
      const body = bytes.slice(HEAD_BYTES);
      if (kind === HELLO) this.#tell(from, WELCOME, channel ?? 0, epoch ?? 0);
      else if (kind === FRAME) {
        serve(`${from}/${channel}/${epoch}`, body, (answers) => {
          this.#tell(from, ANSWERS, channel ?? 0, epoch ?? 0, answers);
        });
      } else if (kind === QUESTION) this.#handle(from, channel ?? 0, epoch ?? 0, body);
      else if (kind === REPLY) this.#settle(channel ?? 0, body);
      else this.#links.get(channel ?? 0)?.heard(kind ?? 0, epoch ?? 0, body);
    });
    // Numbers differ from those before a crash.
    this.#next = 1 + host.random.below(1_000_000) * 1_000;
  }

  /** A question has the name of who asks in front: a byte of length, and the id. */
  #handle(from: string, number: number, topic: number, bytes: Uint8Array): void {
    const name = `${from}/${number}`;
    if (this.#handled.has(name)) return;
    this.#handled.add(name);
    const end = 1 + (bytes[0] ?? 0);
    const id = Buffer.from(bytes.subarray(1, end)).toString();
    this.#handlers.get(topic)?.(id, bytes.slice(end), (answer) => {
      this.#tell(from, REPLY, number, topic, answer);
    });
  }

  #settle(number: number, answer: Uint8Array | undefined): void {
    const settle = this.#asked.get(number);
    this.#asked.delete(number);
    settle?.(answer);
  }

  /** Questions to others and answers to theirs; one that is lost is not asked again. */
  questions(addressOf: (id: string) => string): Links {
    return {
      serve: (topic, handler) => void this.#handlers.set(topic, handler),
      request: (to, topic, body, timeoutMs, settle) => {
        const number = this.#next++;
        this.#asked.set(number, settle);
        this.#host.timers.after(timeoutMs, () => this.#settle(number, undefined));
        const id = Buffer.from(this.#host.id);
        const bytes = Buffer.concat([Uint8Array.of(id.length), id, body]);
        this.#tell(`${addressOf(to)}:${GOSSIP_PORT}`, QUESTION, number, topic, bytes);
      },
    };
  }

  #tell(to: string, kind: number, channel: number, epoch: number, body?: Uint8Array): void {
    const bytes = new Uint8Array(HEAD_BYTES + (body?.length ?? 0));
    const view = new DataView(bytes.buffer);
    for (const [n, word] of [kind, channel, epoch].entries()) view.setUint32(4 * n, word, true);
    if (body !== undefined) bytes.set(body, HEAD_BYTES);
    this.#send(to, bytes);
  }

  /** A link of this host. */
  link(parts: PeerLinkParts): Link {
    const channel = this.#next++;
    const to = `${parts.host}:${GOSSIP_PORT}`;
    const tell = (kind: number, epoch: number, body?: Uint8Array): void =>
      this.#tell(to, kind, channel, epoch, body);
    const link = new SimLink(this.#host, parts, tell);
    this.#links.set(channel, link);
    return link;
  }
}

class SimLink implements Link {
  up = false;
  failed = false;
  readonly #host: Host;
  readonly #parts: PeerLinkParts;
  readonly #tell: (kind: number, epoch: number, body?: Uint8Array) => void;
  #epoch = 0;
  /** Frames that were sent and not answered, and since when. */
  #owed = 0;
  #sinceMs = 0;
  #timer: Timer | undefined;

  constructor(
    host: Host,
    parts: PeerLinkParts,
    tell: (kind: number, epoch: number, body?: Uint8Array) => void,
  ) {
    this.#host = host;
    this.#parts = parts;
    this.#tell = tell;
  }

  start(): void {
    this.#connect();
    this.#timer = this.#host.timers.every(AGAIN_MS, () => this.#look());
  }

  #connect(): void {
    this.#epoch++;
    this.#owed = 0;
    this.#tell(HELLO, this.#epoch);
  }

  #look(): void {
    if (!this.up) {
      this.failed = true;
      this.#connect();
    } else if (this.#owed > 0 && this.#host.clock.monotonicMs() - this.#sinceMs > SILENT_MS) {
      this.drop();
    }
  }

  heard(kind: number, epoch: number, body: Uint8Array): void {
    if (epoch !== this.#epoch) return;
    this.#sinceMs = this.#host.clock.monotonicMs();
    if (kind === WELCOME && !this.up) {
      this.up = true;
      this.failed = false;
      this.#parts.onUp((frame) => this.#frame(epoch, frame), undefined);
    } else if (kind === ANSWERS && this.up) {
      this.#owed = Math.max(0, this.#owed - 1);
      const reader = new AnswerReader();
      reader.reset(body);
      this.#parts.onAnswers(reader);
    }
  }

  #frame(epoch: number, frame: Uint8Array): void {
    if (epoch !== this.#epoch) return;
    if (this.#owed++ === 0) this.#sinceMs = this.#host.clock.monotonicMs();
    this.#tell(FRAME, epoch, frame);
  }

  drop(): void {
    this.up = false;
    this.failed = true;
    this.#parts.onDown();
    this.#connect();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#epoch++;
    this.up = false;
    this.#parts.onDown();
  }
}
