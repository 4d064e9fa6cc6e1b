/** What `GET /cache/partitioning` and `GET /cache/replication` say: who owns what, how often. */
import type { Configuration } from '../ring/configuration.js';
import { ownersOf, type Placement } from '../ring/placement.js';
import { distributionOf } from './status.js';

/** Partitions in a row that have the same owners. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Ids, the first owner first. */
  readonly owners: readonly string[];
}

/** Partitions by their owners, neighbours with the same ones together. */
export function stretchesOf(placement: Placement): Stretch[] {
  const stretches: { from: number; to: number; owners: string[] }[] = [];
  for (let partition = 0; partition < placement.partitions; partition++) {
    const owners = ownersOf(placement, partition).map(({ id }) => id);
    const last = stretches.at(-1);
    if (last !== undefined && last.owners.join() === owners.join()) last.to = partition;
    else stretches.push({ from: partition, to: partition, owners });
  }
  return stretches;
}

/** The split points of ranges; the keys as hexadecimal, for they are bytes. */
function rangesOf({ partitioner, layout }: Configuration): object {
  if (partitioner === 'hash') return {};
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return { ranges: layout.ranges.map(({ id, from }) => ({ id, from: hex(from) })) };
}

/** Who owns what. */
export function partitioningDocument(configuration: Configuration, placement: Placement): object {
  const { number, epoch, partitioner } = configuration;
  return {
    algorithm: partitioner === 'hash' ? 'consistent-hashing' : 'range',
    ...{ number, epoch, moving: configuration.leaving !== undefined },
    partitions: placement.partitions,
    copies: placement.copies,
    distribution: distributionOf(placement),
    ...rangesOf(configuration),
    owners: stretchesOf(placement),
  };
}

/** How data is copied. */
export function replicationDocument(configuration: Configuration, placement: Placement): object {
  const { strategy, layout, epoch } = configuration;
  return { factor: layout.replicas, copies: placement.copies, strategy, epoch, consistency: 'one' };
}
