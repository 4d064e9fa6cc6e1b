/**
 * What two nodes say to agree on the keys of a link, before the first frame and whenever the key of
 * the cluster has changed. Numbers are little-endian.
 *
 *    0        4         5      6      8          16           48
 *   +--------+---------+------+------+----------+------------+
 *   | magic  | version | kind | 0    | key id   | nonce      |   opening, by whoever connects
 *   +--------+---------+------+------+----------+------------+
 *   | magic  | version | kind | 0    | nonce               |     reply, by who listens (40 bytes)
 *   +--------+---------+------+------+---------------------+
 *   | magic  | version | kind | 0    |                           turn: all behind it is under the
 *   +--------+---------+------+------+                           new keys (8 bytes)
 *
 * The magic stands where a frame has the size of its first request, and is more than any may have,
 * so neither can be taken for the other.
 */
import { timingSafeEqual } from 'node:crypto';

/** Bytes of the tag behind each sealed message: what it is longer by. */
export const SEAL_BYTES = 16;
/** Bytes that name a key. */
export const KEY_ID_BYTES = 8;
/** Bytes that each side draws. */
export const NONCE_BYTES = 32;
/** Where things stand; see the top of this file. */
export const SEAL = { version: 4, kind: 5, zero: 6, keyId: 8, nonce: 16, replyNonce: 8 } as const;
/** The version of what is described here. */
export const SEAL_VERSION = 1;

const MAGIC = Uint8Array.of(0x4f, 0x52, 0x4c, 0xff);
const KINDS = { opening: 1, reply: 2, turn: 3 } as const;
const HEAD_BYTES = 8;
const SIZES = {
  opening: SEAL.nonce + NONCE_BYTES,
  reply: SEAL.replyNonce + NONCE_BYTES,
  turn: HEAD_BYTES,
} as const;

type Kind = keyof typeof KINDS;

function headed(kind: Kind): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SIZES[kind]);
  bytes.set(MAGIC);
  bytes[SEAL.version] = SEAL_VERSION;
  bytes[SEAL.kind] = KINDS[kind];
  return bytes;
}

/** Whether a message is one of these, well made or not, and no frame. */
export function isAboutSeal(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, at) => bytes[at] === byte);
}

function is(kind: Kind, bytes: Uint8Array): boolean {
  if (bytes.length !== SIZES[kind]) return false;
  return timingSafeEqual(headed(kind).subarray(0, HEAD_BYTES), bytes.subarray(0, HEAD_BYTES));
}

/** What whoever connects says first. */
export interface Opening {
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
}

/** The bytes of an opening. */
export function encodeOpening({ keyId, nonce }: Opening): Uint8Array<ArrayBuffer> {
  const bytes = headed('opening');
  bytes.set(keyId, SEAL.keyId);
  bytes.set(nonce, SEAL.nonce);
  return bytes;
}

/** What an opening says; nothing when it is none. Copies. */
export function readOpening(bytes: Uint8Array): Opening | undefined {
  if (!is('opening', bytes)) return undefined;
  const keyId = Uint8Array.from(bytes.subarray(SEAL.keyId, SEAL.nonce));
  return { keyId, nonce: Uint8Array.from(bytes.subarray(SEAL.nonce)) };
}

/** The bytes of a reply. */
export function encodeReply(nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = headed('reply');
  bytes.set(nonce, SEAL.replyNonce);
  return bytes;
}

/** The nonce in a reply; nothing when it is none. Copies. */
export function readReply(bytes: Uint8Array): Uint8Array | undefined {
  return is('reply', bytes) ? Uint8Array.from(bytes.subarray(SEAL.replyNonce)) : undefined;
}

/** The bytes of a turn. */
export function encodeTurn(): Uint8Array<ArrayBuffer> {
  return headed('turn');
}

/** Whether a message is a turn. */
export function isTurn(bytes: Uint8Array): boolean {
  return is('turn', bytes);
}
