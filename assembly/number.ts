/** Counters are decimal text: what a reader sees is what is stored. */

/** The longest text of a 64-bit integer, sign included. */
export const NUMBER_TEXT_MAX: u32 = 20;

/** The number `parseNumber` read. */
export let parsed: i64 = 0;

/** Reads a whole signed 64-bit decimal without spaces, plus sign or leading zeros. */
export function parseNumber(at: u32, length: u32): bool {
  if (length == 0 || length > NUMBER_TEXT_MAX) return false;
  const negative = load<u8>(at) == 0x2d;
  let i: u32 = negative ? 1 : 0;
  if (i == length) return false;
  if (load<u8>(at + i) == 0x30 && length > 1) return false;
  let magnitude: u64 = 0;
  const limit: u64 = negative ? 1 << 63 : u64(i64.MAX_VALUE);
  for (; i < length; i++) {
    const digit = u64(load<u8>(at + i)) - 0x30;
    if (digit > 9) return false;
    if (magnitude > (limit - digit) / 10) return false;
    magnitude = magnitude * 10 + digit;
  }
  parsed = negative ? -i64(magnitude) : i64(magnitude);
  return true;
}

/** Writes `n` as decimal text at `at`; returns its length. */
export function writeNumber(at: u32, n: i64): u32 {
  let magnitude: u64 = n < 0 ? u64(-n) : u64(n);
  let digits: u32 = 1;
  for (let rest = magnitude / 10; rest != 0; rest /= 10) digits++;
  const sign: u32 = n < 0 ? 1 : 0;
  if (sign) store<u8>(at, 0x2d);
  for (let i = sign + digits; i > sign; i--) {
    store<u8>(at + i - 1, u8(0x30 + magnitude % 10));
    magnitude /= 10;
  }
  return sign + digits;
}

/** Whether `a + b` leaves 64 bits. */
@inline
export function sumOverflows(a: i64, b: i64): bool {
  const sum = a + b;
  return ((a ^ sum) & (b ^ sum)) < 0;
}
