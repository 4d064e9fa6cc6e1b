/** The metrics of membership. */
import { PROBE_BOUNDS_MS } from '../gossip/figures.js';
import { MEMBER_STATES } from '../gossip/member.js';
import { type Family, histogram, many, one } from './family.js';
import type { ClusterSource } from './snapshot.js';

const MS_PER_S = 1000;
const PROBES = 'orlop_gossip_probe_seconds';

function probes({ gossip }: ClusterSource): Family {
  const { classes, probeMs } = gossip.figures;
  const samples = histogram(
    PROBES,
    {},
    {
      bounds: PROBE_BOUNDS_MS.map((ms) => ms / MS_PER_S),
      counts: Array.from(classes),
      sum: probeMs / MS_PER_S,
    },
  );
  return { name: PROBES, help: 'How long answered probes took', type: 'histogram', samples };
}

/** What a majority has agreed on, as far as this node knows. */
function ofTheConfiguration(source: ClusterSource): Family[] {
  const { mover, splitting } = source;
  const { configuration } = source.view;
  const { size, heat } = splitting.figures;
  const { total, done, stuck } = mover.report();
  const { bytes, items } = mover.moved;
  return [
    many('gauge', 'orlop_moves', 'Partitions that come to this node', 'state', [
      ['arrived', done],
      ['stuck', stuck],
      ['moving', total - done - stuck],
    ]),
    one('counter', 'orlop_moved_bytes_total', 'What came over in moves', bytes),
    one('counter', 'orlop_moved_items_total', 'Items that came over in moves', items),
    many('counter', 'orlop_range_splits_total', 'Ranges that this node divided', 'reason', [
      ['size', size],
      ['heat', heat],
    ]),
    one(
      'gauge',
      'orlop_cluster_ranges',
      'Ranges of the configuration, 0 under slots',
      configuration?.layout.ranges.length ?? 0,
    ),
    one(
      'gauge',
      'orlop_cluster_configuration',
      'Number of the configuration that this node knows, 0 for none',
      configuration?.number ?? 0,
    ),
    one(
      'gauge',
      'orlop_cluster_configured_members',
      'Members of the configuration',
      configuration?.layout.members.length ?? 0,
    ),
    one(
      'gauge',
      'orlop_cluster_moving',
      'Whether partitions move',
      configuration?.leaving === undefined ? 0 : 1,
    ),
  ];
}

/** The metrics of a node that gossips. */
export function ofTheCluster(cluster: ClusterSource): Family[] {
  const { gossip, channel } = cluster;
  const members = gossip.members();
  const states = MEMBER_STATES.map((state): [string, number] => {
    return [state, members.filter((member) => member.state === state).length];
  });
  const { figures } = channel;
  const { malformed } = gossip.figures;
  return [
    many('gauge', 'orlop_cluster_members', 'Members of the cluster by state', 'state', states),
    ...ofTheConfiguration(cluster),
    probes(cluster),
    one(
      'counter',
      'orlop_gossip_failed_probes_total',
      'Probes that nobody answered',
      gossip.figures.failedProbes,
    ),
    one(
      'counter',
      'orlop_gossip_refutations_total',
      'How often this node contradicted what was said of it',
      gossip.figures.refutations,
    ),
    one(
      'gauge',
      'orlop_gossip_health_score',
      'How much this node doubts itself, 0 to 8',
      gossip.healthScore,
    ),
    many('counter', 'orlop_gossip_datagrams_total', 'Datagrams by direction', 'direction', [
      ['received', figures.received],
      ['sent', figures.sent],
    ]),
    many('counter', 'orlop_gossip_bytes_total', 'Bytes of datagrams by direction', 'direction', [
      ['received', figures.receivedBytes],
      ['sent', figures.sentBytes],
    ]),
    many('counter', 'orlop_gossip_refused_total', 'Datagrams that did not count', 'reason', [
      ['malformed', figures.malformed + malformed],
      ['forged', figures.forged],
      ['replayed', figures.replayed],
    ]),
  ];
}
