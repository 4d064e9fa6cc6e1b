/**
 * UTF-8 both ways, in Node and in browsers. `TextEncoder` and `TextDecoder` cost 100 to 300 ns per
 * call however short the text is, and they refuse views on shared memory; so short ASCII is done by
 * hand, and Node's own routines, where they exist, do the rest.
 *
 * A JavaScript string may hold half of a surrogate pair, which UTF-8 cannot say. It would silently
 * become U+FFFD: two different keys would be one. Such strings are refused.
 */
import { copyBytes, isShared } from './bytes.js';
import { InvalidArgumentError } from './errors.js';

interface NodeRoutines {
  readonly prototype: {
    utf8Write(this: Uint8Array, text: string, offset: number): number;
    utf8Slice(this: Uint8Array, start: number, end: number): string;
  };
}

function nodeRoutines(): NodeRoutines['prototype'] | undefined {
  const prototype = (globalThis as unknown as { Buffer?: NodeRoutines }).Buffer?.prototype;
  const usable =
    typeof prototype?.utf8Write === 'function' && typeof prototype.utf8Slice === 'function';
  return usable ? prototype : undefined;
}

const node = nodeRoutines();
/** Up to these lengths a loop beats the call, as measured. */
const SHORT_WRITE = 32;
const SHORT_READ = node === undefined ? 64 : 12;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Refuses text that UTF-8 cannot say. Throws `InvalidArgumentError`. */
export function requireWellFormed(text: string): void {
  if (LONE_SURROGATE.test(text)) {
    throw new InvalidArgumentError(
      'the text holds half of a surrogate pair, which UTF-8 cannot say: pass a Uint8Array instead',
    );
  }
}

/** The most bytes that `text` may take in UTF-8. */
export function maxTextBytes(text: string): number {
  return text.length * 3;
}

function writeLong(bytes: Uint8Array, at: number, text: string): number {
  const end =
    node === undefined
      ? at + encoder.encodeInto(text, bytes.subarray(at)).written
      : at + node.utf8Write.call(bytes, text, at);
  if (end - at !== text.length) requireWellFormed(text);
  return end;
}

/**
 * Writes `text` as UTF-8 at `at`, where `maxTextBytes` have to be free, and returns the end of it.
 * Throws `InvalidArgumentError` for halves of surrogate pairs.
 */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length > SHORT_WRITE) return writeLong(bytes, at, text);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return writeLong(bytes, at, text);
    bytes[at + i] = unit;
  }
  return at + length;
}

function readLong(bytes: Uint8Array, at: number, end: number): string {
  if (node !== undefined) return node.utf8Slice.call(bytes, at, end);
  return decoder.decode(isShared(bytes) ? copyBytes(bytes, at, end) : bytes.subarray(at, end));
}

/** The UTF-8 text from `at` to `end`; bytes that are not UTF-8 become U+FFFD. */
export function readText(bytes: Uint8Array, at = 0, end = bytes.length): string {
  if (end - at > SHORT_READ) return readLong(bytes, at, end);
  let text = '';
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return readLong(bytes, at, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** `text` as UTF-8 in an array of its own. Throws `InvalidArgumentError` like `writeText`. */
export function textBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = encoder.encode(text);
  if (bytes.length !== text.length) requireWellFormed(text);
  return bytes;
}
