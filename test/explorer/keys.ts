/** Keys that share a place in the arena, found by their hashes. */
import type { World } from './world.js';

/** The tag is the low half of a word of the hash, the stripe of its floor begins above it. */
const FLOOR_SHIFT = 20n;

export interface Place {
  readonly bucket: number;
  readonly tag: number;
  readonly stripe: number;
}

/** Where a key belongs in the arena. */
export function placeOf(world: World, key: string): Place {
  const { first, bytes, words, longs } = world;
  const at = first.exports.inboxAt() >>> 0;
  const text = Buffer.from(key);
  bytes.set(text, at);
  const hash = BigInt.asUintN(
    64,
    first.exports.sipHash13(
      at,
      text.length,
      longs[world.constant('H_KEY0') >> 3] ?? 0n,
      longs[world.constant('H_KEY1') >> 3] ?? 0n,
    ),
  );
  const buckets = BigInt(words[world.constant('H_TABLE_BUCKETS') >> 2] ?? 0);
  return {
    bucket: Number(((hash >> 32n) * buckets) >> 32n),
    tag: Number(hash & 0xffffn),
    stripe: Number((hash >> FLOOR_SHIFT) & BigInt(world.constant('FLOORS') - 1)),
  };
}

/** The first `count` keys that belong where `fits` says. */
export function keysThat(world: World, count: number, fits: (place: Place) => boolean): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++) {
    const key = `key ${n}`;
    if (fits(placeOf(world, key))) keys.push(key);
  }
  return keys;
}
