/**
 * How far this node is with the changes of one peer. A record counts once, whatever is sent again
 * after a connection was lost; a batch that begins too far ahead is not taken, and the peer has to
 * go on from where this node is. The position is that of the peer's boot: a peer that lost what it
 * was going to send begins anew, and merging makes that harmless.
 */

/** What to do with a batch. */
export type Arrival =
  /** Apply the records from this index on, then acknowledge `next`. */
  | { readonly kind: 'apply'; readonly from: number }
  /** All of it was there already. */
  | { readonly kind: 'known' }
  /** Records between are missing: the peer is to go on from `next`. */
  | { readonly kind: 'ahead' };

/** The changes of one peer as they arrive. */
export class Inbox {
  #boot: string;
  #next = 1;

  /** `boot` is that of the peer. */
  constructor(boot: string) {
    this.#boot = boot;
  }

  /** The position of the next record that is to be applied. */
  get next(): number {
    return this.#next;
  }

  /** Whose positions these are. */
  get boot(): string {
    return this.#boot;
  }

  /** A connection begins; with another boot of the peer everything begins anew. */
  greet(boot: string): number {
    if (boot !== this.#boot) {
      this.#boot = boot;
      this.#next = 1;
    }
    return this.#next;
  }

  /** A batch of `count` records arrives. */
  arrive(first: number, count: number): Arrival {
    if (first > this.#next) return { kind: 'ahead' };
    const from = this.#next - first;
    if (from >= count) return { kind: 'known' };
    this.#next = first + count;
    return { kind: 'apply', from };
  }

  /** The peer gave up what lies below `position`; repair brings it. */
  skipTo(position: number): void {
    this.#next = Math.max(this.#next, position);
  }
}
