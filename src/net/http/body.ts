/**
 * The body of a request: collected when somebody wants it, thrown away otherwise, and always read
 * before the answer leaves. A server that answers and closes while its client still sends makes the
 * client's kernel drop the answer (a reset overtakes it), so that a refusal would be seen as a
 * broken connection. Who sends more than `LINGER_BYTES` for nothing is answered all the same.
 */

/** What is read and thrown away before an answer goes out in spite of more to come. */
export const LINGER_BYTES = 64 * 1024 * 1024;

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** What a request sends after its headers. */
export class Body {
  #awaited: boolean;
  #collector: ((body: Uint8Array | undefined) => void) | undefined;
  #limitBytes = 0;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #onRead: (() => void) | undefined;
  #sink: ((piece: Uint8Array, isLast: boolean) => void) | undefined;

  /** `expected`: whether the headers announce a body at all. */
  constructor(expected: boolean) {
    this.#awaited = expected;
  }

  /** Whether nothing more needs to be read before the answer. */
  get isRead(): boolean {
    return !this.#awaited;
  }

  /** Hands the body over when it is whole, or nothing as soon as it is longer than `limitBytes`. */
  collect(limitBytes: number, done: (body: Uint8Array | undefined) => void): void {
    this.#collector = done;
    this.#limitBytes = limitBytes;
    if (!this.#awaited) this.#handOver(joined([], 0));
  }

  /** Hands each piece on as it comes, until the request is answered. */
  receive(sink: (piece: Uint8Array, isLast: boolean) => void): void {
    this.#sink = sink;
    if (!this.#awaited) sink(joined([], 0), true);
  }

  /** Calls back when nothing more needs to be read, at once where that is so. */
  whenRead(read: () => void): void {
    // What still comes is thrown away, and counts against patience from now on.
    if (this.#sink !== undefined) this.#bytes = 0;
    this.#sink = undefined;
    if (this.#awaited) this.#onRead = read;
    else read();
  }

  /** Takes a piece as it arrives; `chunk` may be gone afterwards. */
  take(chunk: Uint8Array, isLast: boolean): void {
    if (!this.#awaited) return;
    if (this.#sink !== undefined) {
      if (isLast) this.#awaited = false;
      this.#sink(chunk, isLast);
      return;
    }
    this.#bytes += chunk.length;
    if (this.#collector !== undefined) this.#keep(chunk, isLast);
    if (!isLast && this.#bytes <= LINGER_BYTES + this.#limitBytes) return;
    this.#awaited = false;
    this.#onRead?.();
    this.#onRead = undefined;
  }

  #keep(chunk: Uint8Array, isLast: boolean): void {
    if (this.#bytes > this.#limitBytes) {
      this.#chunks = [];
      this.#handOver(undefined);
      return;
    }
    if (chunk.length > 0) this.#chunks.push(chunk.slice());
    if (isLast) this.#handOver(joined(this.#chunks, this.#bytes));
  }

  #handOver(body: Uint8Array | undefined): void {
    const collector = this.#collector;
    this.#collector = undefined;
    this.#chunks = [];
    collector?.(body);
  }
}
