/**
 * Where a run could have gone another way that matters.
 *
 * Preempting a lane before an access is only of interest if what the others do meanwhile touches
 * the same bytes: if not, the lane may as well make the access first and be preempted after it. So
 * whenever a lane makes an access, the last access to these bytes that another lane made before it
 * was stopped is one before which that lane should be preempted instead. Of a lane that was stopped
 * later than need be, this finds the place before the one where the search has been, so it is
 * enough to begin with runs without preemptions and to go where this leads (Flanagan and
 * Godefroid, "Dynamic partial-order reduction", POPL'05; Coons, Musuvathi and McKinley, "Bounded
 * partial-order reduction", OOPSLA'13). The same holds for a lane that dies.
 *
 * When a call began is of interest too: it must not miss what was over before. So a call that ends
 * is taken to meet the beginnings of calls before it.
 */
import { WRITES } from './instrument.js';

/** A place where a lane should be stopped instead, and who should go on there. */
export interface Alternative {
  readonly moment: number;
  readonly stopped: number;
  readonly next: number;
}

/** What a lane did between the time it was let go on and the time it was stopped. */
interface Block {
  /** Its first access, as a place in the log. */
  start: number;
  /** The lane that went on after it. */
  next: number;
  /** Whether the lane had been stopped at the block's first access. */
  resumed: boolean;
  /** The first access of the last call that began in the block, as a place in the log, or -1. */
  call: number;
}

export class Races {
  readonly alternatives: Alternative[] = [];
  readonly #blocks: (Block | undefined)[] = [];
  /** The last access and the last write of each lane to a byte, as places in the log. */
  readonly #lastAccess: Map<number, number>[];
  readonly #lastWrite: Map<number, number>[];
  readonly #moments: number[] = [];
  #running = -1;

  constructor(lanes: number) {
    this.#lastAccess = Array.from({ length: lanes }, () => new Map<number, number>());
    this.#lastWrite = Array.from({ length: lanes }, () => new Map<number, number>());
  }

  /** An access that is done now; `moment` is when the lane came to it. */
  access(lane: number, moment: number, address: number, bytes: number, kind: number): void {
    if (lane !== this.#running) this.#change(lane);
    this.#blocks.forEach((block, other) => {
      if (other !== lane && block !== undefined)
        this.#meet(lane, block, other, address, bytes, kind);
    });
    const place = this.#moments.push(moment) - 1;
    const accesses = this.#lastAccess[lane] as Map<number, number>;
    const writes = this.#lastWrite[lane] as Map<number, number>;
    for (let at = address; at < address + bytes; at++) {
      accesses.set(at, place);
      if ((kind & WRITES) !== 0) writes.set(at, place);
    }
  }

  #change(lane: number): void {
    const before = this.#blocks[this.#running];
    if (before !== undefined) before.next = lane;
    const resumed = this.#blocks[lane] !== undefined;
    this.#blocks[lane] = { start: this.#moments.length, next: -1, resumed, call: -1 };
    this.#running = lane;
  }

  /** Looks whether an access meets what a lane did that is stopped now. */
  #meet(
    lane: number,
    block: Block,
    other: number,
    address: number,
    bytes: number,
    kind: number,
  ): void {
    const places = (kind & WRITES) !== 0 ? this.#lastAccess[other] : this.#lastWrite[other];
    let last = -1;
    for (let at = address; at < address + bytes; at++) {
      last = Math.max(last, places?.get(at) ?? -1);
    }
    this.#add(lane, block, other, last);
  }

  #add(lane: number, block: Block, stopped: number, place: number): void {
    if (place < block.start || (block.resumed && place === block.start)) return;
    const moment = this.#moments[place] ?? 0;
    for (const next of new Set([block.next, lane])) {
      this.alternatives.push({ moment, stopped, next });
    }
  }

  /** A call begins with the next access of `lane`. */
  begins(lane: number): void {
    if (lane !== this.#running) this.#change(lane);
    const block = this.#blocks[lane];
    if (block !== undefined) block.call = this.#moments.length;
  }

  /** A call of `lane` is over. */
  ends(lane: number): void {
    this.#blocks.forEach((block, other) => {
      if (other !== lane && block !== undefined && block.call >= 0) {
        this.#add(lane, block, other, block.call);
      }
    });
  }
}
