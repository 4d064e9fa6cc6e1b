/**
 * How many bytes of records were written when: 64 spans of equal length, which double their length
 * whenever a time comes that does not fit. What is older than the first span counts in the first.
 * From those of all files recovery knows from when on everything fits into the memory.
 */

/** Spans that a table of ages has. */
export const SPANS = 64;
/** The length of a span before it has doubled, in milliseconds. */
const FIRST_SPAN_MS = 16;

/** A table of bytes by age. */
export class Ages {
  /** When the first span starts, in Unix milliseconds. */
  baseMs = 0;
  spanMs = FIRST_SPAN_MS;
  readonly bytes = new Float64Array(SPANS);
  #empty = true;

  /** Counts `bytes` that were written at `timeMs`. */
  note(timeMs: number, bytes: number): void {
    if (this.#empty) {
      this.#empty = false;
      this.baseMs = timeMs;
    }
    let span = Math.floor((timeMs - this.baseMs) / this.spanMs);
    while (span >= SPANS) {
      this.#double();
      span = Math.floor((timeMs - this.baseMs) / this.spanMs);
    }
    const place = Math.max(0, span);
    this.bytes[place] = (this.bytes[place] ?? 0) + bytes;
  }

  #double(): void {
    const { bytes } = this;
    for (let to = 0; to < SPANS / 2; to++) {
      bytes[to] = (bytes[2 * to] ?? 0) + (bytes[2 * to + 1] ?? 0);
    }
    bytes.fill(0, SPANS / 2);
    this.spanMs *= 2;
  }

  /** Takes over a table that was stored. */
  restore(baseMs: number, spanMs: number, bytes: ArrayLike<number>): void {
    this.#empty = baseMs === 0;
    this.baseMs = baseMs;
    this.spanMs = Math.max(1, spanMs);
    this.bytes.set(bytes);
  }
}
