/**
 * A change on its way to a peer: the record of a feed as the request of the protocol that applies
 * it, a MERGE, or a CLEAR under its version. The other side needs to know nothing else.
 */
import type { FeedReader } from '../arena/feedReader.js';
import type { FrameWriter } from '../protocol/frameWriter.js';
import {
  FIELD_BYTES,
  FLAG_EXPIRY,
  FLAG_TOMBSTONE,
  FLAG_VERSION,
  ID_AT,
  OP_CLEAR,
  OP_MERGE,
  REQUEST_FLAGS_AT,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
  REQUEST_OPCODE_AT,
} from '../protocol/wire.js';

/** So long the tombstone of a removal is kept, in milliseconds; longer than any hint. */
export const TOMBSTONE_MS = 24 * 3600 * 1000;

const TWO_32 = 2 ** 32;

/** What a feed's reader stands at. */
export type FeedRecord = Pick<
  FeedReader,
  | 'kind'
  | 'encoding'
  | 'expiryMs'
  | 'keyAt'
  | 'keyLength'
  | 'valueAt'
  | 'valueLength'
  | 'memory'
  | 'version'
>;

/** Appends the request that applies a record; `nowMs` dates tombstones that have no end yet. */
export function writeChange(
  writer: FrameWriter,
  id: number,
  record: FeedRecord,
  nowMs: number,
): void {
  const isClear = record.kind === 'clear';
  const isRemoval = record.kind === 'remove';
  const expiryMs = isRemoval && record.expiryMs === 0 ? nowMs + TOMBSTONE_MS : record.expiryMs;
  const isTimed = !isClear && expiryMs !== 0;
  const flags = FLAG_VERSION | (isTimed ? FLAG_EXPIRY : 0) | (isRemoval ? FLAG_TOMBSTONE : 0);
  const dataBytes = isClear ? 0 : record.keyLength + record.valueLength;
  const fieldBytes = isTimed ? 2 * FIELD_BYTES : FIELD_BYTES;
  const size = REQUEST_HEADER_BYTES + fieldBytes + dataBytes;
  writer.reserve(size);
  const { at, view, bytes } = writer;
  view.setUint32(at, size, true);
  view.setUint32(at + ID_AT, id, true);
  view.setUint32(at + REQUEST_OPCODE_AT, isClear ? OP_CLEAR : OP_MERGE, true);
  view.setUint16(at + REQUEST_FLAGS_AT, flags, true);
  view.setUint16(at + REQUEST_KEY_LENGTH_AT, isClear ? 0 : record.keyLength, true);
  view.setUint32(
    at + REQUEST_KEY_LENGTH_AT + 2,
    isRemoval || isClear ? 0 : record.encoding << 16,
    true,
  );
  view.setBigUint64(at + REQUEST_HEADER_BYTES, record.version(), true);
  const keyAt = at + REQUEST_HEADER_BYTES + fieldBytes;
  if (isTimed) {
    view.setUint32(keyAt - FIELD_BYTES, expiryMs % TWO_32, true);
    view.setUint32(keyAt - 4, Math.floor(expiryMs / TWO_32), true);
  }
  // Key and value lie one behind the other in the record as in the request.
  bytes.set(record.memory.subarray(record.keyAt, record.keyAt + dataBytes), keyAt);
  writer.at = at + size;
}

/** Gives a request that is in the writer from `at` on another id. */
export function renumber(writer: FrameWriter, at: number, id: number): void {
  writer.view.setUint32(at + ID_AT, id, true);
}
