/**
 * The requests that were put into a frame and are not answered yet. A request's id is its slot, so
 * an answer finds its call without a search. A slot is free again only when its answer came or the
 * connection is gone: a call that timed out keeps its slots, so that a late answer cannot be taken
 * for that of another call.
 *
 *   slot      0      1      2      3   ...
 *   calls   [ A    | -    | B    | B    ]     which call waits
 *   places  [ 0    | -    | 0    | 1    ]     which of its requests this is
 *   sizes   [ 36   | -    | 40   | 40   ]     bytes on the wire
 *   free    [ 1 ]                             slots in no use, as a stack
 */
import type { Call } from './call.js';

const FIRST_SLOTS = 256;

/** Requests under way. */
export class Flights {
  #calls: (Call | undefined)[] = [];
  #places = new Uint32Array(FIRST_SLOTS);
  #sizes = new Uint32Array(FIRST_SLOTS);
  #free: number[] = [];
  /** Slots put into the frame that is not sent yet. */
  #unsent: number[] = [];
  #count = 0;
  #bytes = 0;

  /** Requests under way. */
  get count(): number {
    return this.#count;
  }

  /** Their bytes on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The id that the next `take` will use. */
  nextId(): number {
    return this.#free.at(-1) ?? this.#calls.length;
  }

  /** Registers a request of `size` bytes under the id that `nextId` told. */
  take(call: Call, place: number, size: number): void {
    const slot = this.#free.pop() ?? this.#calls.length;
    if (slot >= this.#places.length) this.#grow();
    this.#calls[slot] = call;
    this.#places[slot] = place;
    this.#sizes[slot] = size;
    this.#unsent.push(slot);
    this.#count++;
    this.#bytes += size;
  }

  #grow(): void {
    const places = new Uint32Array(this.#places.length * 2);
    const sizes = new Uint32Array(this.#places.length * 2);
    places.set(this.#places);
    sizes.set(this.#sizes);
    this.#places = places;
    this.#sizes = sizes;
  }

  /** The frame was sent: from now on it is unknown what became of its requests. */
  markSent(): void {
    this.#unsent.length = 0;
  }

  /** Which request of its call the id stands for. */
  placeOf(id: number): number {
    return this.#places[id] ?? 0;
  }

  /** Frees an id and returns the call that waited for it; nothing when none did. */
  release(id: number): Call | undefined {
    const call = this.#calls[id];
    if (call === undefined) return undefined;
    this.#calls[id] = undefined;
    this.#free.push(id);
    this.#count--;
    this.#bytes -= this.#sizes[id] ?? 0;
    return call;
  }

  /** Each call under way, once for each of its requests. */
  forEach(visit: (call: Call) => void): void {
    for (const call of this.#calls) if (call !== undefined) visit(call);
  }

  /** Forgets everything; returns the calls with a sent request, and those with none. */
  takeAll(): { sent: Set<Call>; unsent: Set<Call> } {
    const unsent = new Set<Call>();
    for (const slot of this.#unsent) {
      const call = this.release(slot);
      if (call !== undefined) unsent.add(call);
    }
    const sent = new Set<Call>();
    this.forEach((call) => {
      sent.add(call);
    });
    this.#calls = [];
    this.#free = [];
    this.#unsent = [];
    this.#count = 0;
    this.#bytes = 0;
    return { sent, unsent };
  }
}
