import { InputError } from '../base/errors.js';

/** A whole number of any size from the command line. Throws `InputError`. */
export function parseWhole(text: string, what: string): bigint {
  if (/^[+-]?\d{1,30}$/.test(text)) return BigInt(text.replace('+', ''));
  throw new InputError(`${what} must be a whole number, not "${text}"`);
}

/** A whole number from `min` to `max` from the command line. Throws `InputError`. */
export function parseCount(text: string, what: string, min: number, max: number): number {
  const count = parseWhole(text, what);
  if (count >= BigInt(min) && count <= BigInt(max)) return Number(count);
  throw new InputError(`${what} must be from ${min} to ${max}, not ${text}`);
}

/** The version of an item, if one is given. Throws `InputError`. */
export function parseVersion(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : parseWhole(text, 'a version');
}
