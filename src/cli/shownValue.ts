/** How values look on a terminal, in a pipe, in a file and as JSON. */
import { formatSize } from '../base/sizes.js';

/** A value for programs: bytes become base64, numbers beyond 2^53 become text. */
export interface JsonValue {
  readonly type: 'text' | 'bytes' | 'data';
  readonly value: unknown;
}

/** A replacer sees what `toJSON` made of a value; the value itself is still in its holder. */
function jsonReady(this: Readonly<Record<string, unknown>>, key: string, made: unknown): unknown {
  const value = this[key];
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  return made;
}

/** Anything as one line of JSON. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, jsonReady) ?? 'null';
}

/** The value and what kind of value it is. */
export function jsonValue(value: unknown): JsonValue {
  if (typeof value === 'string') return { type: 'text', value };
  if (value instanceof Uint8Array) return { type: 'bytes', value };
  return { type: 'data', value };
}

/** The exact bytes to keep in a file: text as UTF-8, data as JSON. */
export function fileBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : jsonText(value));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Text whose control characters are spelled out, so that it can't play tricks with a terminal. */
export function harmless(text: string): string {
  const code = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, '0');
  return text.replace(CONTROLS, (char) => `\\x${code(char)}`);
}

/** The text that bytes are, if they are text without control characters. */
function readableText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return harmless(text) === text ? text : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is written to show a value. Bytes go to a pipe exactly as they are; on a terminal they are
 * shown only if they are harmless text.
 */
export function shownValue(value: unknown, isTerminal: boolean): string | Uint8Array {
  if (typeof value === 'string') return `${isTerminal ? harmless(value) : value}\n`;
  if (!(value instanceof Uint8Array)) return `${JSON.stringify(value, jsonReady, 2)}\n`;
  if (!isTerminal) return value;
  const text = readableText(value);
  if (text !== undefined) return text.endsWith('\n') ? text : `${text}\n`;
  return `(${formatSize(value.length)} of binary data: use --out FILE)\n`;
}
