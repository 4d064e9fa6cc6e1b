/** The metrics of replication: how far peers are behind, and what repair has brought. */
import type { PeerLag } from '../net/peers/peerLag.js';
import { type Family, many, one } from './family.js';
import type { PeersSource } from './snapshot.js';

const MS_PER_S = 1000;

/** The metrics of a node that tells peers of changes. */
export function ofReplication(peers: PeersSource): Family[] {
  const all = peers.lags();
  const gauge = (name: string, help: string, of: (lag: PeerLag) => number): Family =>
    many(
      'gauge',
      `orlop_replication_${name}`,
      help,
      'peer',
      all.map((lag) => [lag.id, of(lag)]),
    );
  const { runs, equal, slots, keys, items, itemBytes, toldBytes } = peers.repairs.figures;
  const { purged, handedOver, kept } = peers.purger.figures;
  const counter = (name: string, help: string, value: number): Family =>
    one('counter', `orlop_repair_${name}_total`, help, value);
  return [
    gauge('lag_records', 'Changes that a peer has not acknowledged', ({ records }) => records),
    gauge('lag_seconds', 'Age of the oldest of them', ({ ageMs }) => ageMs / MS_PER_S),
    gauge('connected', 'Whether there is a connection to a peer', ({ connected }) => +connected),
    gauge('hints', 'Changes kept as hints for a peer', ({ hints }) => hints),
    gauge('hint_bytes', 'Bytes of these hints', ({ hintBytes }) => hintBytes),
    counter('runs', 'Comparisons with peers', runs),
    counter('equal', 'Comparisons that found nothing that differs', equal),
    counter('slots', 'Slots that differed', slots),
    counter('keys', 'Keys that were looked at because something differed', keys),
    counter('items', 'Items and tombstones that came by repair', items),
    counter('item_bytes', 'Bytes of these items', itemBytes),
    one('counter', 'orlop_purged_total', 'Items dropped that others own now', purged),
    one('counter', 'orlop_purge_handed_over_total', 'Those that an owner lacked', handedOver),
    one('counter', 'orlop_purge_kept_total', 'Items kept for want of an owner', kept),
    counter('told_bytes', 'Bytes of digests and of lists of keys, both ways', toldBytes),
  ];
}
