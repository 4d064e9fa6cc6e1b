import { InputError } from './errors.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds per unit. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
};

const DURATION = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

function refuse(text: string | number): never {
  throw new InputError(
    `"${text}" is not a time span: write milliseconds, or for example 250ms, 10s, 5m, 2h, 7d`,
  );
}

/** Milliseconds of a span such as `10s`; plain numbers are milliseconds. Throws `InputError`. */
export function parseDuration(text: string | number): number {
  const match = DURATION.exec(String(text).trim().toLowerCase());
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) refuse(text);
  const spanMs = Math.round(Number(match[1]) * unit);
  if (!Number.isSafeInteger(spanMs)) refuse(text);
  return spanMs;
}

const STEPS: readonly (readonly [number, string])[] = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'm'],
  [SECOND, 's'],
];

/** The largest unit that shows `spanMs` with at most two decimals: `1.5h`, `10s`, `250ms`. */
export function formatDuration(spanMs: number): string {
  for (const [unit, name] of STEPS) {
    if (spanMs >= unit) return `${Number((spanMs / unit).toFixed(2))}${name}`;
  }
  return `${Number(spanMs.toFixed(2))}ms`;
}

/** Like `formatDuration` when that loses nothing, otherwise plain milliseconds. */
export function formatDurationExactly(spanMs: number): string {
  const short = formatDuration(spanMs);
  return parseDuration(short) === spanMs ? short : `${spanMs}ms`;
}
