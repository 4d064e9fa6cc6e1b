import { isUtf8 } from 'node:buffer';

const PERCENT = 0x25;

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * The bytes of a percent-encoded part of a path, or nothing when an escape is broken, a character
 * is not ASCII, or the bytes are not UTF-8. A plus sign is a plus sign.
 */
export function percentDecode(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit === PERCENT) {
      const high = hexDigit(text.charCodeAt(++i));
      const low = hexDigit(text.charCodeAt(++i));
      if (high < 0 || low < 0) return undefined;
      unit = high * 16 + low;
    } else if (unit > 0x7f) return undefined;
    bytes[length++] = unit;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded : undefined;
}
