/** The metrics of this node's clock compared to those of its peers, and of what it may lack. */
import { type Family, one } from './family.js';
import type { Sources } from './snapshot.js';

/** How the clock stands. */
export function ofTheClocks(clocks: NonNullable<Sources['clocks']>): Family[] {
  return [
    one(
      'gauge',
      'orlop_clock_skew_seconds',
      'How far the clock is ahead of the median of the peers',
      clocks.skewMs / 1000,
    ),
    one(
      'gauge',
      'orlop_clock_off',
      'Whether that is more than max-skew, and no changes are taken',
      clocks.isOff ? 1 : 0,
    ),
    one(
      'counter',
      'orlop_changes_ahead_total',
      'Changes of peers that were refused as too far ahead',
      clocks.refused,
    ),
    one(
      'gauge',
      'orlop_lacking',
      'Whether the node has lost its memory, and does not count at quorum yet',
      clocks.isLacking ? 1 : 0,
    ),
  ];
}
