/** What `GET /cache/partitioning` and `GET /cache/replication` say: who owns what, how often. */
import type { PeerLag } from '../net/peers/peerLag.js';
import type { Purger } from '../net/peers/purger.js';
import type { Repairs } from '../net/peers/repairs.js';
import type { RangeReport } from '../rebalance/splits.js';
import type { Configuration } from '../ring/configuration.js';
import { ownersOf, type Placement } from '../ring/placement.js';
import { distributionOf } from './status.js';

const MS_PER_S = 1000;

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

/** The split points of ranges, as hexadecimal, for they are bytes, and what is known of each. */
function rangesOf(
  { partitioner, layout }: Configuration,
  reports: readonly RangeReport[] | undefined,
): object {
  if (partitioner === 'hash') return {};
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  // Ranges are only ever divided: as many are the same ones.
  const known = reports?.length === layout.ranges.length ? reports : [];
  const ranges = layout.ranges.map(({ id, from }, at) => {
    const { bytes, requestsPerSecond } = known[at] ?? {};
    return { id, from: hex(from), bytes, requests_per_second: requestsPerSecond };
  });
  return { ranges };
}

/** Who owns what. */
export function partitioningDocument(
  configuration: Configuration,
  placement: Placement,
  reports?: readonly RangeReport[],
): object {
  const { number, epoch, partitioner } = configuration;
  return {
    algorithm: partitioner === 'hash' ? 'consistent-hashing' : 'range',
    ...{ number, epoch, moving: configuration.leaving !== undefined },
    partitions: placement.partitions,
    copies: placement.copies,
    distribution: distributionOf(placement),
    ...rangesOf(configuration, reports),
    owners: stretchesOf(placement),
  };
}

/** How far peers are, as HTTP shows it. */
function peersOf(peers: ReplicaSource, nowMs: number): object[] {
  return peers.lags().map(({ id, connected, records, ageMs, hints, hintBytes }) => {
    const last = peers.repairs.lastOf(id);
    return {
      ...{ id, connected },
      lag: { records, seconds: ageMs / MS_PER_S },
      hints: { count: hints, bytes: hintBytes },
      compared: last && {
        secondsAgo: Math.round((nowMs - last.endedMs) / MS_PER_S),
        ...{ complete: last.complete, slots: last.slots, repaired: last.items },
      },
    };
  });
}

/** How changes get to other nodes, as one node knows it. */
export interface ReplicaSource {
  lags(): readonly PeerLag[];
  readonly repairs: Pick<Repairs, 'figures' | 'lastOf' | 'isLacking'>;
  readonly purger: Pick<Purger, 'figures'>;
}

/** What a report of replication is made from; `nowMs` is on the monotonic clock. */
export interface ReplicationSources {
  readonly configuration: Configuration;
  readonly placement: Placement;
  readonly peers: ReplicaSource | undefined;
  readonly nowMs: number;
}

/** How data is copied, and how far this node's peers are. */
export function replicationDocument(sources: ReplicationSources): object {
  const { configuration, placement, peers, nowMs } = sources;
  const { strategy, layout, epoch } = configuration;
  const { copies } = placement;
  const passedOver = layout.members.filter((member) => member.passedOver).map(({ id }) => id);
  return {
    ...{ factor: layout.replicas, copies, strategy, epoch },
    ...{ passed_over: passedOver, consistency: 'one' },
    ...(peers && {
      lacking: peers.repairs.isLacking,
      peers: peersOf(peers, nowMs),
      repairs: peers.repairs.figures,
      purge: peers.purger.figures,
    }),
  };
}
