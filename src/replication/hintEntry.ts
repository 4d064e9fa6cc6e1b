/**
 * One thing that a file of hints says: that a hint is kept, or dropped.
 *
 *   0 size of all of it u32 | 4 kind u8 | 5 length of id u8 | 6 length of key u16
 *   8 since u64, Unix ms | 16 version u64 | 24 id | key | record
 */
import { copyBytes } from '../protocol/bytes.js';
import type { Hint } from './hints.js';

const HEAD_BYTES = 24;

/** A hint is kept. */
export const KEEP = 1;
/** A hint is dropped; it has no record. */
export const DROP = 2;

/** What is said, and of whose hint. */
export interface HintEntry {
  readonly kind: number;
  readonly id: string;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  readonly hint: Hint;
}

/** The bytes of an entry. */
export function encodeEntry({ kind, id, sinceMs, hint }: HintEntry): Uint8Array<ArrayBuffer> {
  const name = Buffer.from(id, 'latin1');
  const key = Buffer.from(hint.key, 'latin1');
  const keyAt = HEAD_BYTES + name.length;
  const bytes = new Uint8Array(keyAt + key.length + hint.record.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint8(4, kind);
  view.setUint8(5, name.length);
  view.setUint16(6, key.length, true);
  view.setBigUint64(8, BigInt(Math.max(0, Math.floor(sinceMs))), true);
  view.setBigUint64(16, hint.version, true);
  bytes.set(name, HEAD_BYTES);
  bytes.set(key, keyAt);
  bytes.set(hint.record, keyAt + key.length);
  return bytes;
}

/** The entry at a place and where it ends; nothing when it makes no sense. */
function entryAt(bytes: Uint8Array, place: number): [HintEntry, number] | undefined {
  const idAt = place + HEAD_BYTES;
  if (idAt > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keyAt = idAt + view.getUint8(place + 5);
  const recordAt = keyAt + view.getUint16(place + 6, true);
  const end = place + view.getUint32(place, true);
  if (recordAt > end || end > bytes.length) return undefined;
  const text = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to)).toString('latin1');
  const version = view.getBigUint64(place + 16, true);
  const hint = { key: text(keyAt, recordAt), version, record: copyBytes(bytes, recordAt, end) };
  const sinceMs = Number(view.getBigUint64(place + 8, true));
  return [{ kind: view.getUint8(place + 4), id: text(idAt, keyAt), sinceMs, hint }, end];
}

/** The entries that stand one behind the other; nothing when they make no sense. */
export function entriesIn(bytes: Uint8Array): HintEntry[] | undefined {
  const entries: HintEntry[] = [];
  for (let place = 0; place < bytes.length; ) {
    const found = entryAt(bytes, place);
    if (found === undefined) return undefined;
    const [entry, end] = found;
    entries.push(entry);
    place = end;
  }
  return entries;
}
