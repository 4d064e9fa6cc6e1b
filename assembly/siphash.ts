/**
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with a 128-bit key
 * that is drawn anew for each arena, so that nobody can choose keys that meet in one line.
 */

const C0: u64 = 0x736f6d6570736575;
const C1: u64 = 0x646f72616e646f6d;
const C2: u64 = 0x6c7967656e657261;
const C3: u64 = 0x7465646279746573;

/** The last 0..7 bytes as a little-endian word. */
@inline
function tail(at: u32, n: u32): u64 {
  let word: u64 = 0;
  let i: u32 = 0;
  if (n & 4) {
    word = load<u32>(at);
    i = 4;
  }
  if (n & 2) {
    word |= u64(load<u16>(at + i)) << (i << 3);
    i += 2;
  }
  if (n & 1) word |= u64(load<u8>(at + i)) << (i << 3);
  return word;
}

/** The 64-bit hash of `length` bytes at `at` under the key `k0`, `k1`. */
export function sipHash13(at: u32, length: u32, k0: u64, k1: u64): u64 {
  let v0 = C0 ^ k0;
  let v1 = C1 ^ k1;
  let v2 = C2 ^ k0;
  let v3 = C3 ^ k1;
  const whole = at + (length & ~7);
  let m: u64 = 0;
  for (let p = at; ; p += 8) {
    const last = p == whole;
    m = last ? tail(p, length & 7) | (u64(length) << 56) : load<u64>(p);
    v3 ^= m;
    v0 += v1; v1 = rotl<u64>(v1, 13); v1 ^= v0; v0 = rotl<u64>(v0, 32);
    v2 += v3; v3 = rotl<u64>(v3, 16); v3 ^= v2;
    v0 += v3; v3 = rotl<u64>(v3, 21); v3 ^= v0;
    v2 += v1; v1 = rotl<u64>(v1, 17); v1 ^= v2; v2 = rotl<u64>(v2, 32);
    v0 ^= m;
    if (last) break;
  }
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 += v1; v1 = rotl<u64>(v1, 13); v1 ^= v0; v0 = rotl<u64>(v0, 32);
    v2 += v3; v3 = rotl<u64>(v3, 16); v3 ^= v2;
    v0 += v3; v3 = rotl<u64>(v3, 21); v3 ^= v0;
    v2 += v1; v1 = rotl<u64>(v1, 17); v1 ^= v2; v2 = rotl<u64>(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
