/**
 * A stream made larger: several programs ask for the same at the same time, each under keys of its
 * own. They need so many times the memory and hit as often as one does, which is how a small trace
 * fills a cache in which pages and buffers do not matter.
 *
 *     stream     a b a …
 *     3 copies   a0 a1 a2  b0 b1 b2  a0 a1 a2  …
 */
import type { Stream } from './stream.js';

/** How a stream is copied. */
export interface Copies {
  readonly count: number;
  /** Keys of one copy. */
  readonly keyCount: number;
  /** Requests of all copies together. */
  readonly requests: number;
}

/** A stream as it is. */
export function oneCopy({ keys, keyCount }: Stream): Copies {
  return { count: 1, keyCount, requests: keys.length };
}

/** The key of a request of all copies, where `keys` are those of the stream. */
export function keyOf(keys: Uint32Array, { count, keyCount }: Copies, request: number): number {
  if (count === 1) return keys[request] as number;
  const position = Math.floor(request / count);
  return (keys[position] as number) + (request - position * count) * keyCount;
}
