/** The u32 at `at`, which lies within `bytes`: for the few places that have no `DataView`. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return (low | (high << 16)) >>> 0;
}

/** The u64 of two halves. */
export function u64Of(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Whether `bytes` is a view on memory that other threads may write. */
export function isShared(bytes: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && bytes.buffer instanceof SharedArrayBuffer;
}

/**
 * A plain `Uint8Array` of its own with the bytes from `at` to `end`; `slice` of a Buffer is none.
 */
export function copyBytes(bytes: Uint8Array, at = 0, end = bytes.length): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(end - at);
  copy.set(bytes.subarray(at, end));
  return copy;
}
