/**
 * Which bytes of the memory lanes can get in each other's way with: those that more than one lane
 * touches and at least one writes. Whatever a lane does elsewhere, nobody can tell whether it did
 * it before or after the others, so it is enough to change between lanes before accesses to these.
 *
 * Found by looking: the set grows while schedules run, and a search that saw it grow starts again.
 */
import { WRITES } from './instrument.js';

/** Lanes a scenario may have: a byte holds a bit for reads and one for writes of each. */
export const LANES_MAX = 4;
const LANE_MASK = (1 << LANES_MAX) - 1;

/** Whether lanes that touched a byte like this are in conflict over it. */
const CONFLICT = Uint8Array.from({ length: 256 }, (_, touched) => {
  const writers = touched >> LANES_MAX;
  const lanes = (touched | writers) & LANE_MASK;
  return writers !== 0 && (lanes & (lanes - 1)) !== 0 ? 1 : 0;
});

export class Conflicts {
  /** How many bytes are in conflict; a search starts again when this has grown. */
  size = 0;
  readonly #touched: Uint8Array;

  constructor(memoryBytes: number) {
    this.#touched = new Uint8Array(memoryBytes);
  }

  /** Notes an access; true when another lane could be in its way. */
  touch(lane: number, address: number, bytes: number, kind: number): boolean {
    const bit = (kind & WRITES) === 0 ? 1 << lane : (1 << LANES_MAX) << lane;
    const touched = this.#touched;
    let found = 0;
    for (let at = address; at < address + bytes; at++) {
      const was = touched[at] as number;
      if ((was & bit) === 0) this.#add(at, was, bit);
      found |= CONFLICT[touched[at] as number] as number;
    }
    return found !== 0;
  }

  #add(at: number, was: number, bit: number): void {
    const is = was | bit;
    this.#touched[at] = is;
    if (CONFLICT[is] !== CONFLICT[was]) this.size++;
  }
}
