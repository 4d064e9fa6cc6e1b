/**
 * What the protocols of Redis and memcached have in common as far as the load uses them: requests
 * are words around a key and a value, a hit is a head and the value, and answers come in the order
 * of the requests.
 */
import { KEY_BYTES, VALUE_BYTES, writeKey, writeValue } from '../workload.js';
import type { Connection } from './connection.js';
import { type Dialect, expectHead, refuse } from './dialect.js';
import type { Encoder } from './pool.js';

/** The words of one protocol. Each answer is known by its first letter. */
export interface Words {
  /** Before and behind the key of a GET. */
  readonly get: readonly [head: string, tail: string];
  /** Before the key of a SET, and between it and the value. */
  readonly set: readonly [head: string, middle: string];
  /** Before the value of a hit. */
  readonly hit: string;
  /** The whole answer to a SET. */
  readonly stored: string;
}

const END = Buffer.from('\r\n');

function encoderOf({ get, set }: Words): Encoder {
  const [getHead, getTail] = get.map((word) => Buffer.from(word)) as [Buffer, Buffer];
  const [setHead, setMiddle] = set.map((word) => Buffer.from(word)) as [Buffer, Buffer];
  const keyEnd = setHead.length + KEY_BYTES;
  const valueAt = keyEnd + setMiddle.length;
  return {
    getBytes: getHead.length + KEY_BYTES + getTail.length,
    setBytes: valueAt + VALUE_BYTES + END.length,
    writeGet(bytes, at, key) {
      bytes.set(getHead, at);
      writeKey(bytes, at + getHead.length, key);
      bytes.set(getTail, at + getHead.length + KEY_BYTES);
    },
    writeSet(bytes, at, key) {
      bytes.set(setHead, at);
      writeKey(bytes, at + setHead.length, key);
      bytes.set(setMiddle, at + keyEnd);
      writeValue(bytes, at + valueAt, key);
      bytes.set(END, at + valueAt + VALUE_BYTES);
    },
  };
}

function takerOf(words: Words): Dialect['take'] {
  const hit = Buffer.from(words.hit);
  const stored = Buffer.from(words.stored);
  const hitBytes = hit.length + VALUE_BYTES + END.length;
  const [hitLetter] = hit;
  const [storedLetter] = stored;
  return (connection: Connection, bytes: Uint8Array, from: number, to: number): number => {
    let at = from;
    while (at < to) {
      if (bytes[at] === hitLetter) {
        expectHead(bytes, at, to, hit);
        if (to - at < hitBytes) break;
        // The n-th answer belongs to the n-th key of the batch.
        connection.countHit(bytes, at + hit.length, connection.nextKey());
        at += hitBytes;
      } else if (bytes[at] === storedLetter) {
        expectHead(bytes, at, to, stored);
        if (to - at < stored.length) break;
        connection.countStored();
        at += stored.length;
      } else refuse(bytes, at, to);
    }
    return at;
  };
}

/** The dialect with these words. */
export function textDialect(words: Words): Dialect {
  return { encoder: encoderOf(words), open: () => Promise.resolve(), take: takerOf(words) };
}
