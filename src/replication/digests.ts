/**
 * What a node has in each slot, in 64 bits: the exclusive or of a hash of each key with its
 * version, so that a change costs two of them, and the order of changes does not count. Two owners
 * of a slot with the same digest have the same items (but for a chance of 2^-64); those that differ
 * are compared key by key. To find them, the digests of 128 groups of 128 slots are compared first.
 */
import { SLOTS } from '../base/slot.js';
import { murmur3 } from '../ring/murmur.js';

/** Slots in a group. */
export const GROUP_SLOTS = 128;
/** How many groups there are. */
export const GROUPS = SLOTS / GROUP_SLOTS;

const VERSION_BYTES = 8;

/** Digests of all slots, two words each. */
export class SlotDigests {
  readonly #words = new Uint32Array(2 * SLOTS);

  /** An item or tombstone comes, or goes again: the same call for both. */
  toggle(slot: number, key: Uint8Array, version: bigint): void {
    const bytes = new Uint8Array(VERSION_BYTES + key.length);
    new DataView(bytes.buffer).setBigUint64(0, version, true);
    bytes.set(key, VERSION_BYTES);
    for (const seed of [0, 1]) {
      const at = 2 * slot + seed;
      this.#words[at] = (this.#words[at] as number) ^ murmur3(bytes, seed);
    }
  }

  /** The digests of all groups: what is compared first. */
  groups(): Uint32Array {
    const sums = new Uint32Array(2 * GROUPS);
    for (let at = 0; at < this.#words.length; at++) {
      const sum = 2 * Math.floor(at / (2 * GROUP_SLOTS)) + (at % 2);
      // Not an exclusive or: two slots of a group that differ alike would cancel each other.
      sums[sum] = Math.imul((sums[sum] as number) ^ (this.#words[at] as number), 0x01000193);
    }
    return sums;
  }

  /** The digests of the slots of a group: what is compared next. */
  group(group: number): Uint32Array {
    return this.#words.slice(2 * group * GROUP_SLOTS, 2 * (group + 1) * GROUP_SLOTS);
  }
}

/** Where two lists of digests differ, by their indexes. */
export function differing(mine: Uint32Array, theirs: Uint32Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < mine.length; at += 2) {
    if (mine[at] !== theirs[at] || mine[at + 1] !== theirs[at + 1]) found.push(at / 2);
  }
  return found;
}
