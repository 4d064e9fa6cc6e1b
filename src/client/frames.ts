/**
 * Packs requests into frames. Requests are written one behind the other into one buffer, which is
 * sent at the end of the tick, or as soon as it is as long as a frame should be. The buffer is used
 * again: a socket has copied what it was given by the time `send` returns.
 */
import { TooLargeError } from '../protocol/errors.js';
import { FrameWriter } from '../protocol/frameWriter.js';
import type { Greeting } from '../protocol/hello.js';
import { encodeRequest, type Request } from '../protocol/request.js';
import { STATUS } from '../protocol/status.js';
import {
  FIELD_BYTES,
  FIELD_FLAGS,
  REQUEST_HEADER_BYTES,
  REQUEST_KEY_LENGTH_AT,
} from '../protocol/wire.js';

/** A longer buffer is given back after the frame that needed it. */
const KEEP_BYTES = 1024 * 1024;

type Limits = Pick<Greeting, 'maxKey' | 'maxValue' | 'maxFrame'>;

function tooLarge(what: string, bytes: number, limit: number): TooLargeError {
  return new TooLargeError(
    STATUS.TOO_LARGE,
    `the ${what} has ${bytes} bytes, but the node accepts at most ${limit}`,
  );
}

/** Builds frames of at most `frameBytes`, except where one request is longer than that. */
export class Frames {
  readonly #writer = new FrameWriter();
  readonly #wantedBytes: number;
  #frameBytes: number;
  readonly #send: (frame: Uint8Array<ArrayBuffer>) => void;
  #limits: Limits | undefined;

  /** `send` is handed views that hold until it returns. */
  constructor(frameBytes: number, send: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.#wantedBytes = frameBytes;
    this.#frameBytes = frameBytes;
    this.#send = send;
  }

  /**
   * What the node accepts; a request beyond it is refused here, for it would cost the connection.
   */
  limit(limits: Limits): void {
    this.#limits = limits;
    this.#frameBytes = Math.min(this.#wantedBytes, limits.maxFrame);
  }

  /** Whether nothing waits to be sent. */
  get empty(): boolean {
    return this.#writer.at === 0;
  }

  /** Whether the frame is as long as it should get. */
  get full(): boolean {
    return this.#writer.at >= this.#frameBytes;
  }

  /**
   * Appends a request and returns its bytes; when the frame becomes too long with it, what stands
   * before it is sent first. Throws `InvalidArgumentError` or `TooLargeError`, and then nothing was
   * appended.
   */
  append(request: Request): number {
    const start = this.#writer.at;
    const size = encodeRequest(this.#writer, request);
    const refusal = this.#refusal(request, start, size);
    if (refusal !== undefined) {
      this.#writer.at = start;
      throw refusal;
    }
    if (start > 0 && start + size > this.#frameBytes) this.#sendBefore(start, size);
    return size;
  }

  #refusal(request: Request, start: number, size: number): TooLargeError | undefined {
    const limits = this.#limits;
    if (limits === undefined) return undefined;
    const keyBytes = this.#writer.view.getUint16(start + REQUEST_KEY_LENGTH_AT, true);
    if (keyBytes > limits.maxKey) return tooLarge('key', keyBytes, limits.maxKey);
    if (size <= limits.maxValue || request.value === undefined) return undefined;
    const valueBytes = this.#valueBytes(request, size, keyBytes);
    if (valueBytes > limits.maxValue) return tooLarge('value', valueBytes, limits.maxValue);
    return size > limits.maxFrame ? tooLarge('request', size, limits.maxFrame) : undefined;
  }

  #valueBytes(request: Request, size: number, keyBytes: number): number {
    let fields = 0;
    for (let rest = (request.flags ?? 0) & FIELD_FLAGS; rest !== 0; rest &= rest - 1) fields++;
    return size - REQUEST_HEADER_BYTES - FIELD_BYTES * fields - keyBytes;
  }

  #sendBefore(start: number, size: number): void {
    const { bytes } = this.#writer;
    this.#send(bytes.subarray(0, start));
    bytes.copyWithin(0, start, start + size);
    this.#writer.at = size;
  }

  /** Sends everything. */
  flush(): void {
    if (this.empty) return;
    this.#send(this.#writer.frame());
    this.#writer.clear(KEEP_BYTES);
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#writer.clear(KEEP_BYTES);
  }
}
