/** Bytes of a key of a cluster. */
export const KEY_BYTES = 32;
/** The most keys at a time. */
export const KEYS_MAX = 8;

const HEX = /^[0-9A-Fa-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;

/** The key in a text of 64 hex digits or 44 characters of base64; nothing when it is neither. */
function parseKey(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/**
 * The keys in a text, 1 to `KEYS_MAX` of them divided by commas or white space, with
 * comments from `#` on; nothing when one of
 * them is none.
 */
export function parseKeys(text: string): Uint8Array[] | undefined {
  const words = text
    .replace(/#.*/g, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const keys = words.map(parseKey).filter((key) => key !== undefined);
  const all = keys.length === words.length;
  return all && keys.length > 0 && keys.length <= KEYS_MAX ? keys : undefined;
}
