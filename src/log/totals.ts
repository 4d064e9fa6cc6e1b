/** What the summaries of all files say together. */
import { SPANS } from './ages.js';
import type { Summary } from './summary.js';

/** Bytes of records whose time lies in [startMs, endMs). */
interface Span {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

/** The spans of all files, the latest end first. */
export class Recency {
  readonly #spans: readonly Span[];

  constructor(summaries: readonly Summary[]) {
    this.#spans = summaries.flatMap(spansOf).sort((a, b) => b.endMs - a.endMs);
  }

  /**
   * The earliest time known to hold this: records from then on until `beforeMs` have at most
   * `budgetBytes`. 0 when all that is older fits, too.
   */
  fitsFromMs(budgetBytes: number, beforeMs = Number.POSITIVE_INFINITY): number {
    let left = budgetBytes;
    for (const { startMs, endMs, bytes } of this.#spans) {
      if (startMs >= beforeMs) continue;
      left -= bytes;
      if (left < 0) return Math.min(endMs, beforeMs);
    }
    return 0;
  }
}

function spansOf({ ages }: Summary): Span[] {
  const spans: Span[] = [];
  for (let span = 0; span < SPANS; span++) {
    const bytes = ages.bytes[span] ?? 0;
    // The first span also counts what is older than its start.
    const startMs = span === 0 ? 0 : ages.baseMs + span * ages.spanMs;
    if (bytes > 0) spans.push({ startMs, endMs: ages.baseMs + (span + 1) * ages.spanMs, bytes });
  }
  return spans;
}

/** Sums over all files. */
export interface Totals {
  /** Bytes of puts and removes. */
  readonly bytes: number;
  /** How many of them there are. */
  readonly changes: number;
  readonly highest: bigint;
  readonly cleared: bigint;
  readonly recency: Recency;
}

/** The totals of these files. */
export function totalsOf(summaries: readonly Summary[]): Totals {
  const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  return {
    bytes: summaries.reduce((sum, { bytes }) => sum + bytes, 0),
    changes: summaries.reduce((sum, { puts, removes }) => sum + puts + removes, 0),
    highest: summaries.map(({ highest }) => highest).reduce(most, 0n),
    cleared: summaries.map(({ cleared }) => cleared).reduce(most, 0n),
    recency: new Recency(summaries),
  };
}
