/** Requests that are encoded before the clock starts. */
import type { Draws } from '../draws.js';

/**
 * Encoded requests. A *unit* is what is sent as a whole: one request, or a frame of them. Unit u
 * holds the bytes `starts[u]` to `starts[u + 1]` and the entries from `u * perUnit` of the draws.
 */
export interface Pool {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly perUnit: number;
  readonly draws: Draws;
}

/** How a protocol writes requests. */
export interface Encoder {
  readonly getBytes: number;
  readonly setBytes: number;
  writeGet(bytes: Buffer, at: number, key: number): void;
  writeSet(bytes: Buffer, at: number, key: number): void;
  /** Bytes that come before the requests of a unit. */
  headBytes?(payloadBytes: number): number;
  /** Writes those, and whatever depends on the requests behind them. */
  seal?(bytes: Buffer, at: number, payloadAt: number, end: number): void;
}

function payloadBytes(draws: Draws, encoder: Encoder, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) {
    bytes += draws.sets[i] === 1 ? encoder.setBytes : encoder.getBytes;
  }
  return bytes;
}

function writePayload(
  bytes: Buffer,
  payloadAt: number,
  draws: Draws,
  encoder: Encoder,
  from: number,
  to: number,
): void {
  let at = payloadAt;
  for (let i = from; i < to; i++) {
    const key = draws.keys[i] ?? 0;
    if (draws.sets[i] === 1) {
      encoder.writeSet(bytes, at, key);
      at += encoder.setBytes;
    } else {
      encoder.writeGet(bytes, at, key);
      at += encoder.getBytes;
    }
  }
}

function unitStarts(draws: Draws, perUnit: number, encoder: Encoder): Uint32Array {
  const count = draws.keys.length;
  const units = Math.ceil(count / perUnit);
  const starts = new Uint32Array(units + 1);
  for (let unit = 0; unit < units; unit++) {
    const from = unit * perUnit;
    const payload = payloadBytes(draws, encoder, from, Math.min(count, from + perUnit));
    starts[unit + 1] = (starts[unit] ?? 0) + (encoder.headBytes?.(payload) ?? 0) + payload;
  }
  return starts;
}

/** Encodes the draws, in order, in units of `perUnit` requests; the last one may have fewer. */
export function encodePool(draws: Draws, perUnit: number, encoder: Encoder): Pool {
  const count = draws.keys.length;
  const starts = unitStarts(draws, perUnit, encoder);
  const units = starts.length - 1;
  const bytes = Buffer.allocUnsafeSlow(starts[units] ?? 0);
  for (let unit = 0; unit < units; unit++) {
    const from = unit * perUnit;
    const to = Math.min(count, from + perUnit);
    const end = starts[unit + 1] ?? 0;
    const payloadAt = end - payloadBytes(draws, encoder, from, to);
    writePayload(bytes, payloadAt, draws, encoder, from, to);
    encoder.seal?.(bytes, starts[unit] ?? 0, payloadAt, end);
  }
  return { bytes, starts, perUnit, draws };
}
