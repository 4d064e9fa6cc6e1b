/**
 * How long a node stays suspect before it is dead. A single accuser may be the one with the bad
 * connection, so its word alone takes long; each further node that failed to reach the suspect by
 * itself shortens the time, the first ones most (Lifeguard):
 *
 *   timeout = longest - (longest - shortest) * log(accusers + 1) / log(wanted + 1)
 *
 * where `accusers` are those after the first one and `wanted` as many as make it the shortest.
 */
import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';

/** The shortest suspicion among up to ten nodes, in milliseconds. */
export const SUSPICION_MS = 1_500;
/** What each further factor of ten in nodes adds, since news need longer to get round. */
const PER_DECADE_MS = 500;
/** How many times the shortest an unconfirmed suspicion lasts. */
const LONGEST = 3;
/** Where there is nobody who could confirm it, it lasts so many times the shortest. */
const ALONE = 2;
/** Accusers after the first that make it the shortest. */
const WANTED = 3;
/** A timer that is later than this was held up by this node itself, in milliseconds. */
export const LATE_MS = 300;

/** How long a suspicion lasts. */
export interface Term {
  readonly shortestMs: number;
  readonly longestMs: number;
  /** Accusers after the first that make it the shortest. */
  readonly wanted: number;
}

/** The term of a suspicion in a cluster of `nodes` present nodes, the suspect included. */
export function termFor(nodes: number): Term {
  const shortestMs = SUSPICION_MS + PER_DECADE_MS * Math.log10(Math.max(10, nodes) / 10);
  // Neither this node nor the suspect can confirm what this node says.
  const wanted = Math.min(WANTED, Math.max(0, nodes - 2));
  const longestMs = shortestMs * (wanted === 0 ? ALONE : LONGEST);
  return { shortestMs, longestMs, wanted };
}

/** How long a suspicion lasts in all with so many accusers after the first, in milliseconds. */
export function suspicionMs(term: Term, accusers: number): number {
  if (term.wanted === 0) return term.longestMs;
  const share = Math.log(accusers + 1) / Math.log(term.wanted + 1);
  return Math.max(term.shortestMs, term.longestMs - share * (term.longestMs - term.shortestMs));
}

/** What a suspicion is made from. */
export interface SuspicionParts {
  readonly term: Term;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The time is up. */
  readonly onEnd: () => void;
}

/** Before the verdict whatever has arrived is read, in milliseconds. */
const GRACE_MS = 50;

/** One running suspicion. */
export class Suspicion {
  readonly #parts: SuspicionParts;
  readonly #startedMs: number;
  readonly #accusers = new Set<string>();
  #endMs = 0;
  #timer: Timer | undefined;

  constructor(parts: SuspicionParts, accuser: string) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
    this.#accusers.add(accuser);
    this.#arm(this.#startedMs + parts.term.longestMs);
  }

  /** Counts a further accuser; whether that was news. */
  confirm(accuser: string): boolean {
    const { term } = this.#parts;
    if (this.#accusers.has(accuser) || this.#accusers.size > term.wanted) return false;
    this.#accusers.add(accuser);
    this.#arm(this.#startedMs + suspicionMs(term, this.#accusers.size - 1));
    return true;
  }

  /** Ends it without a verdict. */
  cancel(): void {
    this.#timer?.cancel();
  }

  #arm(endMs: number): void {
    const { clock, timers } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#timer?.cancel();
    this.#endMs = Math.max(nowMs, endMs);
    this.#timer = timers.after(this.#endMs - nowMs, () => this.#end());
  }

  /** A node that stood still hears refutations only after its timers: it grants the time again. */
  #end(): void {
    const { clock, timers, term, onEnd } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#endMs > LATE_MS) this.#arm(nowMs + term.shortestMs);
    else this.#timer = timers.after(GRACE_MS, onEnd);
  }
}
