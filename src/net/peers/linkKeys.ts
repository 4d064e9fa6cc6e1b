/**
 * The keys of a cluster as links between nodes use them. Whoever connects names the first key;
 * whoever listens takes any, so a key is changed without a gap as that of gossip is: the new one
 * behind the old one, then before it, then alone. No key seals a message itself: each connection
 * has two keys of its own, one for each direction,
 *
 *   HKDF-SHA-256(key, salt: both nonces, info: "orlop peer link 1 asks " + name of the cluster)
 *
 * and "answers" in place of "asks" for what comes back. Each side has drawn one of the nonces, so
 * neither can be made to use a key twice.
 */
import { hkdfSync, timingSafeEqual } from 'node:crypto';
import { KEY_BYTES, KEYS_MAX } from '../../config/clusterKeys.js';
import { KEY_ID_BYTES } from './sealWire.js';

/** One of the keys. */
export interface LinkKey {
  /** What names it on the wire, without telling it. */
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** The keys of one connection, for each direction. */
export interface WayKeys {
  readonly asks: Uint8Array;
  readonly answers: Uint8Array;
}

function derive(key: Uint8Array, salt: Uint8Array, info: string, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, bytes));
}

/** What names a key of a cluster. */
export function keyIdOf(key: Uint8Array, cluster: string): Uint8Array {
  return derive(key, new Uint8Array(), `orlop peer key id 1 ${cluster}`, KEY_ID_BYTES);
}

/** The keys in use; see the top of this file. */
export class LinkKeys {
  readonly cluster: string;
  #entries: readonly LinkKey[] = [];
  readonly #listeners = new Set<() => void>();

  /** Throws a `RangeError` without keys. */
  constructor(keys: readonly Uint8Array[], cluster: string) {
    this.cluster = cluster;
    this.replace(keys);
  }

  /** Puts other keys in place of those there are. Throws a `RangeError` without keys. */
  replace(keys: readonly Uint8Array[]): void {
    if (keys.length === 0 || keys.length > KEYS_MAX) throw new RangeError(`${keys.length} keys`);
    // Small buffers share their memory with others, which would go along to threads.
    const own = keys.map((key) => Uint8Array.from(key));
    this.#entries = own.map((key) => ({ key, id: keyIdOf(key, this.cluster) }));
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls back after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The keys as they were given. */
  get all(): readonly Uint8Array[] {
    return this.#entries.map(({ key }) => key);
  }

  /** The key to name. */
  get first(): LinkKey {
    return this.#entries[0] as LinkKey;
  }

  /** The key with an id, if there is one; in a time that does not tell which. */
  find(id: Uint8Array): LinkKey | undefined {
    let found: LinkKey | undefined;
    if (id.length !== KEY_ID_BYTES) return undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.id, id)) found = entry;
    return found;
  }

  /** The keys of the connection for which the two sides have drawn these nonces. */
  waysOf({ key }: LinkKey, asking: Uint8Array, answering: Uint8Array): WayKeys {
    const salt = Buffer.concat([asking, answering]);
    const way = (name: string): Uint8Array =>
      derive(key, salt, `orlop peer link 1 ${name} ${this.cluster}`, KEY_BYTES);
    return { asks: way('asks'), answers: way('answers') };
  }
}
