/**
 * How JavaScript values become bytes. A string is UTF-8, a `Uint8Array` passes through as it is,
 * and everything else is one MessagePack object, so that it comes back with its types: numbers,
 * `null`, booleans, bigints, dates, arrays, plain objects, sets, typed arrays. `undefined` is no
 * value: it is what a miss looks like.
 *
 * Bytes that are read are copied first, whatever they are a view on: a program must not see its
 * value change when the memory behind it is used again, and a small value must not keep a large
 * message.
 */
import { Packr } from 'msgpackr';
import { messageOf } from '../base/errors.js';
import { copyBytes, isShared } from './bytes.js';
import { InvalidArgumentError, ValueError } from './errors.js';
import { readText } from './text.js';
import { ENCODING_MASK, ENCODING_MSGPACK, ENCODING_RAW, ENCODING_UTF8 } from './wire.js';

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: true,
  structuredClone: false,
  copyBuffers: true,
});

function refuseType(value: unknown): never {
  const type = value === undefined ? 'undefined' : typeof value;
  throw new InvalidArgumentError(
    `a value cannot be ${type}: pass a string, a Uint8Array, or something like JSON`,
  );
}

/** The `ENCODING_…` that a value is written in. Throws `InvalidArgumentError` when it has none. */
export function encodingOf(value: unknown): number {
  if (typeof value === 'string') return ENCODING_UTF8;
  if (value instanceof Uint8Array) return ENCODING_RAW;
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') {
    return refuseType(value);
  }
  return ENCODING_MSGPACK;
}

function pack(value: unknown): Uint8Array {
  try {
    return packr.pack(value);
  } catch (cause) {
    throw new InvalidArgumentError(`the value cannot be encoded: ${messageOf(cause)}`, { cause });
  }
}

/**
 * A value in the form that `Request.value` takes; strings and bytes are passed through, not copied.
 * Throws `InvalidArgumentError` when it cannot be encoded.
 */
export function encodeValue(value: unknown, encoding = encodingOf(value)): string | Uint8Array {
  return encoding === ENCODING_MSGPACK ? pack(value) : (value as string | Uint8Array);
}

function unpack(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    if (isShared(bytes)) return packr.unpack(copyBytes(bytes, start, end));
    return packr.unpack(bytes, { start, end });
  } catch (cause) {
    throw new ValueError(`the stored value is not MessagePack: ${messageOf(cause)}`, { cause });
  }
}

/**
 * The value whose bytes stand from `at` to `end`, in memory of its own. `encoding` may be the whole
 * byte of the header. Throws `ValueError` when the bytes are not what it says.
 */
export function decodeValue(bytes: Uint8Array, at: number, end: number, encoding: number): unknown {
  switch (encoding & ENCODING_MASK) {
    case ENCODING_RAW:
      return copyBytes(bytes, at, end);
    case ENCODING_UTF8:
      return readText(bytes, at, end);
    case ENCODING_MSGPACK:
      return unpack(bytes, at, end);
    default:
      throw new ValueError(`the stored value has the unknown encoding ${encoding & ENCODING_MASK}`);
  }
}
