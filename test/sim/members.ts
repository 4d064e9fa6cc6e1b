/** Configurations of simulated nodes that are given theirs. */
import { type Configuration, NO_DIGEST, type Strategy } from '../../src/ring/configuration.js';
import { BOOT } from './dataNode.js';
import type { Host } from './host.js';
import { GOSSIP_PORT } from './memberNode.js';

/** One in which all of them own three copies together. */
export function configurationOf(
  hosts: readonly Host[],
  number: number,
  strategy: Strategy = 'multi-master',
): Configuration {
  const members = hosts.map(({ id, address }) => ({
    ...{ id, boot: BOOT, host: address, port: 7700, gossipPort: GOSSIP_PORT },
    ...{ zone: '', weight: 1, passedOver: false },
  }));
  members.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ...{ cluster: '1'.repeat(16), name: 'sim', number, previous: NO_DIGEST, epoch: 1 },
    ...{ strategy, partitioner: 'hash' },
    layout: { members, replicas: 3, ranges: [] },
  };
}
