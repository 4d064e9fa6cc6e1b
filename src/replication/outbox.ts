/**
 * The changes for one peer, in order, until the peer has applied them.
 *
 *        base              sent                 end
 *   ──────┴─────────────────┴────────────────────┴──────  positions, one for each record
 *         acknowledged      on the way           waiting
 *
 * Records go out in batches with the position of their first one. The peer acknowledges up to a
 * position, and over a new connection sending goes on from there. No more than a window of bytes is
 * on the way, so that a slow peer slows nobody else. What a peer does not take for long would fill
 * the memory, so beyond a number of bytes the oldest are given up: the outbox then has a gap, which
 * hints and repair have to fill, and says so.
 */

/** Records for the peer. */
export interface OutboxBatch {
  /** The position of the first one. */
  readonly first: number;
  readonly records: readonly Uint8Array[];
}

/** How much an outbox holds and sends, in bytes. */
export interface OutboxLimits {
  readonly window: number;
  readonly capacity: number;
}

const NOTHING = new Uint8Array(0);

/** Changes on their way to one peer. */
export class Outbox {
  readonly #limits: OutboxLimits;
  /** The records from `base` on, behind `#dropped` places that are empty already. */
  #records: Uint8Array[] = [];
  #dropped = 0;
  #base = 1;
  #sent = 1;
  #onTheWayBytes = 0;
  #heldBytes = 0;
  #gapUpTo = 0;
  #givenUp: Uint8Array[] = [];

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** The position that the next record gets. */
  get end(): number {
    return this.#base + this.lag;
  }

  /** Records that the peer has not acknowledged: how far it lags. */
  get lag(): number {
    return this.#records.length - this.#dropped;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#heldBytes;
  }

  /** Everything below this position that the peer has not acknowledged was given up; 0 for none. */
  get gapUpTo(): number {
    return this.#gapUpTo;
  }

  /** Takes a record on; it must not change from now on. Returns its position. */
  add(record: Uint8Array): number {
    const position = this.end;
    this.#records.push(record);
    this.#heldBytes += record.length;
    while (this.#heldBytes > this.#limits.capacity && this.lag > 1) this.#giveUp();
    return position;
  }

  #giveUp(): void {
    this.#givenUp.push(this.at(this.#base));
    this.#dropTo(this.#base + 1);
    this.#gapUpTo = this.#base;
  }

  /** Gives everything up. */
  giveUpAll(): void {
    while (this.lag > 0) this.#giveUp();
  }

  /** What was given up since this was asked last. */
  takeGivenUp(): Uint8Array[] {
    const givenUp = this.#givenUp;
    if (givenUp.length > 0) this.#givenUp = [];
    return givenUp;
  }

  /** The oldest position that is held. */
  get base(): number {
    return this.#base;
  }

  /** The record at a position from `base` on. */
  at(position: number): Uint8Array {
    return this.#records[this.#dropped + position - this.#base] as Uint8Array;
  }

  /** Lets go of everything below a position. */
  #dropTo(position: number): void {
    for (; this.#base < position; this.#base++) {
      const { length } = this.at(this.#base);
      this.#heldBytes -= length;
      if (this.#base < this.#sent) this.#onTheWayBytes -= length;
      this.#records[this.#dropped++] = NOTHING;
    }
    this.#sent = Math.max(this.#sent, position);
    if (this.#dropped < 1024 || 2 * this.#dropped < this.#records.length) return;
    this.#records = this.#records.slice(this.#dropped);
    this.#dropped = 0;
  }

  /** Lets go of all that is held, for good. */
  discard(): void {
    this.#dropTo(this.end);
  }

  /** The next batch of at most so many bytes, at least one record; nothing when it has to wait. */
  take(maxBytes: number): OutboxBatch | undefined {
    const first = this.#sent;
    const records: Uint8Array[] = [];
    let bytes = 0;
    for (let position = first; position < this.end; position++) {
      const record = this.at(position);
      const over = bytes + record.length > maxBytes;
      const full = this.#onTheWayBytes + bytes + record.length > this.#limits.window;
      const alone = bytes === 0 && this.#onTheWayBytes === 0;
      if ((over && bytes > 0) || (full && !alone)) break;
      records.push(record);
      bytes += record.length;
    }
    if (records.length === 0) return undefined;
    this.#sent += records.length;
    this.#onTheWayBytes += bytes;
    return { first, records };
  }

  /** The peer has applied everything below `position`. */
  acknowledge(position: number): void {
    if (position > this.#base && position <= this.#sent) this.#dropTo(position);
  }

  /**
   * A connection is there again, and the peer has applied everything below `position`: what it
   * lacks goes out once more. False when records that it lacks are not held any more.
   */
  resume(position: number): boolean {
    this.#onTheWayBytes = 0;
    this.#sent = this.#base;
    if (position > this.#base) this.#dropTo(Math.min(position, this.end));
    return position >= this.#base;
  }
}
