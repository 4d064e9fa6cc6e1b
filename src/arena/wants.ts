/**
 * What requests want from the disk, as `assembly/wants.ts` lists it after an `execute`.
 *
 *   wants   0 how many u32 | 8 wants of 40 bytes
 *   want    0 connection u32 | 4 request u32 | 8 block >> 3 u32 | 12 log file u32 | 16 version u64
 *           24 expiry u64 | 32 length of the value u32 | 36 kind u8 | 37 held u8
 */
import type { Lane } from './lane.js';

/** Where the first want is in the list, how long one is, and what is where in it. */
export const WANTS_AT = 8;
export const WANT_BYTES = 40;
export const WANT_REQUEST_AT = 4;
export const WANT_BLOCK_AT = 8;
export const WANT_FILE_AT = 12;
export const WANT_VERSION_AT = 16;
export const WANT_EXPIRY_AT = 24;
export const WANT_LENGTH_AT = 32;
export const WANT_KIND_AT = 36;
export const WANT_HELD_AT = 37;

/** One value that is wanted. */
export interface Want {
  /** Whose request it is. */
  readonly connection: number;
  /** A copy of the request. */
  readonly request: Uint8Array<ArrayBuffer>;
  /** The request has not run: it will once the value is back in memory. Else it is answered. */
  readonly held: boolean;
  /** The log file, and where in it the block starts that has the value's record. */
  readonly file: number;
  readonly offset: number;
  readonly version: bigint;
  /** Unix milliseconds, 0 for never. */
  readonly expiryMs: number;
  /** Bytes of the value. */
  readonly length: number;
  /** Type and encoding of the value, as on the wire. */
  readonly kind: number;
}

/**
 * Takes the list of a lane's last `execute`. To be called before anything is pushed: what the
 * requests were is read from the inbox.
 */
export function takeWants(lane: Lane): Want[] {
  const count = lane.wantCount;
  if (count === 0) return [];
  const { buffer, wantsAt } = lane;
  const view = new DataView(buffer, wantsAt, WANTS_AT + count * WANT_BYTES);
  lane.forgetWants();
  return Array.from({ length: count }, (_, n) => {
    return readWant(view, WANTS_AT + n * WANT_BYTES, lane.memory);
  });
}

function readWant(view: DataView, at: number, memory: Uint8Array): Want {
  const requestAt = view.getUint32(at + WANT_REQUEST_AT, true);
  const requestBytes = new DataView(memory.buffer).getUint32(requestAt, true);
  const request = new Uint8Array(requestBytes);
  request.set(memory.subarray(requestAt, requestAt + requestBytes));
  return {
    connection: view.getUint32(at, true),
    request,
    held: view.getUint8(at + WANT_HELD_AT) !== 0,
    file: view.getUint32(at + WANT_FILE_AT, true),
    offset: view.getUint32(at + WANT_BLOCK_AT, true) * 8,
    version: view.getBigUint64(at + WANT_VERSION_AT, true),
    expiryMs: Number(view.getBigUint64(at + WANT_EXPIRY_AT, true)),
    length: view.getUint32(at + WANT_LENGTH_AT, true),
    kind: view.getUint8(at + WANT_KIND_AT),
  };
}
