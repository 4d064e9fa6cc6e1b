/**
 * A word of shared memory that changes together with what others look for. Who finds that nothing
 * has come yet waits at the mark, with the value that it had *before* looking: so a change that
 * falls between the look and the wait is not missed.
 */

/** The result of waiting without blocking, which this TypeScript's library does not know yet. */
type Waiting =
  | { readonly async: false; readonly value: 'not-equal' | 'timed-out' }
  | { readonly async: true; readonly value: Promise<'ok' | 'timed-out'> };
type WaitAsync = (words: Int32Array, index: number, value: number) => Waiting;
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };

/** One word; made anew on each thread. See the top of this file. */
export class Mark {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #index: number;

  constructor(words: Int32Array<SharedArrayBuffer>, index: number) {
    this.#words = words;
    this.#index = index;
  }

  /** To be read before looking, and to be waited with. */
  get value(): number {
    return Atomics.load(this.#words, this.#index);
  }

  /** Wakes all who wait. */
  move(): void {
    Atomics.add(this.#words, this.#index, 1);
    Atomics.notify(this.#words, this.#index);
  }

  /** Calls `look` once, later, when the mark has moved since it was `seen`. */
  whenMoved(seen: number, look: () => void): void {
    const waiting = waitAsync(this.#words, this.#index, seen);
    if (waiting.async) void waiting.value.then(look);
    else queueMicrotask(look);
  }

  /** Blocks the thread until the mark has moved since it was `seen`, for at most `timeoutMs`. */
  wait(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#words, this.#index, seen, timeoutMs);
  }
}
