/**
 * What every bench stores and asks for: keys of 16 bytes (`key:` and twelve digits) and values of
 * 100 bytes that repeat their key, so that any answer can be checked against the key alone.
 */

/** Bytes of every key. */
export const KEY_BYTES = 16;
/** Bytes of every value. */
export const VALUE_BYTES = 100;

const PREFIX = 'key:';
const DIGITS = KEY_BYTES - PREFIX.length;
const ZERO = 48;

/** Writes the key of `index` (below 10^12) at `at`. */
export function writeKey(bytes: Uint8Array, at: number, index: number): void {
  for (let i = 0; i < PREFIX.length; i++) bytes[at + i] = PREFIX.charCodeAt(i);
  let rest = index;
  for (let i = KEY_BYTES - 1; i >= PREFIX.length; i--) {
    const tenth = Math.floor(rest / 10);
    bytes[at + i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
}

/** Writes the value that belongs to the key of `index` at `at`. */
export function writeValue(bytes: Uint8Array, at: number, index: number): void {
  writeKey(bytes, at, index);
  for (let i = KEY_BYTES; i < VALUE_BYTES; i++) bytes[at + i] = bytes[at + i - KEY_BYTES] ?? 0;
}

/** The key of `index` as text. */
export function keyText(index: number): string {
  return PREFIX + String(index).padStart(DIGITS, '0');
}

const expected = new Uint8Array(VALUE_BYTES);

/** Whether the bytes at `at` are the value that belongs to the key of `index`. */
export function isValueOf(bytes: Uint8Array, at: number, index: number): boolean {
  writeValue(expected, 0, index);
  for (let i = 0; i < VALUE_BYTES; i++) {
    if (bytes[at + i] !== expected[i]) return false;
  }
  return true;
}

/** Throws unless the bytes at `at` are the value that belongs to the key of `index`. */
export function checkValue(bytes: Uint8Array, at: number, index: number): void {
  if (isValueOf(bytes, at, index)) return;
  const got = Buffer.from(bytes.subarray(at, at + VALUE_BYTES)).toString('latin1');
  throw new Error(`${keyText(index)} answered another value: ${JSON.stringify(got)}`);
}
