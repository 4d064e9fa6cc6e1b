import { crc32c } from '@node-rs/crc32';

/**
 * The CRC32C of `bytes`, continued from `seed`. For the same bytes two seeds never give the same
 * sum, so whatever goes into the seed is covered as surely as the bytes are.
 */
export function checksum(bytes: Uint8Array, seed = 0): number {
  return crc32c(bytes, seed) >>> 0;
}
