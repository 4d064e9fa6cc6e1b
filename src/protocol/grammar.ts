import {
  FLAG_CURSOR,
  FLAG_DELTA,
  FLAG_EXPIRY,
  FLAG_IF_ABSENT,
  FLAG_IF_PRESENT,
  FLAG_INITIAL,
  FLAG_KEEP_TTL,
  FLAG_LIMIT,
  FLAG_NO_VALUE,
  FLAG_PEEK,
  FLAG_RETURN_OLD,
  FLAG_TOMBSTONE,
  FLAG_TTL,
  FLAG_VERSION,
  FLAG_WITH_META,
  OP_CLEAR,
  OP_DELETE,
  OP_GET,
  OP_HELLO,
  OP_INCR,
  OP_MERGE,
  OP_PING,
  OP_SCAN,
  OP_SET,
  OP_TOUCH,
} from './wire.js';

/** What a request with some opcode may carry. */
export interface OpcodeGrammar {
  readonly opcode: number;
  /** The name in documents, metrics and messages, in lower case. */
  readonly name: string;
  /** Every flag that the opcode understands; others make a bad request. */
  readonly flags: number;
  /** Whether a key has to be there, may be, or must not. */
  readonly key: 'required' | 'optional' | 'none';
  /** Whether bytes after the key are a value; otherwise they make a bad request. */
  readonly value: boolean;
}

const CONDITIONS = FLAG_VERSION | FLAG_RETURN_OLD | FLAG_WITH_META;
const SET_FLAGS =
  CONDITIONS | FLAG_TTL | FLAG_EXPIRY | FLAG_KEEP_TTL | FLAG_IF_ABSENT | FLAG_IF_PRESENT;
const INCR_FLAGS =
  FLAG_DELTA | FLAG_INITIAL | FLAG_TTL | FLAG_EXPIRY | FLAG_IF_PRESENT | FLAG_WITH_META;

/** The grammar of every opcode of this version. */
export const GRAMMAR: readonly OpcodeGrammar[] = [
  { opcode: OP_HELLO, name: 'hello', flags: 0, key: 'required', value: true },
  { opcode: OP_PING, name: 'ping', flags: 0, key: 'none', value: true },
  {
    opcode: OP_GET,
    name: 'get',
    flags: FLAG_WITH_META | FLAG_NO_VALUE | FLAG_PEEK,
    key: 'required',
    value: false,
  },
  { opcode: OP_SET, name: 'set', flags: SET_FLAGS, key: 'required', value: true },
  {
    opcode: OP_DELETE,
    name: 'delete',
    flags: CONDITIONS | FLAG_PEEK,
    key: 'required',
    value: false,
  },
  {
    opcode: OP_TOUCH,
    name: 'touch',
    flags: FLAG_TTL | FLAG_EXPIRY | FLAG_VERSION | FLAG_WITH_META,
    key: 'required',
    value: false,
  },
  { opcode: OP_INCR, name: 'incr', flags: INCR_FLAGS, key: 'required', value: false },
  {
    opcode: OP_MERGE,
    name: 'merge',
    flags: FLAG_VERSION | FLAG_EXPIRY | FLAG_TOMBSTONE,
    key: 'required',
    value: true,
  },
  {
    opcode: OP_SCAN,
    name: 'scan',
    flags: FLAG_CURSOR | FLAG_LIMIT | FLAG_PEEK,
    key: 'optional',
    value: false,
  },
  { opcode: OP_CLEAR, name: 'clear', flags: FLAG_VERSION, key: 'none', value: false },
];

const byOpcode = new Map(GRAMMAR.map((grammar) => [grammar.opcode, grammar]));

/** The grammar of an opcode, or nothing when this version does not know it. */
export function grammarOf(opcode: number): OpcodeGrammar | undefined {
  return byOpcode.get(opcode);
}
