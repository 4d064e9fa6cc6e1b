/**
 * A fingerprint of what has happened: of the partial order of the accesses that are in conflict,
 * not of the order they happened to come in. Two schedules with the same fingerprint have led to
 * the same memory and the same stacks, so what can follow is the same, and one of them is enough
 * (Musuvathi and Qadeer, "Iterative context bounding", PLDI'07).
 *
 * A lane's hash says what it has done and seen: it takes in, with each access, the hash of the
 * write it reads, and with each write also the reads before it.
 */
import { WRITES } from './instrument.js';

const LOCATION_SHIFT = 0;

function scramble(hash: number): number {
  let word = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

const low = (hash: number, word: number): number => scramble(Math.imul(hash, 31) + word);
const high = (hash: number, word: number): number => scramble(Math.imul(hash, 37) ^ ~word);

/** Two hashes a lane or location, so that fingerprints have 53 bits. */
export class Trace {
  readonly #lanes: Int32Array;
  readonly #notes: Int32Array;
  readonly #index = new Map<number, number>();
  #writes = new Int32Array(1024);
  #reads = new Int32Array(1024);

  constructor(lanes: number) {
    this.#lanes = new Int32Array(2 * lanes);
    this.#notes = new Int32Array(2 * lanes);
  }

  reset(): void {
    this.#lanes.fill(0);
    this.#notes.fill(0);
    this.#index.clear();
  }

  #locationAt(address: number): number {
    const known = this.#index.get(address);
    if (known !== undefined) return known;
    const at = 2 * this.#index.size;
    if (at === this.#writes.length) this.#grow();
    this.#writes[at] = this.#writes[at + 1] = this.#reads[at] = this.#reads[at + 1] = 0;
    this.#index.set(address, at);
    return at;
  }

  #grow(): void {
    const grown = [this.#writes, this.#reads].map((hashes) => {
      const twice = new Int32Array(2 * hashes.length);
      twice.set(hashes);
      return twice;
    });
    [this.#writes, this.#reads] = grown as [Int32Array<ArrayBuffer>, Int32Array<ArrayBuffer>];
  }

  /** Takes in something that shows in no access: when a call began, that a lane died. */
  note(lane: number, word: number): void {
    const notes = this.#notes;
    notes[2 * lane] = low(notes[2 * lane] as number, word);
    notes[2 * lane + 1] = high(notes[2 * lane + 1] as number, word);
  }

  /** Takes in an access that is done now. */
  access(lane: number, address: number, bytes: number, kind: number): void {
    const end = (address + bytes - 1) >>> LOCATION_SHIFT;
    for (let location = address >>> LOCATION_SHIFT; location <= end; location++) {
      this.#touch(lane, location, (kind & WRITES) !== 0);
    }
  }

  #touch(lane: number, location: number, isWrite: boolean): void {
    const at = this.#locationAt(location);
    const own = 2 * lane;
    const lanes = this.#lanes;
    let a = low(lanes[own] as number, location);
    let b = high(lanes[own + 1] as number, location);
    a = low(a, this.#writes[at] as number);
    b = high(b, this.#writes[at + 1] as number);
    if (isWrite) {
      a = low(a, this.#reads[at] as number);
      b = high(b, this.#reads[at + 1] as number);
      this.#writes[at] = a;
      this.#writes[at + 1] = b;
      this.#reads[at] = this.#reads[at + 1] = 0;
    } else {
      // Reads between two writes have no order: their hashes are summed.
      this.#reads[at] = ((this.#reads[at] as number) + scramble(a)) | 0;
      this.#reads[at + 1] = ((this.#reads[at + 1] as number) + scramble(b)) | 0;
    }
    lanes[own] = a;
    lanes[own + 1] = b;
  }

  /** The fingerprint of the order of accesses. */
  get order(): number {
    return fingerprint(this.#lanes);
  }

  /** The fingerprint of the order of accesses and of what was noted. */
  get whole(): number {
    return fingerprint(this.#lanes, this.#notes);
  }
}

function fingerprint(...hashes: Int32Array[]): number {
  let a = 1;
  let b = 2;
  for (const all of hashes) {
    for (let at = 0; at < all.length; at += 2) {
      a = low(a, all[at] as number);
      b = high(b, all[at + 1] as number);
    }
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}
