/**
 * Encryption at rest. Who steals a disk or a backup learns how much was written and when, and
 * nothing else.
 *
 * Each block is one message of AES-256-GCM. A nonce must never serve twice with one key: so each
 * file has a key of its own, derived from the node's by HKDF with 32 random bytes that stand in the
 * file's header, and the nonce is the number of the block. Nothing is ever appended to a file of an
 * earlier start, and a block that is sealed does not change any more, however often it is written.
 * The header of the block is authenticated with it. The keys of two files differ, so a block of
 * another file does not pass, nor one in another's place.
 *
 * The header of a file names the key by an identity that does not give it away. A node may know
 * several keys: it writes with the first, and reads with whichever a file names.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { KEY_ID_BYTES } from './fileHeader.js';

/** Bytes of a key. */
export const KEY_BYTES = 32;
/** Bytes that encryption adds to a block, behind its records: a multiple of 8. */
export const TAG_BYTES = 16;

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const ID_LABEL = 'orlop data key';
const FILE_LABEL = 'orlop log file';
/** Where in a block's header the checksum ends, which covers what is encrypted. */
const SUM_BYTES = 4;

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(0, number, true);
  return nonce;
}

/** The key of one file. */
export class FileCipher {
  readonly #key: Uint8Array;

  /** Derives the key of the file with this salt. */
  constructor(secret: Uint8Array, salt: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, salt, FILE_LABEL, KEY_BYTES));
  }

  /**
   * Encrypts what lies from `from` to `to` in `bytes`, and puts the tag behind it. The header of
   * the block has to be complete but for its checksum, and stands before `from`.
   */
  seal(bytes: Uint8Array, headerAt: number, from: number, to: number, number: number): void {
    const cipher = createCipheriv(ALGORITHM, this.#key, nonceOf(number));
    cipher.setAAD(bytes.subarray(headerAt + SUM_BYTES, from));
    bytes.set(cipher.update(bytes.subarray(from, to)), from);
    cipher.final();
    bytes.set(cipher.getAuthTag(), to);
  }

  /**
   * What was sealed from `from` to `to`, tag included, in bytes of its own; nothing when it was
   * sealed with another key or changed since.
   */
  open(
    bytes: Uint8Array,
    headerAt: number,
    from: number,
    to: number,
    number: number,
  ): Uint8Array<ArrayBuffer> | undefined {
    const end = to - TAG_BYTES;
    if (end < from) return undefined;
    const cipher = createDecipheriv(ALGORITHM, this.#key, nonceOf(number));
    cipher.setAAD(bytes.subarray(headerAt + SUM_BYTES, from));
    cipher.setAuthTag(bytes.subarray(end, to));
    const plain = cipher.update(bytes.subarray(from, end));
    try {
      cipher.final();
    } catch {
      return undefined;
    }
    return plain as Uint8Array<ArrayBuffer>;
  }
}

/** One key of the node. */
interface DataKey {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

/** What tells a key from others. */
function identityOf(secret: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update(ID_LABEL).digest().subarray(0, KEY_ID_BYTES);
}

const NO_KEY = new Uint8Array(KEY_ID_BYTES);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const textOf = (id: Uint8Array): string => Buffer.from(id).toString('hex');

/** The keys that a node knows; without any it writes and reads files that are not encrypted. */
export class KeyRing {
  /** The keys as they were given, to make the same ring on another thread. */
  readonly secrets: readonly Uint8Array[];
  readonly #keys: readonly DataKey[];

  /** A ring of keys of `KEY_BYTES` each; the first is the one to write with. */
  constructor(secrets: readonly Uint8Array[]) {
    this.secrets = secrets;
    this.#keys = secrets.map((secret) => ({ id: identityOf(secret), secret }));
  }

  /** The identity of the key to write with, all zero without one. */
  get writingId(): Uint8Array {
    return this.#keys[0]?.id ?? NO_KEY;
  }

  /** The identity of the key to write with in hexadecimal digits, or nothing without one. */
  get writingName(): string | undefined {
    const [key] = this.#keys;
    return key && textOf(key.id);
  }

  /** Whether a file that names this key would be written with another one now. */
  isStale(keyId: Uint8Array): boolean {
    return !same(keyId, this.writingId);
  }

  /**
   * The cipher of a file, or nothing when it is not encrypted. Throws `InputError` when the key
   * that it names is not on the ring.
   */
  cipherOf(keyId: Uint8Array, salt: Uint8Array, path: string): FileCipher | undefined {
    if (same(keyId, NO_KEY)) return undefined;
    const key = this.#keys.find(({ id }) => same(id, keyId));
    if (key !== undefined) return new FileCipher(key.secret, salt);
    const known = this.#keys.map(({ id }) => textOf(id)).join(', ');
    const given = known === '' ? 'no key was given' : `the keys given are ${known}`;
    throw new InputError(
      `${path} is encrypted with the key ${textOf(keyId)}, and ${given}. ` +
        'Give the file with that key as data-key-file',
    );
  }
}

/** A ring without keys. */
export const NO_KEYS = new KeyRing([]);
