/**
 * What has to move from one layout to the next: for each partition that gets an owner, who that is
 * and from whom it can have the data. Nothing moves between owners that stay, so the bytes are the
 * least there can be. Ranges of both layouts are cut where either of them is, so that no move spans
 * a split.
 */
import { SLOTS } from '../base/slot.js';
import { compareKeys, type Layout, type Partitioner } from '../ring/configuration.js';
import { rangeOf } from '../ring/partition.js';
import { ownersOf, type Placement, placementOf } from '../ring/placement.js';

/** A slot, or the keys from `from` up to, but without, `to`. */
export type Stretch =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'range'; readonly from: Uint8Array; readonly to: Uint8Array | undefined };

/** One partition on its way to one owner. */
export interface Move {
  readonly stretch: Stretch;
  /** Ids of the owners that have it, the first to ask first. */
  readonly sources: readonly string[];
  /** The id of the owner that gets it. */
  readonly target: string;
}

/** A stretch, and the partition that it is or lies in, in either layout. */
interface Piece {
  readonly stretch: Stretch;
  readonly before: number;
  readonly after: number;
}

function slotPieces(): Piece[] {
  return Array.from({ length: SLOTS }, (_, slot) => ({
    stretch: { kind: 'slot', slot },
    before: slot,
    after: slot,
  }));
}

function rangePieces(before: Layout, after: Layout): Piece[] {
  const froms = [...before.ranges, ...after.ranges].map(({ from }) => from).sort(compareKeys);
  const cuts = froms.filter((from, at) => at === 0 || compareKeys(froms[at - 1] ?? from, from) < 0);
  return cuts.map((from, at) => ({
    stretch: { kind: 'range', from, to: cuts[at + 1] },
    before: rangeOf(before.ranges, from),
    after: rangeOf(after.ranges, from),
  }));
}

function idsOf(placement: Placement, partition: number): string[] {
  return ownersOf(placement, partition).map(({ id }) => id);
}

/** The moves from one layout to another, in the order of the partitions. */
export function movesBetween(before: Layout, after: Layout, partitioner: Partitioner): Move[] {
  const pieces = partitioner === 'hash' ? slotPieces() : rangePieces(before, after);
  const [from, to] = [placementOf(before, partitioner), placementOf(after, partitioner)];
  return pieces.flatMap(({ stretch, before: old, after: now }) => {
    const sources = idsOf(from, old);
    return idsOf(to, now)
      .filter((target) => !sources.includes(target))
      .map((target) => ({ stretch, sources, target }));
  });
}

/** Whether a key lies in a stretch of the order of keys. */
export function isWithin({ from, to }: Stretch & { kind: 'range' }, key: Uint8Array): boolean {
  return compareKeys(from, key) <= 0 && (to === undefined || compareKeys(key, to) < 0);
}
