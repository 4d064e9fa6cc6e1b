/**
 * As much of RFC 6455 as a load driver needs: the opening handshake, masked binary messages of a
 * length known beforehand, and reading the headers of unmasked ones.
 *
 *     0                 1                2                      4 or 10
 *   +-----------------+----------------+----------------------+--------------+---------+
 *   | final, opcode   | masked, length | 16 or 64 bits of     | mask (from a | payload |
 *   |                 | 126: 16, 127: 64 | length, big-endian | client) 4 B  |         |
 *   +-----------------+----------------+----------------------+--------------+---------+
 */
import { createHash, randomBytes } from 'node:crypto';

/** The final frame of a binary message. */
export const BINARY = 0x82;
/** The final frame of a close message. */
export const CLOSE = 0x88;
/** The final frame of a ping. */
export const PING = 0x89;
/** The final frame of a pong. */
export const PONG = 0x8a;

const MASKED = 0x80;
const LENGTH_MASK = 0x7f;
const SHORT_MAX = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Bytes before the payload of a masked message. */
export function maskedHeadBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_MAX) return 2 + MASK_BYTES;
  return (payloadBytes <= 0xffff ? 4 : 10) + MASK_BYTES;
}

/**
 * Writes the header of a message at `at` and masks its payload, which lies behind it; with a mask
 * of 0 the payload stays as it is, and may be changed afterwards.
 */
export function sealMasked(
  bytes: Buffer,
  at: number,
  payloadAt: number,
  end: number,
  opcode = BINARY,
  mask = Math.floor(Math.random() * 0x1_0000_0000),
): void {
  const length = end - payloadAt;
  bytes[at] = opcode;
  bytes[at + 1] =
    MASKED | (length <= SHORT_MAX ? length : length <= 0xffff ? LENGTH_16 : LENGTH_64);
  if (length > 0xffff) bytes.writeBigUInt64BE(BigInt(length), at + 2);
  else if (length > SHORT_MAX) bytes.writeUInt16BE(length, at + 2);
  const maskAt = payloadAt - MASK_BYTES;
  bytes.writeUInt32LE(mask, maskAt);
  if (mask === 0) return;
  for (let i = payloadAt; i < end; i++) {
    bytes[i] = (bytes[i] ?? 0) ^ (bytes[maskAt + ((i - payloadAt) & 3)] ?? 0);
  }
}

/** A masked message of its own. */
export function maskedMessage(payload: Uint8Array, opcode = BINARY): Buffer {
  const head = maskedHeadBytes(payload.length);
  const bytes = Buffer.alloc(head + payload.length);
  bytes.set(payload, head);
  sealMasked(bytes, 0, head, bytes.length, opcode);
  return bytes;
}

/** Bytes before the payload of the unmasked message at `at`; 0 when its header is not all here. */
export function headBytesAt(bytes: Uint8Array, at: number, to: number): number {
  if (to - at < 2) return 0;
  const length = bytes[at + 1] ?? 0;
  if (length & MASKED) throw new Error('the server masked a message');
  const head = length === LENGTH_64 ? 10 : length === LENGTH_16 ? 4 : 2;
  return to - at < head ? 0 : head;
}

/** The length of the payload behind the whole header at `at`. */
export function payloadBytesAt(bytes: Uint8Array, at: number): number {
  const length = (bytes[at + 1] ?? 0) & LENGTH_MASK;
  if (length <= SHORT_MAX) return length;
  const size = length === LENGTH_16 ? 2 : 8;
  let long = 0;
  for (let i = 0; i < size; i++) long = long * 256 + (bytes[at + 2 + i] ?? 0);
  return long;
}

/** An opening handshake: what to send, and a check of what comes back. */
export function handshake(path: string, port: number, subprotocol: string) {
  const key = randomBytes(16).toString('base64');
  const accept = createHash('sha1')
    .update(key + ACCEPT_SALT)
    .digest('base64');
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ];
  return {
    request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`),
    isWhole: (got: Buffer) => got.includes('\r\n\r\n'),
    check(got: Buffer): void {
      const head = got.toString('latin1');
      if (!head.startsWith('HTTP/1.1 101'))
        throw new Error(`no WebSocket: ${head.split('\r\n')[0]}`);
      if (!head.includes(accept))
        throw new Error('the server computed a wrong Sec-WebSocket-Accept');
    },
  };
}
