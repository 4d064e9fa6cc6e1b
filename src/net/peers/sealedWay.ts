/**
 * One direction of a link: messages sealed one after the other with AES-256-GCM, each with a tag
 * behind it. The nonce is the number of the message and is not sent: a message that is changed,
 * left out, sent twice or out of order does not open, and neither does anything after it.
 *
 *    0            4                 12          0 ............ n     n + 16
 *   +------------+-----------------+           +--------------+------+
 *   | 0          | number u64      |  nonce    | sealed frame | tag  |
 *   +------------+-----------------+           +--------------+------+
 *
 * A number never comes twice under a key: keys are new with each connection, and a double counts to
 * 2^53, for which a million messages a second take 285 years.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { SEAL_BYTES } from './sealWire.js';

const CIPHER: CipherGCMTypes = 'aes-256-gcm';
const IV_BYTES = 12;
const NUMBER_LOW = 4;
const NUMBER_HIGH = 8;
const TWO_32 = 2 ** 32;
const OPTIONS = { authTagLength: SEAL_BYTES };

/** The nonces of a key, one after the other. */
class Counter {
  readonly #iv = Buffer.alloc(IV_BYTES);
  #next = 0;

  /** The next one, which holds until the next call. */
  next(): Buffer {
    this.#iv.writeUInt32LE(this.#next % TWO_32, NUMBER_LOW);
    this.#iv.writeUInt32LE(Math.floor(this.#next / TWO_32), NUMBER_HIGH);
    this.#next++;
    return this.#iv;
  }
}

/** Seals the messages of one direction. */
export class Sealer {
  readonly #key: KeyObject;
  readonly #counter = new Counter();

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** The next message, in memory of its own; `frame` may be a view of shared memory. */
  seal(frame: Uint8Array): Uint8Array {
    const cipher = createCipheriv(CIPHER, this.#key, this.#counter.next(), OPTIONS);
    const body = cipher.update(frame);
    cipher.final();
    const message = Buffer.allocUnsafe(body.length + SEAL_BYTES);
    message.set(body);
    message.set(cipher.getAuthTag(), body.length);
    return message;
  }
}

/** Opens the messages of one direction. */
export class Unsealer {
  readonly #key: KeyObject;
  readonly #counter = new Counter();
  #broken = false;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** The frame in the next message, in memory of its own; nothing when it is not that. */
  open(message: Uint8Array): Uint8Array | undefined {
    const end = message.length - SEAL_BYTES;
    if (end < 0 || this.#broken) return undefined;
    this.#broken = true;
    const decipher = createDecipheriv(CIPHER, this.#key, this.#counter.next(), OPTIONS);
    decipher.setAuthTag(message.subarray(end));
    const frame = decipher.update(message.subarray(0, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    this.#broken = false;
    return new Uint8Array(frame.buffer, frame.byteOffset, frame.length);
  }
}
