/** Virtual time: what is to happen, in order. Nothing here knows what happens. */

/** Something that is to happen; without a task it was called off. */
export interface Entry {
  readonly atMs: number;
  /** Order among what happens at the same time. */
  readonly number: number;
  task: (() => void) | undefined;
}

function earlier(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}

/** A clock and a heap of entries, the earliest on top. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #count = 0;

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many entries there have been. */
  get count(): number {
    return this.#count;
  }

  /** Has `task` run at a time, or now when that is past. */
  at(atMs: number, task: () => void): Entry {
    this.#count++;
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), number: this.#count, task };
    this.#push(entry);
    return entry;
  }

  /** Lets time pass up to `untilMs`. */
  run(untilMs: number): void {
    for (;;) {
      const [next] = this.#heap;
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      this.#nowMs = next.atMs;
      next.task?.();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry;
      if (!earlier(entry, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      const right = below + 1;
      if (right < length && earlier(heap[right] as Entry, heap[below] as Entry)) below = right;
      const child = heap[below] as Entry;
      if (!earlier(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}
