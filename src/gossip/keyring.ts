/**
 * The keys of a cluster. Datagrams are sealed with the first key and opened with any, so a key is
 * changed without a gap in three steps on all nodes: the new one is added behind the old one, then
 * put before it, then the old one is taken out.
 *
 * No key seals a datagram itself: each sender has a key of its own for each of its starts,
 *
 *   HKDF-SHA-256(key, salt: boot id, info: "orlop gossip 1 " + name of the cluster)
 *
 * so that two nodes, or one before and after a restart, never use a nonce twice with one key.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { KEY_BYTES, KEYS_MAX } from '../config/clusterKeys.js';

/** Keys of senders that are kept derived; the least recent are derived anew. */
const DERIVED_MAX = 4_096;

/** What names a key in a datagram without telling it. */
export function keyTag(key: Uint8Array): number {
  return createHash('sha256').update('orlop key tag').update(key).digest().readUInt16LE(0);
}

interface Entry {
  readonly key: Uint8Array;
  readonly tag: number;
}

/** The keys in use; see the top of this file. */
export class Keyring {
  readonly #info: string;
  #entries: readonly Entry[] = [];
  readonly #derived = new Map<string, Uint8Array>();

  /** Throws a `RangeError` without keys. */
  constructor(keys: readonly Uint8Array[], cluster: string) {
    this.#info = `orlop gossip 1 ${cluster}`;
    this.replace(keys);
  }

  /** Puts other keys in place of those there are; the first seals. */
  replace(keys: readonly Uint8Array[]): void {
    if (keys.length === 0 || keys.length > KEYS_MAX) throw new RangeError(`${keys.length} keys`);
    this.#entries = keys.map((key) => ({ key, tag: keyTag(key) }));
    this.#derived.clear();
  }

  /** The tag of the key that seals. */
  get sealingTag(): number {
    return this.#entries[0]?.tag ?? 0;
  }

  /** The key that `boot` seals with. */
  sealingKey(boot: string): Uint8Array {
    return this.keysFor(boot, this.sealingTag)[0] as Uint8Array;
  }

  /** The keys with a tag, as `boot` uses them: one, seldom more, none for a tag of no key. */
  keysFor(boot: string, tag: number): Uint8Array[] {
    return this.#entries.flatMap((entry, at) => {
      return entry.tag === tag ? [this.#derive(boot, entry.key, at)] : [];
    });
  }

  #derive(boot: string, key: Uint8Array, at: number): Uint8Array {
    const name = `${at}/${boot}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const salt = Buffer.from(boot, 'hex');
    const derived = new Uint8Array(hkdfSync('sha256', key, salt, this.#info, KEY_BYTES));
    if (this.#derived.size >= DERIVED_MAX) {
      const [oldest] = this.#derived.keys();
      if (oldest !== undefined) this.#derived.delete(oldest);
    }
    this.#derived.set(name, derived);
    return derived;
  }
}
