/** What differs between the servers that the driver speaks to: how requests and answers look. */
import type { Connection } from './connection.js';
import type { Encoder } from './pool.js';

/**
 * A protocol as the driver needs it: requests are encoded once, answers are counted and checked.
 */
export interface Dialect {
  readonly encoder: Encoder;
  /** Greets the server on a fresh connection; rejects when it does not answer as it should. */
  open(connection: Connection): Promise<void>;
  /**
   * Takes the whole answers out of bytes from..to-1, counts each on the connection and returns
   * where the first incomplete one starts. Throws on anything but a hit or a stored value.
   */
  take(connection: Connection, bytes: Uint8Array, from: number, to: number): number;
}

/** Throws with what the server sent instead of what it was asked for. */
export function refuse(bytes: Uint8Array, at: number, to: number): never {
  const shown = Buffer.from(bytes.subarray(at, Math.min(to, at + 80)));
  throw new Error(`unexpected answer ${JSON.stringify(shown.toString('latin1'))}`);
}

/** Throws unless bytes at..to-1 begin as `head` does, as far as they are here. */
export function expectHead(bytes: Uint8Array, at: number, to: number, head: Uint8Array): void {
  const length = Math.min(head.length, to - at);
  for (let i = 0; i < length; i++) if (bytes[at + i] !== head[i]) refuse(bytes, at, to);
}
