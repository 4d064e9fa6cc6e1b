/** memcached's meta commands, the leaner of its two text protocols. */
import { KEY_BYTES, VALUE_BYTES, writeKey, writeValue } from '../workload.js';
import type { Connection } from './connection.js';
import { type Dialect, expectHead, refuse } from './dialect.js';
import type { Encoder } from './pool.js';

const GET_HEAD = Buffer.from('mg ');
const GET_TAIL = Buffer.from(' v\r\n');
const SET_HEAD = Buffer.from('ms ');
const SET_MIDDLE = Buffer.from(` ${VALUE_BYTES}\r\n`);
const END = Buffer.from('\r\n');
const HIT_HEAD = Buffer.from(`VA ${VALUE_BYTES}\r\n`);
const STORED = Buffer.from('HD\r\n');

const GET_BYTES = GET_HEAD.length + KEY_BYTES + GET_TAIL.length;
const SET_BYTES = SET_HEAD.length + KEY_BYTES + SET_MIDDLE.length + VALUE_BYTES + END.length;
const HIT_BYTES = HIT_HEAD.length + VALUE_BYTES + END.length;
const LETTER_V = 86;
const LETTER_H = 72;

const encoder: Encoder = {
  getBytes: GET_BYTES,
  setBytes: SET_BYTES,
  writeGet(bytes, at, key) {
    bytes.set(GET_HEAD, at);
    writeKey(bytes, at + GET_HEAD.length, key);
    bytes.set(GET_TAIL, at + GET_BYTES - GET_TAIL.length);
  },
  writeSet(bytes, at, key) {
    bytes.set(SET_HEAD, at);
    writeKey(bytes, at + SET_HEAD.length, key);
    bytes.set(SET_MIDDLE, at + SET_HEAD.length + KEY_BYTES);
    writeValue(bytes, at + SET_BYTES - END.length - VALUE_BYTES, key);
    bytes.set(END, at + SET_BYTES - END.length);
  },
};

/** Answers come in the order of the requests, so the n-th belongs to the n-th key of the batch. */
function take(connection: Connection, bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    if (bytes[at] === LETTER_V) {
      expectHead(bytes, at, to, HIT_HEAD);
      if (to - at < HIT_BYTES) break;
      connection.countHit(bytes, at + HIT_HEAD.length, connection.nextKey());
      at += HIT_BYTES;
    } else if (bytes[at] === LETTER_H) {
      expectHead(bytes, at, to, STORED);
      if (to - at < STORED.length) break;
      connection.countStored();
      at += STORED.length;
    } else refuse(bytes, at, to);
  }
  return at;
}

/** The dialect of memcached 1.6 and newer. */
export const memcached: Dialect = { encoder, open: () => Promise.resolve(), take };
