/**
 * Tells the store where the log has put the values that may have to be read from there. Notes are
 * taken while records are packed into blocks, and told once the device has those.
 */
import { DONE } from '../arena/lane.js';
import type { StoreLane } from '../arena/storeLane.js';
import { TIER_LEAST_BYTES } from './place.js';
import { PlaceFrame } from './placeFrame.js';
import type { RecordWalk } from './record.js';

/** A frame is executed when it has this many bytes. */
const FRAME_BYTES = 128 * 1024;

/** What a locator works with. */
export interface LocatorParts {
  readonly lane: Pick<StoreLane, 'push' | 'execute' | 'next'>;
  /** Grants that include merging. */
  readonly grants: number;
  readonly nowMs: () => number;
}

/** Takes notes of places and tells them; see the top of this file. */
export class Locator {
  readonly #parts: LocatorParts;
  #frames: PlaceFrame[] = [];

  constructor(parts: LocatorParts) {
    this.#parts = parts;
  }

  /** Notes that the record `walk` is at lies in the block at `offset` of a file. */
  note(walk: RecordWalk, file: number, offset: number): void {
    if (walk.kind !== 'put' || walk.valueLength < TIER_LEAST_BYTES) return;
    let frame = this.#frames.at(-1);
    if (frame === undefined || frame.length >= FRAME_BYTES) {
      frame = new PlaceFrame();
      this.#frames.push(frame);
    }
    frame.locate({ key: walk.key(), version: walk.version() }, { file, offset });
  }

  /** Tells what was noted; the device has it. */
  settle(): void {
    if (this.#frames.length === 0) return;
    const frames = this.#frames;
    this.#frames = [];
    for (const frame of frames) this.#execute(frame.bytes());
  }

  #execute(frame: Uint8Array): void {
    const { lane, grants, nowMs } = this.#parts;
    // What has no room is not known, and such values are lost when memory evicts them.
    if (!lane.push(0, grants, nowMs(), frame)) return;
    for (let result = -1; result !== DONE; ) {
      result = lane.execute(nowMs());
      while (lane.next());
    }
  }
}
