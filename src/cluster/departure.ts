/**
 * Leaving on purpose: the node asks to be taken out of the configuration, serves until others have
 * what it had, and is then done. A node that leaves does not ask to be taken in again.
 */
import type { Timers } from '../base/timers.js';
import { memberOf } from '../ring/configuration.js';
import type { ClusterView } from '../ring/view.js';
import type { SeatedCouncil } from './council.js';

/** Until then others have heard that this node owns nothing any more, in milliseconds. */
const LINGER_MS = 3_000;

/** One node's departure; see the top of this file. */
export class Departure {
  /** Settles when nothing depends on this node any more. */
  readonly done: Promise<void>;
  readonly #view: ClusterView;
  readonly #seat: SeatedCouncil;
  readonly #timers: Timers;
  #begun = false;
  #finish: () => void = () => {};

  constructor(view: ClusterView, seat: SeatedCouncil, timers: Timers) {
    this.#timers = timers;
    this.#view = view;
    this.#seat = seat;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    view.onConfiguration(() => this.#look());
  }

  /** Whether it has begun. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Begins, once. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#seat.depart();
    this.#seat.council.wish({ kind: 'remove', id: this.#view.self });
    this.#look();
  }

  #look(): void {
    const { configuration, self } = this.#view;
    if (!this.#begun || configuration === undefined) return;
    const { layout, leaving } = configuration;
    const isOwner = memberOf(layout, self) ?? (leaving && memberOf(leaving, self));
    if (isOwner === undefined) this.#timers.after(LINGER_MS, () => this.#finish());
  }
}
