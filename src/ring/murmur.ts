/**
 * MurmurHash3 (x86, 32 bits): the hash that places nodes on the circle and names configurations.
 * It is not a secret and guards against nothing; it was chosen because every language has it, and
 * because it needs nothing but 32-bit integers.
 */
const BLOCK_BYTES = 4;

function mixed(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function finished(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The bytes from `at` on, at most four of them, as a little-endian number. */
function wordAt(bytes: Uint8Array, at: number): number {
  const end = Math.min(at + BLOCK_BYTES, bytes.length);
  let word = 0;
  for (let i = end - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

/** MurmurHash3_x86_32 of `bytes` under a 32-bit `seed`: 0 to 2^32 - 1. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const blocksEnd = bytes.length - (bytes.length % BLOCK_BYTES);
  let hash = seed | 0;
  for (let at = 0; at < blocksEnd; at += BLOCK_BYTES) {
    hash ^= mixed(wordAt(bytes, at));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (blocksEnd < bytes.length) hash ^= mixed(wordAt(bytes, blocksEnd));
  return finished(hash ^ bytes.length);
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, '0');
}

/** 64 bits that name `bytes`, as 16 hex digits: their hashes under the seeds 0 and 1. */
export function digestOf(bytes: Uint8Array): string {
  return hex32(murmur3(bytes, 0)) + hex32(murmur3(bytes, 1));
}
