/**
 * How many partitions each member may own. Its fair share is the part of all copies that its weight
 * is of all weights, but no member can own two copies of one partition, and no zone should; what
 * one cannot take, the others share by weight. The bound is 109 % of that, rounded up.
 *
 * Everything is whole numbers, in 1024ths of a partition, so that all nodes and clients in all
 * languages compute the same: at most 7 copies * 2^14 partitions * 2^10 * weight 2^12 < 2^53.
 */

/** 1024ths of a partition: the unit of shares. */
const UNIT = 1024;
const BOUND_PERCENT = 109;

/** Who may own how much, in the order of the members. */
export interface Weighted {
  readonly weight: number;
  /** The number of its zone: 0 and up. */
  readonly zone: number;
}

/**
 * Divides `total` by weight so that none gets more than `limit`, which the others make up for. All
 * of them together have to be able to take it.
 */
export function shared(total: number, limit: number, weights: readonly number[]): number[] {
  const shares = weights.map(() => 0);
  let open = weights.flatMap((weight, at) => (weight > 0 ? [at] : []));
  let left = total;
  for (;;) {
    const weight = open.reduce((sum, at) => sum + (weights[at] as number), 0);
    const fair = (at: number): number => Math.floor((left * (weights[at] as number)) / weight);
    const full = open.filter((at) => fair(at) > limit);
    if (full.length === 0) {
      for (const at of open) shares[at] = fair(at);
      return shares;
    }
    for (const at of full) shares[at] = limit;
    left -= full.length * limit;
    open = open.filter((at) => !full.includes(at));
    if (open.length === 0) return shares;
  }
}

function weightOfZones(members: readonly Weighted[]): number[] {
  const zones: number[] = [];
  for (const { zone, weight } of members) zones[zone] = (zones[zone] ?? 0) + weight;
  return zones;
}

/** How many zones own anything. */
export function zonesOf(members: readonly Weighted[]): number {
  return weightOfZones(members).filter((weight) => weight > 0).length;
}

function fairShares(members: readonly Weighted[], partitions: number, copies: number): number[] {
  const limit = partitions * UNIT;
  const total = copies * limit;
  const weights = members.map(({ weight }) => weight);
  if (zonesOf(members) < copies) return shared(total, limit, weights);
  const zones = shared(total, limit, weightOfZones(members));
  const shares = weights.map(() => 0);
  for (const [zone, share] of zones.entries()) {
    const inside = weights.map((weight, at) => (members[at]?.zone === zone ? weight : 0));
    for (const [at, part] of shared(share, limit, inside).entries())
      shares[at] = (shares[at] ?? 0) + part;
  }
  return shares;
}

/** The most partitions that each member may own while each partition has `copies` owners. */
export function boundsOf(
  members: readonly Weighted[],
  partitions: number,
  copies: number,
): Uint32Array {
  const bounds = fairShares(members, partitions, copies).map((share) =>
    Math.min(partitions, Math.ceil((share * BOUND_PERCENT) / (100 * UNIT))),
  );
  return Uint32Array.from(bounds);
}
