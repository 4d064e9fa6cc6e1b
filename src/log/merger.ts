/**
 * Merges records into a store by way of a lane. Each record becomes a MERGE request; requests are
 * gathered into frames of many, so that the core has work to overlap.
 */
import { DONE, WAIT } from '../arena/lane.js';
import type { StoreLane } from '../arena/storeLane.js';
import { STATUS, statusName } from '../protocol/status.js';
import {
  ANSWER_STATUS_AT,
  FLAG_EXPIRY,
  FLAG_LOCATION,
  FLAG_NO_VALUE,
  FLAG_TOMBSTONE,
  FLAG_VERSION,
  OP_MERGE,
  REQUEST_HEADER_BYTES,
} from '../protocol/wire.js';
import type { Place } from './place.js';
import type { RecordWalk } from './record.js';

/** A frame is executed when it has this many bytes. */
const FRAME_BYTES = 128 * 1024;
/** So long the core may go on saying that it waits for memory before that is a failure. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 1;
const TWO_32 = 2 ** 32;

/** What a merger works with. */
export interface MergerParts {
  readonly lane: StoreLane;
  /** Grants that include merging. */
  readonly grants: number;
  readonly nowMs: () => number;
  /** Blocks the thread. */
  readonly pause: (ms: number) => void;
}

/** Merges records; see the top of this file. */
export class Merger {
  /** Records that were newer than what was there. */
  taken = 0;
  /** Records that the store can't hold: larger than its settings allow. */
  refused = 0;
  readonly #parts: MergerParts;
  #frame = new Uint8Array(2 * FRAME_BYTES);
  #view = new DataView(this.#frame.buffer);
  #end = 0;

  constructor(parts: MergerParts) {
    this.#parts = parts;
  }

  /** Merges the put that `walk` is at in `bytes`, whose value lies at `place` if that is said. */
  put(bytes: Uint8Array, walk: RecordWalk, place?: Place): void {
    const { keyLength, valueLength, expiryMs, encoding } = walk;
    const expires = expiryMs === 0 ? 0 : FLAG_EXPIRY;
    const flags = FLAG_VERSION | expires | (place === undefined ? 0 : FLAG_LOCATION);
    const at = this.#begin(walk, flags, expiryMs, encoding, keyLength + valueLength, place);
    this.#frame.set(bytes.subarray(walk.keyAt, walk.keyAt + keyLength + valueLength), at);
    this.#finish();
  }

  /** Merges the put that `walk` is at in `bytes`, but leaves its value where it is. */
  leave(bytes: Uint8Array, walk: RecordWalk, place: Place): void {
    const { keyLength, valueLength, expiryMs, encoding } = walk;
    const expires = expiryMs === 0 ? 0 : FLAG_EXPIRY;
    const flags = FLAG_VERSION | FLAG_LOCATION | FLAG_NO_VALUE | expires;
    const at = this.#begin(walk, flags, expiryMs, encoding, keyLength + 4, place);
    this.#frame.set(bytes.subarray(walk.keyAt, walk.keyAt + keyLength), at);
    this.#view.setUint32(at + keyLength, valueLength, true);
    this.#finish();
  }

  /**
   * Notes that the key `walk` is at has no value from that version on. The note itself expires at
   * `expiryMs`.
   */
  bury(bytes: Uint8Array, walk: RecordWalk, expiryMs: number): void {
    const flags = FLAG_VERSION | FLAG_EXPIRY | FLAG_TOMBSTONE;
    const at = this.#begin(walk, flags, expiryMs, 0, walk.keyLength);
    this.#frame.set(bytes.subarray(walk.keyAt, walk.keyAt + walk.keyLength), at);
    this.#finish();
  }

  /** Writes all of a request but its key and value, which go where it says. */
  #begin(
    walk: RecordWalk,
    flags: number,
    expiryMs: number,
    encoding: number,
    bodyBytes: number,
    place?: Place,
  ): number {
    const expires = (flags & FLAG_EXPIRY) !== 0;
    const fieldBytes = 8 + (expires ? 8 : 0) + (place === undefined ? 0 : 8);
    const size = REQUEST_HEADER_BYTES + fieldBytes + bodyBytes;
    const at = this.#end;
    if (at + size > this.#frame.length) this.#grow(at + size);
    const view = this.#view;
    view.setUint32(at, size, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, OP_MERGE, true);
    view.setUint32(at + 12, flags | (walk.keyLength << 16), true);
    view.setUint32(at + 16, encoding << 16, true);
    view.setUint32(at + 20, walk.versionLow(), true);
    view.setUint32(at + 24, walk.versionHigh(), true);
    if (place !== undefined) {
      const placeAt = at + REQUEST_HEADER_BYTES + fieldBytes - 8;
      view.setUint32(placeAt, place.offset / 8, true);
      view.setUint32(placeAt + 4, place.file, true);
    }
    if (expires) {
      view.setUint32(at + 28, expiryMs % TWO_32, true);
      view.setUint32(at + 32, Math.floor(expiryMs / TWO_32), true);
    }
    this.#end = at + size;
    return at + REQUEST_HEADER_BYTES + fieldBytes;
  }

  #grow(need: number): void {
    const frame = new Uint8Array(Math.max(need, 2 * this.#frame.length));
    frame.set(this.#frame.subarray(0, this.#end));
    this.#frame = frame;
    this.#view = new DataView(frame.buffer);
  }

  #finish(): void {
    if (this.#end >= FRAME_BYTES) this.flush();
  }

  /** Executes what was gathered. Throws when the store does not do it. */
  flush(): void {
    if (this.#end === 0) return;
    const { lane, grants, nowMs } = this.#parts;
    const frame = this.#frame.subarray(0, this.#end);
    this.#end = 0;
    if (lane.push(0, grants, nowMs(), frame)) this.#execute();
    else this.refused++;
  }

  #execute(): void {
    const { lane, nowMs, pause } = this.#parts;
    let waitedMs = 0;
    for (;;) {
      const result = lane.execute(nowMs());
      while (lane.next()) this.#readAnswers();
      if (result === DONE) return;
      if (result !== WAIT) continue;
      if (waitedMs >= PATIENCE_MS) throw new Error('the store has no memory free for so long');
      pause(PAUSE_MS);
      waitedMs += PAUSE_MS;
    }
  }

  #readAnswers(): void {
    const { memory, messageAt, messageLength } = this.#parts.lane;
    const view = new DataView(memory.buffer, messageAt, messageLength);
    for (let at = 0; at < messageLength; at += view.getUint32(at, true)) {
      const status = view.getUint8(at + ANSWER_STATUS_AT);
      if (status === STATUS.OK) this.taken++;
      else if (status === STATUS.TOO_LARGE || status === STATUS.NO_SPACE) this.refused++;
      else if (status === STATUS.BAD_REQUEST) this.refused++;
      else if (status !== STATUS.EXISTS) throw new Error(`a merge ended ${statusName(status)}`);
    }
  }
}
