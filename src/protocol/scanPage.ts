import { copyBytes } from './bytes.js';
import { ProtocolError } from './errors.js';
import type { FrameWriter } from './frameWriter.js';
import { readText } from './text.js';

/** Calls `found` with the place of each key of a page: (u16 length, key bytes)*. */
export function eachKey(
  bytes: Uint8Array,
  at: number,
  end: number,
  found: (keyAt: number, keyEnd: number) => void,
): void {
  let next = at;
  while (next < end) {
    const keyAt = next + 2;
    const length = keyAt <= end ? (bytes[next] as number) | ((bytes[next + 1] as number) << 8) : 0;
    next = keyAt + length;
    if (next > end) throw new ProtocolError('a page of a scan ends within a key');
    found(keyAt, next);
  }
}

/** The keys of a page as text; bytes that are not UTF-8 become U+FFFD. Throws `ProtocolError`. */
export function decodeScanPage(bytes: Uint8Array, at = 0, end = bytes.length): string[] {
  const keys: string[] = [];
  eachKey(bytes, at, end, (keyAt, keyEnd) => keys.push(readText(bytes, keyAt, keyEnd)));
  return keys;
}

/** The keys of a page as bytes. Throws `ProtocolError` when it is malformed. */
export function decodeRawScanPage(bytes: Uint8Array, at = 0, end = bytes.length): Uint8Array[] {
  const keys: Uint8Array[] = [];
  eachKey(bytes, at, end, (keyAt, keyEnd) => keys.push(copyBytes(bytes, keyAt, keyEnd)));
  return keys;
}

/** Appends a page of keys. */
export function encodeScanPage(writer: FrameWriter, keys: readonly (string | Uint8Array)[]): void {
  for (const key of keys) {
    const lengthAt = writer.at;
    writer.u16(0);
    writer.data(key);
    writer.view.setUint16(lengthAt, writer.at - lengthAt - 2, true);
  }
}
