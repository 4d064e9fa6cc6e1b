import type { Random } from '../../../../src/base/random.js';
import type { Configuration, Layout, Member } from '../../../../src/ring/configuration.js';
import { NO_DIGEST } from '../../../../src/ring/configuration.js';

/** A member with everything that a test does not care about. */
export function member(id: string, changes: Partial<Member> = {}): Member {
  return {
    id,
    boot: '00000000000000b0',
    host: '127.0.0.1',
    port: 7700,
    gossipPort: 7701,
    zone: '',
    weight: 1,
    passedOver: false,
    ...changes,
  };
}

function sorted(members: readonly Member[]): Member[] {
  return [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A layout of slots. */
export function layout(members: readonly Member[], replicas: number): Layout {
  return { members: sorted(members), replicas, ranges: [] };
}

/** The founding of a cluster of slots. */
export function founding(members: readonly Member[], replicas = 3): Configuration {
  return {
    cluster: '00c0ffee00c0ffee',
    name: 'test',
    number: 1,
    previous: NO_DIGEST,
    epoch: 1,
    strategy: 'multi-master',
    partitioner: 'hash',
    layout: layout(members, replicas),
  };
}

/** So many equal nodes with random names. */
export function equalNodes(random: Random, count: number): Member[] {
  return Array.from({ length: count }, (_, n) =>
    member(`n${n}-${random.below(2 ** 32).toString(36)}`),
  );
}

/** Nodes with random names, weights (some of them 0) and zones. */
export function mixedNodes(random: Random, count: number, zones: number): Member[] {
  const nodes = equalNodes(random, count).map((node) => ({
    ...node,
    weight: random.below(5),
    zone: `zone-${random.below(zones)}`,
  }));
  return nodes.map((node, at) => (at === 0 ? { ...node, weight: 1 } : node));
}
