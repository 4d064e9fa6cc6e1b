/**
 * Which of a sender's datagrams have been seen. Counters only grow at the sender, but datagrams
 * overtake each other, so the last `WINDOW` counters are remembered one by one; what is older
 * counts as seen.
 *
 *            top - WINDOW                        top
 *   seen ... |  bits: seen or not               | not seen ...
 */

/** How many counters are remembered. */
export const WINDOW = 1_024;
const WORD = 32;

/** The window of one sender. */
export class ReplayWindow {
  readonly #bits = new Uint32Array(WINDOW / WORD);
  /** The highest counter seen. */
  #top: number;

  /** Everything up to `floor` counts as seen. */
  constructor(floor: number) {
    this.#top = floor;
    this.#bits.fill(0xffff_ffff);
  }

  /** Whether the counter is seen for the first time; from then on it is seen. */
  admit(counter: number): boolean {
    if (counter > this.#top) {
      this.#advance(counter);
      return true;
    }
    if (this.#top - counter >= WINDOW || this.#seen(counter)) return false;
    this.#mark(counter);
    return true;
  }

  #advance(counter: number): void {
    const fresh = Math.min(WINDOW, counter - this.#top);
    for (let step = 1; step <= fresh; step++) this.#clear(counter - fresh + step);
    this.#top = counter;
    this.#mark(counter);
  }

  #seen(counter: number): boolean {
    const at = counter % WINDOW;
    return (((this.#bits[Math.floor(at / WORD)] ?? 0) >>> (at % WORD)) & 1) === 1;
  }

  #mark(counter: number): void {
    const at = counter % WINDOW;
    const word = Math.floor(at / WORD);
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (at % WORD));
  }

  #clear(counter: number): void {
    const at = counter % WINDOW;
    const word = Math.floor(at / WORD);
    this.#bits[word] = (this.#bits[word] ?? 0) & ~(1 << (at % WORD));
  }
}
