/** What `GET /cache/cluster/nodes` says: the members as one node sees them. */
import { systemClock } from '../base/clock.js';
import type { Member } from '../gossip/member.js';
import type { Configuration } from '../ring/configuration.js';
import type { ClusterNode } from './node.js';

/** A configuration in a few words. */
function summaryOf({ cluster, number, layout, leaving }: Configuration): object {
  const members = layout.members.map(({ id, weight }) => ({ id, weight }));
  return { cluster, number, replicas: layout.replicas, members, moving: leaving !== undefined };
}

/** The members as HTTP shows them. */
export function nodesDocument({ gossip, cluster, view }: ClusterNode): object {
  const nowMs = systemClock.monotonicMs();
  const nodes = gossip.members().map((member: Member) => {
    const { sinceMs, accuser, ...facts } = member;
    return { ...facts, ...(accuser && { accuser }), sinceMs: Math.round(nowMs - sinceMs) };
  });
  nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
  const configuration = view.configuration && summaryOf(view.configuration);
  return { cluster, self: gossip.self.id, nodes, seeds: gossip.seeds(), configuration };
}
