/**
 * Doubly linked lists of keys in typed arrays. Lists that share their `Links` share the space, too:
 * a key may be in one of them at a time.
 */

/** No key; what is before the first and behind the last. */
export const NONE = -1;

/** The neighbours of every key. */
export class Links {
  readonly newer: Int32Array;
  readonly older: Int32Array;

  /** Room for the keys 0..keys-1. */
  constructor(keys: number) {
    this.newer = new Int32Array(keys).fill(NONE);
    this.older = new Int32Array(keys).fill(NONE);
  }
}

/** A list that grows at its newest end. */
export class List {
  newest = NONE;
  oldest = NONE;
  size = 0;

  readonly #newer: Int32Array;
  readonly #older: Int32Array;

  constructor(links: Links) {
    this.#newer = links.newer;
    this.#older = links.older;
  }

  /** The neighbour of `key` that came after it, or `NONE`. */
  newerThan(key: number): number {
    return this.#newer[key] as number;
  }

  /** Adds a key that is in no list, as the newest. */
  add(key: number): void {
    this.#newer[key] = NONE;
    this.#older[key] = this.newest;
    if (this.newest === NONE) this.oldest = key;
    else this.#newer[this.newest] = key;
    this.newest = key;
    this.size++;
  }

  /** Takes out a key that is in this list. */
  remove(key: number): void {
    const newer = this.#newer[key] as number;
    const older = this.#older[key] as number;
    if (newer === NONE) this.newest = older;
    else this.#older[newer] = older;
    if (older === NONE) this.oldest = newer;
    else this.#newer[older] = newer;
    this.size--;
  }

  /** Takes out the oldest key of a list that is not empty. */
  removeOldest(): number {
    const key = this.oldest;
    this.remove(key);
    return key;
  }

  /** Makes a key of this list the newest. */
  renew(key: number): void {
    if (key === this.newest) return;
    this.remove(key);
    this.add(key);
  }
}
