/**
 * Frames of requests that are about where values lie: merges with a location, of which only the
 * node itself makes any. `assembly/verbs/tier.ts` says what each does.
 */
import {
  FLAG_EXPIRY,
  FLAG_IF_PRESENT,
  FLAG_LOCATION,
  FLAG_NO_VALUE,
  FLAG_TOMBSTONE,
  FLAG_VERSION,
  OP_MERGE,
  REQUEST_HEADER_BYTES,
} from '../protocol/wire.js';
import type { Place } from './place.js';

const NOTHING = new Uint8Array(0);
const FIELD_BYTES = 8;
const FIRST_BYTES = 4096;

/** An item as a place is told of it. */
export interface Placed {
  readonly key: Uint8Array;
  readonly version: bigint;
}

/** Requests that become one frame. */
export class PlaceFrame {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  /** The bytes there are. */
  get length(): number {
    return this.#end;
  }

  /** The frame; a view that holds until something is added. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Empties the frame. */
  clear(): void {
    this.#end = 0;
  }

  /** The value of this version lies there. */
  locate(item: Placed, place: Place): void {
    this.#add(FLAG_IF_PRESENT | FLAG_NO_VALUE, item, place, NOTHING);
  }

  /** This is the value that was read there; it is to be in memory again. */
  promote(item: Placed, place: Place, value: Uint8Array): void {
    this.#add(FLAG_IF_PRESENT, item, place, value);
  }

  /** Nothing can be read there any more. */
  drop(item: Placed, place: Place): void {
    this.#add(FLAG_IF_PRESENT | FLAG_TOMBSTONE, item, place, NOTHING);
  }

  /** There is such an item, whose value lies there and has so many bytes. */
  leave(item: Placed & { expiryMs: number; kind: number }, place: Place, length: number): void {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, length, true);
    this.#add(FLAG_NO_VALUE, item, place, value, item.expiryMs, item.kind);
  }

  #add(
    modifiers: number,
    { key, version }: Placed,
    { file, offset }: Place,
    value: Uint8Array,
    expiryMs = 0,
    kind = 0,
  ): void {
    const expires = expiryMs !== 0;
    const fieldBytes = (expires ? 3 : 2) * FIELD_BYTES;
    const size = REQUEST_HEADER_BYTES + fieldBytes + key.length + value.length;
    const at = this.#end;
    if (at + size > this.#bytes.length) this.#grow(at + size);
    const flags = modifiers | FLAG_VERSION | FLAG_LOCATION | (expires ? FLAG_EXPIRY : 0);
    const view = this.#view;
    view.setUint32(at, size, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, OP_MERGE, true);
    view.setUint32(at + 12, flags | (key.length << 16), true);
    view.setUint32(at + 16, kind << 16, true);
    let next = at + REQUEST_HEADER_BYTES;
    view.setBigUint64(next, version, true);
    next += FIELD_BYTES;
    if (expires) {
      view.setBigUint64(next, BigInt(expiryMs), true);
      next += FIELD_BYTES;
    }
    view.setUint32(next, offset / 8, true);
    view.setUint32(next + 4, file, true);
    next += FIELD_BYTES;
    this.#bytes.set(key, next);
    this.#bytes.set(value, next + key.length);
    this.#end = at + size;
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
