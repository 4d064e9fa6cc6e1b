import { readFileSync } from 'node:fs';
import { packageFile } from '../../../../src/base/packageRoot.js';

/** A fenced block of the language `vector` in a page: names and values. */
export interface Vector {
  readonly kind: string;
  readonly name: string;
  /** What stands after each name; hexadecimal blocks without their line ends. A name may repeat. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Bytes of hexadecimal text with any blanks. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/.test(digits)) throw new Error(`no hex: ${text}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Hexadecimal text of bytes, for messages of tests. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function parse(block: string): Vector {
  const joined = block.trim().replace(/\n {2}/g, ' ');
  const fields = joined.split('\n').map((line) => {
    const [, name = '', value = ''] = /^(\w+): *(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`not a line of a vector: ${line}`);
    return [name, value] as const;
  });
  const one = (name: string): string => fields.find((field) => field[0] === name)?.[1] ?? '';
  return { kind: one('vector'), name: one('name'), fields };
}

/** The vectors of one kind, as they stand in a page of `docs/`. */
export function vectorsOf(kind: string, name = 'protocol.md'): Vector[] {
  const page = readFileSync(packageFile('docs', name), 'utf8');
  const all = [...page.matchAll(/^```vector\n(.*?)^```$/gms)].map((match) => parse(match[1] ?? ''));
  return all.filter((vector) => vector.kind === kind);
}

/** The value of a field, or nothing when the vector has none of that name. */
export function fieldOf(vector: Vector, name: string): string | undefined {
  return vector.fields.find((field) => field[0] === name)?.[1];
}

/** The bytes of a field that is a block of hexadecimal. */
export function bytesOf(vector: Vector, name = 'bytes'): Uint8Array<ArrayBuffer> {
  return unhex(fieldOf(vector, name) ?? 'missing');
}

/** A field that is a number; throws when there is none. */
export function numberOf(vector: Vector, name: string): number {
  const text = fieldOf(vector, name);
  if (text === undefined || !/^(0x[0-9a-f]+|\d+)$/.test(text)) throw new Error(`${name}: ${text}`);
  return Number(text);
}

/** A field that is a number of 64 bits, or nothing. */
export function bigOf(vector: Vector, name: string): bigint | undefined {
  const text = fieldOf(vector, name);
  return text === undefined ? undefined : BigInt(text);
}

/** A field that is text in quotes or bytes after `hex`, as bytes. */
export function dataOf(vector: Vector, name: string): Uint8Array<ArrayBuffer> {
  const text = fieldOf(vector, name) ?? '""';
  if (text.startsWith('hex ')) return unhex(text.slice(4));
  return new TextEncoder().encode(JSON.parse(text) as string);
}
