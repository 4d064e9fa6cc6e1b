/**
 * What the peers are asked and answer where misses are counted: keys of 16 bytes, values of 32 that
 * are their key, twice.
 */

import { keyText } from '../../workload.js';
import { KEY_BYTES, VALUE_BYTES } from '../store/shape.js';

/** Stored values live for an hour, longer than any replay. */
const TTL_SECONDS = '3600';

/** Four digits at once: the ASCII of each number below this, as a little-endian u32. */
const FOUR = 10_000;
const DIGITS_AT = 4;
const digits = Uint32Array.from({ length: FOUR }, (_, number) =>
  Buffer.from(String(number).padStart(4, '0'), 'latin1').readUInt32LE(),
);

/** Writes the key of `number`, below 10^12, at `at`, where the text of another key is. */
function writeKey(view: DataView, at: number, number: number): void {
  const high = Math.floor(number / FOUR);
  const highest = Math.floor(high / FOUR);
  view.setUint32(at + DIGITS_AT, digits[highest] as number, true);
  view.setUint32(at + DIGITS_AT + 4, digits[high - highest * FOUR] as number, true);
  view.setUint32(at + DIGITS_AT + 8, digits[number - high * FOUR] as number, true);
}

/** How a peer's protocol writes the two requests, and its answers to them. */
export interface Speech {
  readonly get: Template;
  readonly set: Template;
  readonly hit: Answer;
  readonly miss: Answer;
  readonly stored: Answer;
  /** The answer to a SET that found no room, where there is such a thing. */
  readonly refused: Answer | undefined;
}

/** The bytes of an answer: the first two of them tell it from the others. */
export interface Answer {
  readonly tag: number;
  readonly bytes: number;
  /** Where the value starts; 0 where there is none. */
  readonly valueAt: number;
}

/** A request as text with a place for the key and, in a SET, for the value. */
export interface Template {
  readonly text: Buffer;
  readonly keyAt: number;
  readonly valueAt: number;
}

const KEY = keyText(0);
const VALUE = KEY.repeat(2);

function template(text: string): Template {
  return {
    text: Buffer.from(text, 'latin1'),
    keyAt: text.indexOf(KEY),
    valueAt: text.lastIndexOf(VALUE),
  };
}

function answer(text: string): Answer {
  const valueAt = Math.max(0, text.indexOf(VALUE));
  return { tag: tagAt(Buffer.from(text, 'latin1'), 0), bytes: text.length, valueAt };
}

/** The first two bytes of the answer at `at`. */
export function tagAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Whether the value at `at` is the one that belongs to `key`: its key, twice. */
export function isValueOf(bytes: Uint8Array, at: number, key: number): boolean {
  const value = Buffer.from(bytes.subarray(at, at + VALUE_BYTES)).toString('latin1');
  return value === keyText(key).repeat(2);
}

/** Requests in a buffer of their own, written over each other, batch by batch. */
export class Requests {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #read: Template;
  readonly #write: Template;

  /** Room for `bytes` bytes of requests as `speech` has them. */
  constructor(speech: Speech, bytes: number) {
    this.bytes = Buffer.alloc(bytes);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, bytes);
    this.#read = speech.get;
    this.#write = speech.set;
  }

  /** Writes a GET at `at`; where it ends. */
  get(at: number, key: number): number {
    const { text, keyAt } = this.#read;
    this.bytes.set(text, at);
    writeKey(this.#view, at + keyAt, key);
    return at + text.length;
  }

  /** Writes a SET at `at`; where it ends. */
  set(at: number, key: number): number {
    const { text, keyAt, valueAt } = this.#write;
    this.bytes.set(text, at);
    writeKey(this.#view, at + keyAt, key);
    writeKey(this.#view, at + valueAt, key);
    writeKey(this.#view, at + valueAt + KEY_BYTES, key);
    return at + text.length;
  }
}

/** A part of a RESP command. */
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** RESP, as redis-server speaks it. */
export const redisSpeech: Speech = {
  get: template(`*2\r\n${bulk('GET')}${bulk(KEY)}`),
  set: template(`*5\r\n${bulk('SET')}${bulk(KEY)}${bulk(VALUE)}${bulk('EX')}${bulk(TTL_SECONDS)}`),
  hit: answer(bulk(VALUE)),
  miss: answer('$-1\r\n'),
  stored: answer('+OK\r\n'),
  refused: undefined,
};

/** memcached's classic text protocol. */
export const memcachedSpeech: Speech = {
  get: template(`get ${KEY}\r\n`),
  set: template(`set ${KEY} 0 ${TTL_SECONDS} ${VALUE_BYTES}\r\n${VALUE}\r\n`),
  hit: answer(`VALUE ${KEY} 0 ${VALUE_BYTES}\r\n${VALUE}\r\nEND\r\n`),
  miss: answer('END\r\n'),
  stored: answer('STORED\r\n'),
  // Its segments are balanced by a thread that may come too late.
  refused: answer('SERVER_ERROR out of memory storing object\r\n'),
};
