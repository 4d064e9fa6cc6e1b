/**
 * What one thread has to see to so that nobody is told of a change that may still be lost.
 *
 * Under `always`, answers that tell of changes wait for the round of the log that takes those
 * changes along (see `Signals`). The thread goes on serving: it keeps the messages in the order in
 * which they came and looks again whenever the log says that something has moved, also while it
 * hands out other answers. All that wait for the same round leave together. What one connection is
 * answered stays in order, so whatever comes behind a message that waits, waits too; other
 * connections do not notice.
 *
 *   execute ─▶ message tells of changes? ──no, and nothing of its party waits──▶ deliver
 *                      │ yes                                                        ▲
 *                      ▼                                                            │
 *               withheld [ticket] ────────── log: durable ≥ ticket ─────────────────┘
 *
 * While the log can't take changes, because the disk is full or has failed, the core refuses them.
 * Answers that wait then are turned into that status, too: their changes were made, but nobody
 * knows whether they will last.
 */
import { refusalIn, type Signals } from '../log/signals.js';
import { mustWait, withoutChanges } from './answers.js';
import type { Party } from './party.js';

/** What a thread's durability works with. */
export interface DurabilityParts {
  readonly signals: Signals;
  /** A party with so many bytes of answers waiting is not executed any further. */
  readonly maxWithheldBytes: number;
  /** Delivers a message; true when its party can take no more. */
  readonly deliver: (party: Party, answers: Uint8Array, closeCode: number) => boolean;
  /** A party may be able to go on that could not because of its withheld answers. */
  readonly ease: (party: Party) => void;
}

interface Withheld {
  readonly party: Party;
  readonly answers: Uint8Array;
  readonly closeCode: number;
  readonly ticket: number;
}

/** One thread's; see the top of this file. */
export class Durability {
  readonly #parts: DurabilityParts;
  #withheld: Withheld[] = [];
  #ticket = 0;
  /** What `moved` was when was looked last at what is durable. */
  #looked = 0;
  /** The ticket that the log was woken for last. */
  #nudged: number | undefined;
  #watching = false;

  constructor(parts: DurabilityParts) {
    this.#parts = parts;
  }

  /** Whether no answers wait. */
  get idle(): boolean {
    return this.#withheld.length === 0;
  }

  /** A call of the core has ended; messages that come now are of its making. */
  executed(): void {
    this.#ticket = this.#parts.signals.ticket();
  }

  /**
   * Takes care of a message of answers, a view that holds only during the call. Returns whether the
   * party can take no more.
   */
  pass(party: Party, answers: Uint8Array, closeCode: number): boolean {
    // Handing out takes longer than a sync when many connections are read in one turn.
    if (!this.idle && this.#parts.signals.moved !== this.#looked) this.release();
    if (party.withheldBytes === 0 && !mustWait(answers)) {
      return this.#parts.deliver(party, answers, closeCode);
    }
    return this.#withhold(party, answers.slice(), closeCode);
  }

  #withhold(party: Party, answers: Uint8Array, closeCode: number): boolean {
    const { signals, maxWithheldBytes } = this.#parts;
    // A message without answers only closes; it still has its place behind the others.
    party.withheldBytes += answers.length + 1;
    this.#withheld.push({ party, answers, closeCode, ticket: this.#ticket });
    if (this.#nudged !== this.#ticket) {
      this.#nudged = this.#ticket;
      signals.nudge();
    }
    if (!this.#watching) {
      this.#watching = true;
      this.#watch();
    }
    return party.withheldBytes > maxWithheldBytes;
  }

  #watch(): void {
    const { signals } = this.#parts;
    const { moved } = signals;
    this.release();
    if (this.idle) this.#watching = false;
    else signals.whenMoved(moved, () => this.#watch());
  }

  /** Delivers what waits no longer. */
  release(): void {
    const { signals } = this.#parts;
    this.#looked = signals.moved;
    const refusal = refusalIn(signals.state);
    let released = 0;
    for (const { party, answers, closeCode, ticket } of this.#withheld) {
      const durable = signals.isDurable(ticket);
      if (!durable && refusal === 0) break;
      released++;
      party.withheldBytes -= answers.length + 1;
      this.#deliver(party, durable ? answers : withoutChanges(answers, refusal), closeCode);
    }
    if (released > 0) this.#withheld = this.#withheld.slice(released);
  }

  #deliver(party: Party, answers: Uint8Array, closeCode: number): void {
    if (party.slot < 0) return;
    if (this.#parts.deliver(party, answers, closeCode)) party.pause();
    else if (party.paused && party.withheldBytes === 0) this.#parts.ease(party);
  }
}
