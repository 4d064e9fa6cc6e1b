import { parseDuration } from '../base/durations.js';
import { messageOf } from '../base/errors.js';
import { InvalidArgumentError } from './errors.js';
import type { Ttl } from './verbs.js';
import { MAX_TTL_MS } from './wire.js';

function refuse(ttl: unknown, why: string): never {
  const shown = typeof ttl === 'string' ? `"${ttl}"` : String(ttl);
  throw new InvalidArgumentError(
    `${shown} is no time to live: ${why}; pass milliseconds, text such as '10m', or 'never'`,
  );
}

function spanOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error), { cause: error });
  }
}

/**
 * Whole milliseconds of a time to live, rounded up, or nothing when it never expires. Throws
 * `InvalidArgumentError` for what is not a time, is not positive, or is over 34 years.
 */
export function parseTtl(ttl: Ttl): number | undefined {
  if (ttl === 'never' || ttl === Number.POSITIVE_INFINITY) return undefined;
  const ttlMs = Math.ceil(typeof ttl === 'string' ? spanOf(ttl) : ttl);
  if (!(ttlMs >= 1)) refuse(ttl, 'it has to be at least 1 ms');
  if (ttlMs > MAX_TTL_MS) refuse(ttl, 'it may be at most 34 years');
  return ttlMs;
}
