import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import { PART_BYTES } from './message.js';

/** Parts under way without a receipt, at most. */
export const WINDOW_PARTS = 16;
/** After so long without a receipt a part is sent again, in milliseconds; then twice as long, … */
const RESEND_MS = 150;
const RESEND_MS_MAX = 1_000;
/** Nothing is sent after so long, in milliseconds; who receives it remembers it for longer. */
export const SHIPPING_MS = 10_000;

/** Sends a part. */
export type SendPart = (part: number, parts: number, bytes: Uint8Array) => void;

/** The time that a shipment goes by. */
export interface Time {
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A body on its way, in parts. */
export class Shipment {
  readonly #body: Uint8Array;
  readonly #time: Time;
  readonly #endMs: number;
  readonly #send: SendPart;
  readonly #parts: number;
  /** Parts sent and not yet receipted. */
  readonly #open = new Set<number>();
  #next = 0;
  #rounds = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(body: Uint8Array, time: Time, send: SendPart) {
    this.#body = body;
    this.#time = time;
    this.#endMs = time.clock.monotonicMs() + SHIPPING_MS;
    this.#send = send;
    this.#parts = Math.max(1, Math.ceil(body.length / PART_BYTES));
  }

  /** Sends what the window lets through. */
  start(): void {
    this.#fill();
    this.#arm();
  }

  #fill(): void {
    while (this.#open.size < WINDOW_PARTS && this.#next < this.#parts) {
      this.#open.add(this.#next);
      this.#sendPart(this.#next);
      this.#next++;
    }
  }

  #sendPart(part: number): void {
    const at = part * PART_BYTES;
    this.#send(part, this.#parts, this.#body.subarray(at, at + PART_BYTES));
  }

  #arm(): void {
    const delayMs = Math.min(RESEND_MS_MAX, RESEND_MS * 2 ** Math.min(10, this.#rounds));
    this.#timer = this.#time.timers.after(delayMs, () => this.#again());
  }

  #again(): void {
    this.#rounds++;
    if (this.#time.clock.monotonicMs() > this.#endMs) return;
    for (const part of this.#open) this.#sendPart(part);
    this.#arm();
  }

  /** A part arrived. */
  received(part: number): void {
    if (this.#stopped || !this.#open.delete(part)) return;
    this.#rounds = 0;
    this.#fill();
    if (this.#open.size === 0) this.stop();
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#open.clear();
    this.#next = this.#parts;
  }
}

/** The numbers and bytes of a part. */
export interface Part {
  readonly part: number;
  readonly parts: number;
  readonly bytes: Uint8Array;
}

/** A body that arrives in parts. */
export class Parcel {
  readonly #parts: (Uint8Array | undefined)[];
  #missing: number;

  constructor(parts: number) {
    this.#parts = new Array<Uint8Array | undefined>(parts).fill(undefined);
    this.#missing = parts;
  }

  /** Whether all parts are there. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Takes a part, also once more; whether it fits to the others. */
  take({ part, parts, bytes }: Part): boolean {
    if (parts !== this.#parts.length) return false;
    if (part < parts - 1 && bytes.length !== PART_BYTES) return false;
    if (this.#parts[part] !== undefined || this.complete) return true;
    this.#parts[part] = Uint8Array.from(bytes);
    this.#missing--;
    return true;
  }

  /** The body; its parts are let go. */
  open(): Uint8Array {
    const body = Buffer.concat(this.#parts.map((bytes) => bytes ?? new Uint8Array(0)));
    this.#parts.fill(undefined);
    return body;
  }
}
