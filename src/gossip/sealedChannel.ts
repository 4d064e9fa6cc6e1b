/**
 * Datagrams that only the cluster can read and write, and that count once.
 *
 * The obvious way, a key and a random nonce, leaves two holes: what was recorded can be sent again,
 * to the same node or to another one, and a node that has just started cannot know what is old. So
 * every datagram names its sender's boot, its receiver's boot and a counter, all authenticated, and
 * a receiver remembers which counters of a boot it has seen (`ReplayWindow`). And a boot is
 * believed only once it has proved that it lives, by sealing a cookie that was drawn for it just
 * now:
 *
 *   A (knows an endpoint)                        B
 *   greeting: to nobody, my challenge a  ------>
 *                                        <------  greeting: to A, proof a, my challenge b
 *   A believes B
 *   greeting: to B, proof b              ------>
 *                                                B believes A
 *
 * Bodies wait for that, a few and not for long. Whoever gets a sealed body of a boot it does not
 * believe, or one to a boot it no longer is, greets back, and the same follows. A recorded greeting
 * yields one greeting in return, whose challenge nobody can answer, and changes nothing.
 *
 * The nonce is the counter; it never repeats under a sender's key, which is new with every start
 * (`Keyring`). Counters have 48 bits.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import {
  type BodyHandler,
  type Channel,
  type ChannelFigures,
  type Datagrams,
  noFigures,
} from './channel.js';
import { COOKIE_BYTES, Cookies } from './cookies.js';
import {
  clusterTag,
  ENVELOPE,
  FORMS,
  formOf,
  SEAL_BYTES,
  SEALED_HEADER_BYTES,
  senderOf,
  writeEnvelope,
} from './envelope.js';
import type { Keyring } from './keyring.js';
import { ReplayWindow } from './replayWindow.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const NOBODY = '0'.repeat(16);
const NOTHING = '0'.repeat(2 * COOKIE_BYTES);
/** A greeting is a proof and a challenge, each a cookie or zeros. */
export const GREETING_BYTES = 2 * COOKIE_BYTES;
/** Boots that are believed at once; the least recently heard is asked again. */
const SESSIONS_MAX = 4_096;
/** Endpoints that bodies wait for, and bodies for each. */
const WAITING_MAX = 256;
const WAITING_BODIES_MAX = 8;
/** How long a body waits, in milliseconds. */
const WAIT_MS = 1_000;
/** An endpoint is greeted again after this, in milliseconds. */
const GREET_EVERY_MS = 150;

/** What a sealed channel works with. */
export interface SealedParts {
  readonly datagrams: Datagrams;
  readonly keyring: Keyring;
  readonly cluster: string;
  readonly boot: string;
  readonly clock: Clock;
  readonly random: Random;
}

interface Waiting {
  greetedMs: number;
  bodies: { readonly body: Uint8Array; readonly sinceMs: number }[];
}

/** An opened datagram. */
interface Opened {
  readonly from: string;
  readonly to: string;
  readonly counter: number;
  readonly body: Buffer;
}

/** Sealed datagrams; see the top of this file. */
export class SealedChannel implements Channel {
  readonly figures: ChannelFigures = noFigures();
  readonly #parts: SealedParts;
  readonly #cluster: number;
  readonly #cookies: Cookies;
  /** The boots that are believed, the least recently heard first. */
  readonly #sessions = new Map<string, ReplayWindow>();
  /** Who is at an endpoint; only believed boots. */
  readonly #boots = new Map<string, string>();
  readonly #waiting = new Map<string, Waiting>();
  #counter = 0;
  #onBody: BodyHandler = () => {};
  #onSelf: (endpoint: string) => void = () => {};

  constructor(parts: SealedParts) {
    this.#parts = parts;
    this.#cluster = clusterTag(parts.cluster);
    this.#cookies = new Cookies(parts.clock, parts.random);
    parts.datagrams.onDatagram((from, bytes) => this.#receive(from, bytes));
  }

  onBody(handler: BodyHandler): void {
    this.#onBody = handler;
  }

  onSelf(handler: (endpoint: string) => void): void {
    this.#onSelf = handler;
  }

  send(endpoint: string, body: Uint8Array): void {
    const boot = this.#boots.get(endpoint);
    if (boot !== undefined && this.#sessions.has(boot)) {
      this.#seal(endpoint, FORMS.sealed, boot, body);
    } else this.#wait(endpoint, body);
  }

  /** A body for a stranger waits until the stranger is believed. */
  #wait(endpoint: string, body: Uint8Array): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const waiting = this.#waiting.get(endpoint) ?? { greetedMs: -GREET_EVERY_MS, bodies: [] };
    if (!this.#waiting.has(endpoint) && this.#waiting.size >= WAITING_MAX) this.#expire(nowMs);
    if (this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.set(endpoint, waiting);
    waiting.bodies = waiting.bodies.filter(({ sinceMs }) => nowMs - sinceMs < WAIT_MS);
    if (waiting.bodies.length >= WAITING_BODIES_MAX) waiting.bodies.shift();
    waiting.bodies.push({ body: Uint8Array.from(body), sinceMs: nowMs });
    if (nowMs - waiting.greetedMs < GREET_EVERY_MS) return;
    waiting.greetedMs = nowMs;
    this.#greet(endpoint, NOBODY, NOTHING, endpoint);
  }

  #expire(nowMs: number): void {
    for (const [endpoint, { greetedMs }] of this.#waiting) {
      if (nowMs - greetedMs > WAIT_MS) this.#waiting.delete(endpoint);
    }
  }

  /** Proves that this boot lives, and asks the other side to prove it, too, unless it has. */
  #greet(endpoint: string, to: string, proof: string, whom: string | undefined): void {
    const challenge = whom === undefined ? NOTHING : this.#cookies.bake(whom);
    if (challenge === undefined) return;
    this.figures.greetings++;
    this.#seal(endpoint, FORMS.greeting, to, Buffer.from(proof + challenge, 'hex'));
  }

  #seal(endpoint: string, form: number, to: string, body: Uint8Array): void {
    const { boot, keyring, datagrams } = this.#parts;
    const datagram = Buffer.allocUnsafe(SEALED_HEADER_BYTES + body.length + SEAL_BYTES);
    this.#counter++;
    writeEnvelope(datagram, form, this.#cluster, boot);
    datagram.write(to, ENVELOPE.to, 'hex');
    datagram.writeUIntLE(this.#counter, ENVELOPE.counter, 6);
    datagram.writeUInt16LE(keyring.sealingTag, ENVELOPE.keyTag);
    const cipher = createCipheriv(CIPHER, keyring.sealingKey(boot), nonceOf(this.#counter));
    cipher.setAAD(datagram.subarray(0, SEALED_HEADER_BYTES));
    datagram.set(cipher.update(body), SEALED_HEADER_BYTES);
    cipher.final();
    datagram.set(cipher.getAuthTag(), SEALED_HEADER_BYTES + body.length);
    this.figures.sent++;
    this.figures.sentBytes += datagram.length;
    datagrams.send(endpoint, datagram);
  }

  #receive(endpoint: string, bytes: Uint8Array): void {
    const datagram = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.figures.received++;
    this.figures.receivedBytes += datagram.length;
    const form = formOf(datagram, this.#cluster);
    if (form === undefined) {
      this.figures.malformed++;
      return;
    }
    const opened = form === FORMS.plain ? undefined : this.#open(datagram);
    if (opened === undefined) this.figures.forged++;
    else if (opened.from === this.#parts.boot) this.#onSelf(endpoint);
    else if (form === FORMS.greeting) this.#greeted(endpoint, opened);
    else this.#sealed(endpoint, opened);
  }

  #open(datagram: Buffer): Opened | undefined {
    const from = senderOf(datagram);
    const to = datagram.toString('hex', ENVELOPE.to, ENVELOPE.to + 8);
    const counter = datagram.readUIntLE(ENVELOPE.counter, 6);
    const keys = this.#parts.keyring.keysFor(from, datagram.readUInt16LE(ENVELOPE.keyTag));
    for (const key of keys) {
      const body = unseal(datagram, key, counter);
      if (body !== undefined) return { from, to, counter, body };
    }
    return undefined;
  }

  #sealed(endpoint: string, { from, to, counter, body }: Opened): void {
    const session = this.#sessions.get(from);
    if (session === undefined || to !== this.#parts.boot) {
      // Not believed, or meant for an earlier start of this node.
      this.#greet(endpoint, from, NOTHING, from);
      return;
    }
    if (!session.admit(counter)) {
      this.figures.replayed++;
      return;
    }
    this.#sessions.delete(from);
    this.#sessions.set(from, session);
    this.#boots.set(endpoint, from);
    this.#onBody(from, endpoint, body);
  }

  #greeted(endpoint: string, { from, to, counter, body }: Opened): void {
    const mine = to === this.#parts.boot;
    if (body.length !== GREETING_BYTES || (!mine && to !== NOBODY)) {
      this.figures.malformed++;
      return;
    }
    const proof = body.toString('hex', 0, COOKIE_BYTES);
    const challenge = body.toString('hex', COOKIE_BYTES);
    const proved = mine && proof !== NOTHING && this.#cookies.redeem(proof, from, endpoint);
    if (proved) this.#believe(endpoint, from, counter);
    // The proof goes out before the bodies that wait, or they would meet disbelief.
    if (challenge !== NOTHING) {
      const known = this.#sessions.has(from);
      this.#greet(endpoint, from, challenge, known ? undefined : from);
    }
    if (proved) this.#sendWaiting(endpoint);
  }

  #believe(endpoint: string, boot: string, counter: number): void {
    const session = this.#sessions.get(boot) ?? new ReplayWindow(counter);
    this.#sessions.delete(boot);
    this.#sessions.set(boot, session);
    this.#boots.set(endpoint, boot);
    this.#drop();
  }

  #sendWaiting(endpoint: string): void {
    const waiting = this.#waiting.get(endpoint);
    this.#waiting.delete(endpoint);
    const nowMs = this.#parts.clock.monotonicMs();
    for (const { body, sinceMs } of waiting?.bodies ?? []) {
      if (nowMs - sinceMs < WAIT_MS) this.send(endpoint, body);
    }
  }

  /** Forgets the boots that were silent longest when there are too many. */
  #drop(): void {
    if (this.#sessions.size <= SESSIONS_MAX) return;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined) this.#sessions.delete(oldest);
    for (const [endpoint, boot] of this.#boots) {
      if (!this.#sessions.has(boot)) this.#boots.delete(endpoint);
    }
  }
}

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntLE(counter, 0, 6);
  return nonce;
}

/** The body of a sealed datagram, or nothing when it was not sealed with this key. */
function unseal(datagram: Buffer, key: Uint8Array, counter: number): Buffer | undefined {
  const end = datagram.length - SEAL_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonceOf(counter), { authTagLength: SEAL_BYTES });
  decipher.setAAD(datagram.subarray(0, SEALED_HEADER_BYTES));
  decipher.setAuthTag(datagram.subarray(end));
  const body = decipher.update(datagram.subarray(SEALED_HEADER_BYTES, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return body;
}
