/**
 * Chance for policies that sample: xorshift64* (Vigna, "An experimental exploration of Marsaglia's
 * xorshift generators, scrambled", 2016), one state per thread, seeded from the lane and the
 * arena's key, so that a run can be repeated and nobody outside can foresee it.
 */
import { key0, lane } from "./layout";

let state: u64 = 0;

/** The next 32 random bits. */
export function chance(): u32 {
  let x = state;
  if (x == 0) x = (key0 ^ (u64(lane + 1) * 0x9e3779b97f4a7c15)) | 1;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  state = x;
  return u32((x * 0x2545f4914f6cdd1d) >> 32);
}

/** A random number below `n`. */
@inline
export function chanceBelow(n: u32): u32 {
  return u32((u64(chance()) * u64(n)) >> 32);
}
