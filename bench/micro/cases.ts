/** The verbs that the micro bench measures, and how their operations must end. */
import type { Verb } from '../../src/arena/stats.js';
import type { Request } from '../../src/protocol/request.js';
import {
  FLAG_DELTA,
  FLAG_LIMIT,
  FLAG_TTL,
  FLAG_VERSION,
  FLAG_WITH_META,
  OP_DELETE,
  OP_GET,
  OP_INCR,
  OP_MERGE,
  OP_PING,
  OP_SCAN,
  OP_SET,
  OP_TOUCH,
} from '../../src/protocol/wire.js';
import { keyText, VALUE_BYTES, writeValue } from '../workload.js';

const TTL_MS = 3_600_000;
/** Keys that a page of the measured scan asks for. */
const PAGE_KEYS = 64;

/** One measured verb. */
export interface Case {
  readonly name: string;
  /** What the core counts for each request, at the place in the frame where it stands. */
  readonly counted: readonly (readonly [Verb, 'ok' | 'miss'])[];
  /** The n-th request, about the given key. */
  request(key: number, n: number): Omit<Request, 'id'>;
}

const one = (verb: Verb, outcome: 'ok' | 'miss' = 'ok'): Case['counted'] => [[verb, outcome]];

/** All cases over a store of `keys` keys. */
export function casesOf(keys: number): Case[] {
  const value = new Uint8Array(VALUE_BYTES);
  const storedValue = (key: number): Uint8Array => {
    writeValue(value, 0, key);
    return value;
  };
  const set = (key: number): Omit<Request, 'id'> => ({
    opcode: OP_SET,
    flags: FLAG_TTL,
    ttlMs: TTL_MS,
    key: keyText(key),
    value: storedValue(key),
  });
  const get = { opcode: OP_GET };
  return [
    { name: 'PING', counted: one('ping'), request: () => ({ opcode: OP_PING }) },
    { name: 'GET hit', counted: one('get'), request: (key) => ({ ...get, key: keyText(key) }) },
    {
      name: 'GET hit with meta',
      counted: one('get'),
      request: (key) => ({ ...get, flags: FLAG_WITH_META, key: keyText(key) }),
    },
    {
      name: 'GET miss',
      counted: one('get', 'miss'),
      request: (key) => ({ ...get, key: keyText(keys + key) }),
    },
    { name: 'SET overwriting', counted: one('set'), request: set },
    {
      name: 'TOUCH',
      counted: one('touch'),
      request: (key) => ({ opcode: OP_TOUCH, flags: FLAG_TTL, ttlMs: TTL_MS, key: keyText(key) }),
    },
    {
      name: 'DELETE and SET again',
      counted: [
        ['delete', 'ok'],
        ['set', 'ok'],
      ],
      request: (key, n) => (n % 2 === 0 ? { opcode: OP_DELETE, key: keyText(key) } : set(key)),
    },
    {
      name: 'INCR',
      counted: one('incr'),
      request: (key) => ({
        opcode: OP_INCR,
        flags: FLAG_DELTA,
        delta: 3n,
        key: `n${keyText(key)}`,
      }),
    },
    {
      name: 'MERGE, not newer',
      counted: one('merge', 'miss'),
      request: (key) => ({
        opcode: OP_MERGE,
        flags: FLAG_VERSION,
        version: 1n,
        key: keyText(key),
        value: storedValue(key),
      }),
    },
    {
      name: `SCAN, pages of ${PAGE_KEYS}`,
      counted: one('scan'),
      request: () => ({ opcode: OP_SCAN, flags: FLAG_LIMIT, limit: PAGE_KEYS }),
    },
  ];
}
