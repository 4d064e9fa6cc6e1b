/** Experiments on membership that are about time, each on one world. */

import { SPREAD_EVERY_MS } from '../../src/gossip/gossip.js';
import { isPresent } from '../../src/gossip/member.js';
import type { Host } from './host.js';
import { addressOf, type MemberNode, memberNode } from './memberNode.js';
import { World } from './world.js';

/** A cluster of so many nodes that know each other. */
export class Cluster {
  readonly world: World;
  readonly nodes = new Map<Host, MemberNode>();
  readonly #join: string[];

  constructor(seed: number, count: number, settleMs = 60_000) {
    this.world = new World(seed);
    const hosts = Array.from({ length: count }, () => this.world.addHost());
    this.#join = hosts.slice(0, 3).map(addressOf);
    for (const host of hosts) this.start(host);
    this.world.run(settleMs);
  }

  /** Starts a node on a host. */
  start(host: Host): MemberNode {
    const node = memberNode(host, { join: this.#join });
    host.start(() => node);
    this.nodes.set(host, node);
    node.gossip.start();
    return node;
  }

  /** Kills the node on a host. */
  kill(host: Host): void {
    host.crash(false);
    this.nodes.delete(host);
  }

  /** Lets time pass in steps until `done`; how much passed, or nothing when it was too much. */
  until(done: () => boolean, atMostMs: number, stepMs = 10): number | undefined {
    const { world } = this;
    const startMs = world.nowMs;
    while (!done()) {
      if (world.nowMs - startMs > atMostMs) return undefined;
      world.run(stepMs);
    }
    return world.nowMs - startMs;
  }

  /** How many of the running nodes see a member in that state. */
  seenAs(id: string, state: string): number {
    let count = 0;
    for (const { gossip } of this.nodes.values()) if (gossip.member(id)?.state === state) count++;
    return count;
  }

  /** Whether every running node sees every running node as present. */
  get whole(): boolean {
    const size = this.nodes.size;
    for (const { gossip } of this.nodes.values()) {
      if (gossip.members().filter(isPresent).length !== size) return false;
    }
    return true;
  }
}

/** How long it took from a kill until a first node, and until all, held the victim to be dead. */
export interface Detection {
  readonly firstMs: number;
  readonly allMs: number;
}

/** Kills one node after the other in a cluster of `count`, which come back in between. */
export function detections(seed: number, count: number, kills: number): Detection[] {
  const cluster = new Cluster(seed, count);
  if (!cluster.whole) throw new Error(`seed ${seed}: ${count} nodes did not find each other`);
  const { world } = cluster;
  return Array.from({ length: kills }, () => {
    world.run(2_000 + world.random.fraction() * 1_000);
    const victim = [...cluster.nodes.keys()][world.random.below(count)] as Host;
    cluster.kill(victim);
    const firstMs = cluster.until(() => cluster.seenAs(victim.id, 'dead') > 0, 60_000);
    const isKnown = (): boolean => cluster.seenAs(victim.id, 'dead') === cluster.nodes.size;
    const restMs = cluster.until(isKnown, 60_000);
    cluster.start(victim);
    const backMs = cluster.until(() => cluster.whole, 60_000);
    if (firstMs === undefined || restMs === undefined || backMs === undefined) {
      throw new Error(`seed ${seed}: ${victim.id} was not found dead, or not found again`);
    }
    return { firstMs, allMs: firstMs + restMs };
  });
}

/** In how many rounds of gossip all of `count` nodes learn of one more. */
export function roundsToLearnOfAJoin(seed: number, count: number): number {
  const cluster = new Cluster(seed, count);
  const host = cluster.world.addHost();
  cluster.start(host);
  const tookMs = cluster.until(() => cluster.seenAs(host.id, 'alive') === count + 1, 60_000);
  if (tookMs === undefined) throw new Error(`seed ${seed}: not all learned of the join`);
  return tookMs / SPREAD_EVERY_MS;
}

/** What happened to healthy nodes on a network that loses datagrams. */
export interface Peace {
  readonly suspected: number;
  readonly died: number;
  readonly probes: number;
}

/** `count` healthy nodes for `forMs` on a network that loses a share of the datagrams. */
export function peace(seed: number, count: number, loss: number, forMs: number): Peace {
  const cluster = new Cluster(seed, count);
  const { world, nodes } = cluster;
  let [suspected, died] = [0, 0];
  for (const { gossip } of nodes.values()) {
    gossip.onChange(({ state }, before) => {
      if (state === 'suspect' && before === 'alive') suspected++;
      if (state === 'dead') died++;
    });
  }
  world.network.weather = { ...world.network.weather, loss };
  world.run(forMs);
  const probes = [...nodes.values()].reduce((sum, { gossip }) => sum + gossip.figures.probes, 0);
  return { suspected, died, probes };
}

/** The value that a share of the values are not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
