/**
 * What is to be told to everybody. Each rumour is put into datagrams a bounded number of times,
 * which grows with the logarithm of the number of nodes: then all nodes know of it with high
 * probability, and it falls silent. Something newer about the same subject takes its place.
 */

/** How often a rumour is told, per power of ten of nodes. */
const TELLS_PER_DECADE = 4;

/** How often each node tells a rumour in a cluster of `nodes`. */
export function tellsFor(nodes: number): number {
  return TELLS_PER_DECADE * Math.ceil(Math.log10(nodes + 1));
}

interface Rumour {
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** Order of arrival. */
  readonly number: number;
  told: number;
}

/** The least told first, and of those the newest. */
function before(a: Rumour, b: Rumour): number {
  return a.told - b.told || b.number - a.number;
}

/** The rumours a node still tells. */
export class Rumours {
  readonly #bySubject = new Map<string, Rumour>();
  /** Sorted by `before`; undefined after a change. */
  #order: Rumour[] | undefined;
  #count = 0;

  /** How many there are. */
  get size(): number {
    return this.#bySubject.size;
  }

  /** Starts a rumour, a whole message in bytes, in place of what was told about the subject. */
  add(subject: string, bytes: Uint8Array): void {
    this.#count++;
    this.#bySubject.set(subject, { subject, bytes, number: this.#count, told: 0 });
    this.#order = undefined;
  }

  /**
   * Hands those that fit into `room` bytes to `tell`, counts them as told, and drops those told
   * often enough for so many nodes.
   */
  tell(room: number, nodes: number, tell: (bytes: Uint8Array) => void): void {
    if (this.#bySubject.size === 0) return;
    let left = room;
    const limit = tellsFor(nodes);
    for (const rumour of this.#sorted()) {
      if (rumour.bytes.length > left) continue;
      left -= rumour.bytes.length;
      tell(rumour.bytes);
      rumour.told++;
      if (rumour.told >= limit) this.#bySubject.delete(rumour.subject);
      this.#order = undefined;
    }
  }

  #sorted(): Rumour[] {
    this.#order ??= [...this.#bySubject.values()].sort(before);
    return this.#order;
  }
}
