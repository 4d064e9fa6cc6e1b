import { InputError } from './errors.js';

const KIB = 1024;

/** Bytes per unit. As in Redis, `kb`, `mb` and `gb` count in 1024, and so do the bare letters. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: KIB,
  kb: KIB,
  kib: KIB,
  m: KIB ** 2,
  mb: KIB ** 2,
  mib: KIB ** 2,
  g: KIB ** 3,
  gb: KIB ** 3,
  gib: KIB ** 3,
  t: KIB ** 4,
  tb: KIB ** 4,
  tib: KIB ** 4,
};

const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

function refuse(text: string | number): never {
  throw new InputError(`"${text}" is not a size: write bytes, or for example 64kb, 512mb, 1.5gb`);
}

/** Bytes of a size such as `512mb`; plain numbers are bytes. Throws `InputError` otherwise. */
export function parseSize(text: string | number): number {
  const match = SIZE.exec(String(text).trim().toLowerCase());
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) refuse(text);
  const bytes = Math.floor(Number(match[1]) * unit);
  if (!Number.isSafeInteger(bytes)) refuse(text);
  return bytes;
}

const STEPS: readonly (readonly [number, string])[] = [
  [KIB ** 4, 'tb'],
  [KIB ** 3, 'gb'],
  [KIB ** 2, 'mb'],
  [KIB, 'kb'],
];

/** The largest unit that shows `bytes` with at most two decimals: `1.5gb`, `512mb`, `900b`. */
export function formatSize(bytes: number): string {
  for (const [unit, name] of STEPS) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(2))}${name}`;
  }
  return `${bytes}b`;
}

/**
 * Like `formatSize` when that loses nothing, otherwise plain bytes; `parseSize` reads both back.
 */
export function formatSizeExactly(bytes: number): string {
  const short = formatSize(bytes);
  return parseSize(short) === bytes ? short : `${bytes}b`;
}
