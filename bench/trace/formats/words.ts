import { InputError } from '../../../src/base/errors.js';

const WORD_BYTES = 4;

/** Object ids as little-endian u32, one a request. Throws `InputError` on half a word. */
export function readWords(bytes: Buffer): Uint32Array {
  if (bytes.length % WORD_BYTES !== 0) {
    throw new InputError(`${bytes.length} bytes are no whole number of 32-bit words`);
  }
  const words = new Uint32Array(bytes.length / WORD_BYTES);
  for (let i = 0; i < words.length; i++) words[i] = bytes.readUInt32LE(i * WORD_BYTES);
  return words;
}
