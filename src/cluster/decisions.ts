/**
 * Changes of the configuration that somebody waits for: wished for once, and over when a
 * configuration has them, when they are refused, or when it took too long.
 */
import type { Timers } from '../base/timers.js';
import { applied, type Change, ChangeError } from '../ring/change.js';
import type { Configuration } from '../ring/configuration.js';
import type { ClusterView } from '../ring/view.js';

/** What came of a change. */
export type Decision =
  | { readonly kind: 'agreed'; readonly configuration: Configuration }
  | { readonly kind: 'refused'; readonly why: string }
  /** Not agreed on yet; it goes on being tried. */
  | { readonly kind: 'open' };

/** What decisions are made with. */
export interface DecisionParts {
  readonly view: ClusterView;
  readonly timers: Timers;
  readonly wish: (change: Change) => void;
}

/** How long a change is waited for, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Brings changes about; see the top of this file. */
export class Decisions {
  readonly #parts: DecisionParts;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
  }

  /** Brings a change about, and waits for what comes of it. */
  decide(change: Change): Promise<Decision> {
    const { view, timers, wish } = this.#parts;
    const known = this.#look(change);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const settle = (decision: Decision): void => {
        unlisten();
        timer.cancel();
        resolve(decision);
      };
      const unlisten = view.onConfiguration(() => {
        const decision = this.#look(change);
        if (decision !== undefined) settle(decision);
      });
      const timer = timers.after(PATIENCE_MS, () => settle({ kind: 'open' }));
      wish(change);
    });
  }

  /** Whether a change is made already, or can't be. */
  #look(change: Change): Decision | undefined {
    const { configuration } = this.#parts.view;
    if (configuration === undefined) return { kind: 'refused', why: 'there is no cluster yet' };
    try {
      return applied(configuration, change) === configuration
        ? { kind: 'agreed', configuration }
        : undefined;
    } catch (error) {
      if (error instanceof ChangeError) return { kind: 'refused', why: error.message };
      throw error;
    }
  }
}
