/**
 * SETs of keys that were never there. Millions of them a second can't be encoded beforehand, so a
 * pool is used again and again, and before each use the four digits behind `key:` are replaced by a
 * counter and the next four by the thread's number: two stores per request.
 *
 *     SET in the pool   | header 20 | ttl 8 | key: | counter u32 | thread u32 | 0042 | value 100 |
 *     words from start    0           5       7      8             9
 */

import { REQUEST_HEADER_BYTES } from '../../src/protocol/wire.js';
import { fill } from '../draws.js';
import { encodePool, type Pool } from '../driver/pool.js';
import { GET_BYTES, orlopEncoder, SET_BYTES, SET_KEY_AT } from '../orlopRequests.js';

const WORD_BYTES = 4;
const SET_WORDS = SET_BYTES / WORD_BYTES;
const COUNTER_WORD = (SET_KEY_AT + WORD_BYTES) / WORD_BYTES;
/**
 * Requests in the pool: more than the caches hold, and fewer than a thousandth of the key space.
 */
const POOL_UNITS = 65_536;

/** A pool of SETs whose keys are new every time. */
export class FreshKeys {
  readonly pool: Pool = encodePool(fill(0, POOL_UNITS), 1, orlopEncoder);
  readonly #words: Uint32Array;
  readonly #thread: number;
  #counter = 0;

  constructor(thread: number) {
    this.#thread = thread;
    const { buffer, byteOffset, byteLength } = this.pool.bytes;
    this.#words = new Uint32Array(buffer, byteOffset, byteLength / WORD_BYTES);
  }

  /** Gives the units from..to-1 keys that were never used. */
  renew(from: number, to: number): void {
    const words = this.#words;
    let counter = this.#counter;
    for (let at = from * SET_WORDS + COUNTER_WORD; at < to * SET_WORDS; at += SET_WORDS) {
      words[at] = counter++;
      words[at + 1] = this.#thread;
    }
    this.#counter = counter;
  }

  /** GETs of the keys that the units from..to-1 have now; their ids name the values. */
  reads(from: number, to: number): Pool {
    const { keys } = fill(from, to);
    const reads = encodePool({ keys, sets: new Uint8Array(keys.length) }, 1, orlopEncoder);
    for (let unit = from; unit < to; unit++) {
      const at = unit * SET_BYTES + SET_KEY_AT;
      const key = this.pool.bytes.subarray(at, at + GET_BYTES - REQUEST_HEADER_BYTES);
      reads.bytes.set(key, (unit - from) * GET_BYTES + REQUEST_HEADER_BYTES);
    }
    return reads;
  }
}
