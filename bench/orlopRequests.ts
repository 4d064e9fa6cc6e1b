/**
 * Orlop's requests for the benches' workload, encoded much faster than the client's encoder
 * would, as there are millions of them, and the shape of the answers to them.
 *
 * A request's id is the number of its key, so that every answer says which value it has to bring.
 * Values are stored with a time to live: the benches measure the store with expiry, not without.
 */
import {
  ANSWER_HAS_VALUE,
  ANSWER_HEADER_BYTES,
  FIELD_BYTES,
  FLAG_TTL,
  ID_AT,
  OP_GET,
  OP_SET,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
  SIZE_AT,
} from '../src/protocol/wire.js';
import type { Encoder } from './driver/pool.js';
import { KEY_BYTES, VALUE_BYTES, writeKey, writeValue } from './workload.js';

/** Bytes of a GET. */
export const GET_BYTES = REQUEST_HEADER_BYTES + KEY_BYTES;
/** Offset of the key in a SET. */
export const SET_KEY_AT = REQUEST_HEADER_BYTES + FIELD_BYTES;
/** Bytes of a SET. */
export const SET_BYTES = SET_KEY_AT + KEY_BYTES + VALUE_BYTES;
/** Bytes of the answer to a GET that hits. */
export const HIT_BYTES = ANSWER_HEADER_BYTES + VALUE_BYTES;
/** Bytes of the answer to a SET. */
export const STORED_BYTES = ANSWER_HEADER_BYTES;

/** Bytes 8 to 11 of the answer to a GET that hits: status OK, a value, raw, GET; little-endian. */
export const HIT_WORD = (ANSWER_HAS_VALUE << 8) | (OP_GET << 24);
/**
 * Bytes 8 to 11 of the answer to a SET that stored: status OK, nothing else, SET; little-endian.
 */
export const STORED_WORD = OP_SET << 24;

/** Stored values live for an hour, longer than any bench. */
const TTL_MS = 3_600_000;

function writeHeader(bytes: Buffer, at: number, size: number, key: number, opcode: number): void {
  bytes.fill(0, at, at + REQUEST_HEADER_BYTES);
  bytes.writeUInt32LE(size, at + SIZE_AT);
  bytes.writeUInt32LE(key, at + ID_AT);
  bytes[at + REQUEST_OPCODE_AT] = opcode;
  bytes[at + REQUEST_KEY_LENGTH_AT] = KEY_BYTES;
}

/** Writes the GET of `key` (its number, below 2^32) at `at`. */
export function writeGet(bytes: Buffer, at: number, key: number): void {
  writeHeader(bytes, at, GET_BYTES, key, OP_GET);
  writeKey(bytes, at + REQUEST_HEADER_BYTES, key);
}

/** Writes the SET of `key` (its number, below 2^32) to its value at `at`. */
export function writeSet(bytes: Buffer, at: number, key: number): void {
  writeHeader(bytes, at, SET_BYTES, key, OP_SET);
  bytes[at + REQUEST_FLAGS_AT] = FLAG_TTL;
  bytes.writeBigUInt64LE(BigInt(TTL_MS), at + REQUEST_HEADER_BYTES);
  writeKey(bytes, at + SET_KEY_AT, key);
  writeValue(bytes, at + SET_KEY_AT + KEY_BYTES, key);
}

/** Orlop's requests back to back, as a lane of the arena takes them. */
export const orlopEncoder: Encoder = {
  getBytes: GET_BYTES,
  setBytes: SET_BYTES,
  writeGet,
  writeSet,
};
