import type { Random } from '../base/random.js';

/**
 * How long to wait before attempt number `attempt` (0 is the first after a failure): full jitter, a
 * random span up to `minMs * 2^attempt`, capped at `maxMs`. Clients that lost one node at the same
 * moment come back spread over time, not all at once.
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: Random): number {
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(random.fraction() * ceilingMs);
}
