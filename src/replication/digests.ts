/**
 * Digests: what a node has, in so few bytes that two nodes can tell whether they have the same.
 *
 * Each key with its version and its mark, which tells contents of one version apart, is hashed to
 * 64 bits, and a share of the keys has as its digest how
 * many they are and the sum of their hashes, so that their order does not count. Two nodes whose
 * digests of a share are the same have the same there (but for a chance of 2^-64). Shares lie in
 * shares, so that what differs is found without telling everything:
 *
 *   all ── 128 groups ── 128 slots each ── 16 leaves each, by a hash of the key ── keys
 *
 * Nothing is kept up to date: that would cost each write two hashes of a key and a shared counter.
 * Instead the store is gone through when somebody wants to compare. Hashes begin with a seed that
 * is another one each time, so that nobody can choose keys whose differences cancel each other.
 */
import { SLOTS } from '../base/slot.js';

/** How many groups of slots there are, and slots in each. */
export const GROUPS = 128;
export const GROUP_SLOTS = SLOTS / GROUPS;
/** How many leaves a slot has. */
export const SLOT_LEAVES = 16;
export const LEAVES = SLOTS * SLOT_LEAVES;
/** Words of a digest: how many keys, and two halves of the sum. */
export const DIGEST_WORDS = 3;

const LEAF_SHIFT = 32 - Math.log2(SLOT_LEAVES);

/** Spreads all bits over all bits. */
function mixed(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The keys of which levels there are: all groups, the slots of a group, the leaves of a slot. */
export type Level = 'groups' | 'slots' | 'leaves';

/** How many digests one share of a level has below it. */
export function widthOf(level: Level): number {
  if (level === 'groups') return GROUPS;
  return level === 'slots' ? GROUP_SLOTS : SLOT_LEAVES;
}

function summed(words: Uint32Array, width: number): Uint32Array {
  const sums = new Uint32Array(words.length / width);
  for (let at = 0; at < words.length; at++) {
    const share = Math.floor(at / (DIGEST_WORDS * width));
    const sum = DIGEST_WORDS * share + (at % DIGEST_WORDS);
    sums[sum] = (sums[sum] as number) + (words[at] as number);
  }
  return sums;
}

/** Digests of what was added; see the top of this file. */
export class Digests {
  readonly #seed: number;
  readonly #leaves = new Uint32Array(DIGEST_WORDS * LEAVES);
  #slots: Uint32Array | undefined;
  #groups: Uint32Array | undefined;

  /** `seed` is a word; only digests under the same one can be compared. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** The leaf of the key that is in `bytes` from `start` up to `end`, in `slot`. */
  leafOf(slot: number, bytes: Uint8Array, start: number, end: number): number {
    let a = this.#seed;
    for (let at = start; at < end; at++) a = Math.imul(a ^ (bytes[at] as number), 0x01000193);
    return slot * SLOT_LEAVES + (mixed(a) >>> LEAF_SHIFT);
  }

  /** Adds the key in `bytes` with its version, which is there in two halves, and its mark. */
  add(
    slot: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    low: number,
    high: number,
    mark = 0,
  ): void {
    let a = this.#seed;
    let b = ~this.#seed;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ (b >>> 15) ^ byte, 0x2c1b3c6d);
    }
    const at = DIGEST_WORDS * (slot * SLOT_LEAVES + (mixed(a) >>> LEAF_SHIFT));
    const words = this.#leaves;
    words[at] = (words[at] as number) + 1;
    words[at + 1] = (words[at + 1] as number) + mixed(mixed(a ^ low) ^ high ^ mark);
    words[at + 2] =
      (words[at + 2] as number) + mixed(mixed(b ^ high) + low + Math.imul(mark, 0x2545f491));
    this.#slots = undefined;
    this.#groups = undefined;
  }

  /** The digests of all groups, of the slots of a group, or of the leaves of a slot. */
  below(level: Level, share: number): Uint32Array {
    this.#slots ??= summed(this.#leaves, SLOT_LEAVES);
    this.#groups ??= summed(this.#slots, GROUP_SLOTS);
    if (level === 'groups') return this.#groups;
    const words = level === 'slots' ? this.#slots : this.#leaves;
    const width = DIGEST_WORDS * widthOf(level);
    return words.subarray(share * width, (share + 1) * width);
  }
}

/** Where the shares of two lists differ and `theirs` has anything, by their indexes. */
export function differing(mine: Uint32Array, theirs: Uint32Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < theirs.length; at += DIGEST_WORDS) {
    if (theirs[at] === 0) continue;
    let same = true;
    for (let n = at; n < at + DIGEST_WORDS; n++) same = same && mine[n] === theirs[n];
    if (!same) found.push(at / DIGEST_WORDS);
  }
  return found;
}

/** How many keys there are in the shares of a list with these indexes. */
export function countIn(words: Uint32Array, shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + (words[DIGEST_WORDS * share] ?? 0), 0);
}
