/**
 * The seal of a link between two nodes that have a key in common: what goes over it can be read and
 * written by nobody else, and is known to have been written for this connection.
 *
 *   who connects                                     who listens
 *   opening: id of the first key, nonce a    ────▶   no such key: closed
 *                                            ◀────   reply: nonce b
 *   both derive two keys from the key and a, b: all that follows is sealed
 *   hello ...                                ────▶
 *
 * To be able to seal is to belong to the cluster: no token is presented, neither here nor there. A
 * recorded opening gets another nonce b, so that nothing that was recorded with it opens.
 *
 * When the first key of whoever connects has changed, the same is said again over the link as it
 * is, so that a key is changed without losing anything that is under way:
 *
 *   opening (sealed as before)               ────▶
 *                                            ◀────   reply (sealed as before), then with new keys
 *   turn (as before), then with new keys     ────▶
 *
 * Messages of a direction stay in order, so both sides know of each with which keys it is sealed. A
 * link whose key is no key of the cluster any more is ended.
 */
import type { Random } from '../../base/random.js';
import type { LinkKey, LinkKeys } from './linkKeys.js';
import { Sealer, Unsealer } from './sealedWay.js';
import {
  encodeOpening,
  encodeReply,
  encodeTurn,
  isAboutSeal,
  isTurn,
  NONCE_BYTES,
  readOpening,
  readReply,
} from './sealWire.js';

/** There was no frame in a message: it was about the seal. */
export const NO_FRAME = new Uint8Array();

/** What a seal works with. */
export interface SealParts {
  readonly keys: LinkKeys;
  readonly random: Random;
  /** Sends a message as it is. */
  readonly tell: (message: Uint8Array) => void;
}

/** The seal of whoever connects; see the top of this file. */
export class OpenerSeal {
  readonly #parts: SealParts;
  readonly #sealed: () => void;
  #asked: { readonly key: LinkKey; readonly nonce: Uint8Array } | undefined;
  #key: LinkKey | undefined;
  #out: Sealer | undefined;
  #in: Unsealer | undefined;

  /** `sealed` is called once, when frames can be sealed. */
  constructor(parts: SealParts, sealed: () => void) {
    this.#parts = parts;
    this.#sealed = sealed;
  }

  /** Asks for keys. */
  open(): void {
    const { keys, random, tell } = this.#parts;
    const [key, nonce] = [keys.first, random.bytes(NONCE_BYTES)];
    this.#asked = { key, nonce };
    const opening = encodeOpening({ keyId: key.id, nonce });
    tell(this.#out === undefined ? opening : this.#out.seal(opening));
  }

  /** Whether what it is sealed with is a key of the cluster still. */
  get current(): boolean {
    const key = this.#key ?? this.#asked?.key;
    return key !== undefined && this.#parts.keys.find(key.id) !== undefined;
  }

  /** Changes over to the first key, if that is another one; at once, or when it can. */
  renew(): void {
    if (this.#key === undefined || this.#asked !== undefined) return;
    if (!Buffer.from(this.#key.id).equals(this.#parts.keys.first.id)) this.open();
  }

  /** A frame as a message. Throws before keys are agreed on. */
  seal(frame: Uint8Array): Uint8Array {
    if (this.#out === undefined) throw new Error('a link was used before it was sealed');
    return this.#out.seal(frame);
  }

  /** The frame in a message, or `NO_FRAME`; nothing when the link has to end. */
  take(message: Uint8Array): Uint8Array | undefined {
    const bytes = this.#in === undefined ? message : this.#in.open(message);
    if (bytes === undefined || bytes.length === 0) return undefined;
    if (this.#in !== undefined && !isAboutSeal(bytes)) return bytes;
    return this.#replied(bytes) ? NO_FRAME : undefined;
  }

  #replied(bytes: Uint8Array): boolean {
    const { keys, tell } = this.#parts;
    const [asked, nonce] = [this.#asked, readReply(bytes)];
    if (asked === undefined || nonce === undefined) return false;
    const ways = keys.waysOf(asked.key, asked.nonce, nonce);
    const before = this.#out;
    if (before !== undefined) tell(before.seal(encodeTurn()));
    this.#out = new Sealer(ways.asks);
    this.#in = new Unsealer(ways.answers);
    this.#key = asked.key;
    this.#asked = undefined;
    if (!this.current) return false;
    if (before === undefined) this.#sealed();
    this.renew();
    return true;
  }
}

/** The seal of who listens; see the top of this file. */
export class ListenerSeal {
  readonly #parts: SealParts;
  #key: LinkKey | undefined;
  #out: Sealer | undefined;
  #in: Unsealer | undefined;
  /** What opens messages from the turn on. */
  #next: Unsealer | undefined;

  constructor(parts: SealParts) {
    this.#parts = parts;
  }

  /** Whether what it is sealed with is a key of the cluster still. */
  get current(): boolean {
    return this.#key !== undefined && this.#parts.keys.find(this.#key.id) !== undefined;
  }

  /** A message of answers, sealed. Throws before there was an opening. */
  seal(answers: Uint8Array): Uint8Array {
    if (this.#out === undefined) throw new Error('a conversation was used before it was sealed');
    return this.#out.seal(answers);
  }

  /** The frame in a message, or `NO_FRAME`; nothing when the conversation has to end. */
  take(message: Uint8Array): Uint8Array | undefined {
    const bytes = this.#in === undefined ? message : this.#in.open(message);
    if (bytes === undefined || bytes.length === 0) return undefined;
    if (this.#in !== undefined && !isAboutSeal(bytes)) return bytes;
    return (isTurn(bytes) ? this.#turned() : this.#opened(bytes)) ? NO_FRAME : undefined;
  }

  #turned(): boolean {
    if (this.#next === undefined) return false;
    this.#in = this.#next;
    this.#next = undefined;
    return true;
  }

  #opened(bytes: Uint8Array): boolean {
    const { keys, random, tell } = this.#parts;
    const opening = this.#next === undefined ? readOpening(bytes) : undefined;
    const key = opening && keys.find(opening.keyId);
    if (opening === undefined || key === undefined) return false;
    const nonce = random.bytes(NONCE_BYTES);
    const ways = keys.waysOf(key, opening.nonce, nonce);
    const reply = encodeReply(nonce);
    tell(this.#out === undefined ? reply : this.#out.seal(reply));
    this.#out = new Sealer(ways.answers);
    if (this.#in === undefined) this.#in = new Unsealer(ways.asks);
    else this.#next = new Unsealer(ways.asks);
    this.#key = key;
    return true;
  }
}
