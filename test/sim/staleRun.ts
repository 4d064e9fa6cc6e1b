/**
 * One seed of a stale owner: 4 to 6 nodes, each key with three owners, and a newcomer that takes
 * keys over by a step of which one old owner does not learn. The newcomer can't reach that one and
 * takes it to be away; some of the others can, and go on to be told by it what it makes.
 *
 * - When the moves are settled, a change that was acknowledged at `quorum` before, by whom ever, is
 *   with so many of its new owners that every majority of them has one who knows it; and so is each
 *   that is acknowledged later.
 *
 * The steps are given, not agreed: agreement has a scenario of its own. Links, senders, claims,
 * hauls and movers are those that are shipped. Nobody compares itself with anybody: repair would
 * make up for what is lacking, some time later.
 */
import { STATUS } from '../../src/protocol/status.js';
import { FLAG_WITH_META, LEVEL_QUORUM, OP_SET } from '../../src/protocol/wire.js';
import type { Mover } from '../../src/rebalance/mover.js';
import { applied } from '../../src/ring/change.js';
import { type Configuration, NO_DIGEST } from '../../src/ring/configuration.js';
import { ClusterView } from '../../src/ring/view.js';
import { DataNode } from './dataNode.js';
import type { Host } from './host.js';
import { GOSSIP_PORT } from './memberNode.js';
import type { Report } from './report.js';
import { World } from './world.js';

const STEP_MS = 10;
const KEYS = 200;
const REPLICAS = 3;
const DEADLINE_MS = 1_000;

function founding(hosts: readonly Host[]): Configuration {
  const members = hosts.map(({ id, address }) => ({
    ...{ id, boot: '0'.repeat(16), host: address, port: 7700, gossipPort: GOSSIP_PORT },
    ...{ zone: '', weight: 1, passedOver: false },
  }));
  members.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ...{ cluster: '1'.repeat(16), name: 'sim', number: 1, previous: NO_DIGEST, epoch: 1 },
    ...{ strategy: 'multi-master', partitioner: 'hash' },
    layout: { members, replicas: REPLICAS, ranges: [] },
  };
}

class StaleRun {
  readonly #seed: number;
  readonly #world: World;
  readonly #hosts: readonly Host[];
  readonly #newcomer: Host;
  readonly #stale: Host;
  readonly #nodes = new Map<string, DataNode>();
  readonly #movers = new Map<string, Mover>();
  readonly #view = new ClusterView();
  readonly #violations = new Set<string>();
  /** The highest version of each key that was acknowledged. */
  readonly #acked = new Map<string, bigint>();
  readonly #faults = { cut: 0, settled: 0, undecided: 0 };
  #newest: Configuration;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    const { random } = this.#world;
    this.#hosts = Array.from({ length: 4 + random.below(3) }, () => this.#world.addHost());
    this.#newcomer = this.#hosts.at(-1) as Host;
    this.#stale = this.#hosts[random.below(this.#hosts.length - 1)] as Host;
    this.#newest = founding(this.#hosts.filter((host) => host !== this.#newcomer));
    this.#view.identify('nobody');
    this.#view.learn(this.#newest);
    for (const host of this.#hosts) this.#start(host);
  }

  #start(host: Host): void {
    host.start(() => {
      const members = founding(this.#hosts).layout.members;
      const addressOf = (id: string): string => members.find((one) => one.id === id)?.host ?? '';
      const node = new DataNode(host, this.#newest);
      const mover = node.movedBy(addressOf, {
        isSteward: () => host === this.#newcomer,
        settle: (number) => this.#settle(number),
      });
      mover.start();
      this.#nodes.set(host.id, node);
      this.#movers.set(host.id, mover);
      return node;
    });
  }

  /** Has a step learned by all but the stale node, one after the other. */
  #step(configuration: Configuration): void {
    const { agenda, random, nowMs } = this.#world;
    this.#newest = configuration;
    for (const { id } of this.#hosts) {
      if (id === this.#stale.id) continue;
      agenda.at(nowMs + random.below(300), () => this.#nodes.get(id)?.view.learn(configuration));
    }
  }

  #settle(number: number): void {
    if (number !== this.#newest.number || this.#newest.leaving === undefined) return;
    this.#step(applied(this.#newest, { kind: 'settle', number }));
    this.#view.learn(this.#newest);
    this.#faults.settled++;
    for (const [key, version] of this.#acked) this.#check(key, version);
  }

  #check(key: string, version: bigint): void {
    const [owners = []] = this.#view.groupsOf(Buffer.from(key));
    const knowing = owners.filter(({ id }) => {
      return (this.#nodes.get(id)?.holds(key).version ?? 0n) >= version;
    });
    if (2 * knowing.length >= owners.length + (owners.length % 2)) return;
    this.#violations.add('a majority of the new owners does not know what was acknowledged');
  }

  #write(): void {
    const { random } = this.#world;
    for (const node of this.#nodes.values()) {
      const key = `k${random.below(KEYS)}`;
      if (!node.view.holds(Buffer.from(key))) continue;
      const request = { opcode: OP_SET, flags: FLAG_WITH_META, key, value: 'v' };
      node.ask({ ...request, level: LEVEL_QUORUM, deadlineMs: DEADLINE_MS }, (answer) => {
        const isStale = this.#faults.settled > 0 && node.view.self === this.#stale.id;
        if (isStale && answer.status === STATUS.UNDECIDED) this.#faults.undecided++;
        if (answer.status !== STATUS.OK) return;
        this.#count++;
        const version = answer.version() ?? 0n;
        if (version > (this.#acked.get(key) ?? 0n)) this.#acked.set(key, version);
        if (this.#faults.settled > 0) this.#check(key, version);
      });
    }
  }

  #work(untilMs: number): void {
    const { agenda, nowMs } = this.#world;
    this.#write();
    if (nowMs + STEP_MS < untilMs) agenda.at(nowMs + STEP_MS, () => this.#work(untilMs));
  }

  /** Cuts the stale node off from the newcomer, and in most seeds from one more. */
  #cut(): void {
    const { network, random } = this.#world;
    const others = this.#hosts.filter((host) => host !== this.#stale && host !== this.#newcomer);
    const more = others[random.below(others.length + 1)];
    const own = `${this.#stale.address}:${GOSSIP_PORT}`;
    for (const host of [this.#newcomer, ...(more === undefined ? [] : [more])]) {
      network.cut(own, `${host.address}:${GOSSIP_PORT}`);
      network.cut(`${host.address}:${GOSSIP_PORT}`, own);
      this.#nodes.get(host.id)?.view.setAway([this.#stale.id]);
    }
    this.#faults.cut++;
  }

  run(): Report {
    const world = this.#world;
    // A real link keeps the order of what it carries.
    const delayMs = 0.2 + 5 * world.random.fraction();
    Object.assign(world.network.weather, { delayMs, jitterMs: 0 });
    this.#work(14_000);
    world.run(3_000);
    this.#cut();
    world.run(1_000);
    const [member] = founding([this.#newcomer]).layout.members;
    if (member !== undefined) this.#step(applied(this.#newest, { kind: 'admit', member }));
    world.run(12_000);
    for (const mover of this.#movers.values()) mover.stop();
    for (const node of this.#nodes.values()) node.stop();
    return {
      ...{ seed: this.#seed, nodes: this.#hosts.length, acked: this.#count },
      ...{ faultsFired: this.#faults, simulatedMs: world.nowMs, events: world.agenda.count },
      ...{ hash: world.trace.hash, violations: [...this.#violations] },
    };
  }
}

/** Runs one seed. */
export function runStale(seed: number): Report {
  return new StaleRun(seed).run();
}
