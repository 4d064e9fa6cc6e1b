/** A frame that waits outside the inbox. */
export interface QueuedFrame {
  readonly bytes: Uint8Array;
  /** When it arrived, in Unix milliseconds; deadlines count from here. */
  readonly arrivalMs: number;
}

const NOTHING: QueuedFrame = { bytes: new Uint8Array(0), arrivalMs: 0 };

/** How many taken places are tolerated at the front before the rest moves up. */
const SLACK = 64;

/** Frames in the order in which they came; taking one costs the same however many wait. */
export class FrameQueue {
  #frames: QueuedFrame[] = [];
  #head = 0;
  #bytes = 0;

  /** How many frames wait. */
  get length(): number {
    return this.#frames.length - this.#head;
  }

  /** The bytes of all that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts a frame at the end; the queue keeps `bytes`. */
  push(bytes: Uint8Array, arrivalMs: number): void {
    this.#frames.push({ bytes, arrivalMs });
    this.#bytes += bytes.length;
  }

  /** Puts a frame before all others. */
  unshift(bytes: Uint8Array, arrivalMs: number): void {
    this.#bytes += bytes.length;
    if (this.#head === 0) this.#frames.unshift({ bytes, arrivalMs });
    else this.#frames[--this.#head] = { bytes, arrivalMs };
  }

  /** The oldest frame, which stays. */
  peek(): QueuedFrame | undefined {
    return this.#frames[this.#head];
  }

  /** Removes the oldest frame. */
  drop(): void {
    this.#bytes -= this.#frames[this.#head]?.bytes.length ?? 0;
    this.#frames[this.#head] = NOTHING;
    this.#head++;
    if (this.#head < SLACK || this.#head * 2 < this.#frames.length) return;
    this.#frames = this.#frames.slice(this.#head);
    this.#head = 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
