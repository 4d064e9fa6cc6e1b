/**
 * One seed of led replication, `primary-replica` or `chain`: 3 to 5 nodes, one of which is cut off
 * and passed over by a step that it does not learn of, again and again, while clients go on writing
 * at all of them. When it is back it first tells what it has, and only then learns the step.
 *
 * - No node in good standing goes back to what was made under a lower epoch.
 * - In a chain a change that is acknowledged is with all in good standing at that moment, and a
 *   read that begins later sees it or something newer.
 * - In the end whoever was passed over has told nobody of what it made alone.
 *
 * The steps are given, not agreed: agreement has a scenario of its own.
 */
import { STATUS } from '../../src/protocol/status.js';
import { FLAG_WITH_META, LEVEL_ONE, OP_GET, OP_SET } from '../../src/protocol/wire.js';
import { applied } from '../../src/ring/change.js';
import type { Configuration, Strategy } from '../../src/ring/configuration.js';
import { DataNode } from './dataNode.js';
import type { Host } from './host.js';
import { GOSSIP_PORT } from './memberNode.js';
import { configurationOf } from './members.js';
import type { Report } from './report.js';
import { World } from './world.js';

const STEP_MS = 20;
const LOOK_MS = 50;
const KEYS = 30;
const DEADLINE_MS = 1_000;

class LeadingRun {
  readonly #seed: number;
  readonly #world: World;
  readonly #strategy: Strategy;
  readonly #hosts: readonly Host[];
  readonly #nodes = new Map<string, DataNode>();
  readonly #violations = new Set<string>();
  /** The highest epoch of what a node was seen to have of a key. */
  readonly #seen = new Map<string, number>();
  /** The highest version of a key that was acknowledged in a chain. */
  readonly #acked = new Map<string, bigint>();
  readonly #faults = { cut: 0, passedOver: 0, alone: 0 };
  #newest: Configuration;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    this.#strategy = seed % 2 === 0 ? 'chain' : 'primary-replica';
    const count = 3 + this.#world.random.below(3);
    this.#hosts = Array.from({ length: count }, () => this.#world.addHost());
    this.#newest = configurationOf(this.#hosts, 1, this.#strategy);
    for (const host of this.#hosts) {
      host.start(() => {
        const node = new DataNode(host, this.#newest, undefined);
        node.view.confirm(1);
        this.#nodes.set(host.id, node);
        return node;
      });
    }
  }

  #isStanding(id: string): boolean {
    const member = this.#newest.layout.members.find((one) => one.id === id);
    return member?.passedOver === false;
  }

  #standing(): DataNode[] {
    return [...this.#nodes].filter(([id]) => this.#isStanding(id)).map(([, node]) => node);
  }

  #work(untilMs: number): void {
    const { random, agenda, nowMs } = this.#world;
    for (const node of this.#nodes.values()) {
      const key = this.#keyFor(node);
      if (random.below(3) > 0) this.#set(node, key);
      else if (this.#strategy === 'chain') this.#get(node, key);
    }
    this.#look();
    if (nowMs + STEP_MS < untilMs) agenda.at(nowMs + STEP_MS, () => this.#work(untilMs));
  }

  /** A key that the node leads, if one is found soon. */
  #keyFor({ view }: DataNode): string {
    const { random } = this.#world;
    const keys = Array.from({ length: 6 }, () => `k${random.below(KEYS)}`);
    return keys.find((key) => view.mayDo('write', Buffer.from(key))) ?? (keys[0] as string);
  }

  #set(node: DataNode, key: string): void {
    const value = `${this.#epochOf(node)} ${this.#count}`;
    const leads = node.view.mayDo('write', Buffer.from(key));
    const request = { opcode: OP_SET, flags: FLAG_WITH_META, key, value, level: LEVEL_ONE };
    // What is passed on is made under the epoch of another node.
    if (!leads) return;
    node.ask({ ...request, deadlineMs: DEADLINE_MS }, (answer) => {
      if (answer.status !== STATUS.OK) return;
      this.#count++;
      const { self } = node.view;
      if (!this.#isStanding(self)) this.#faults.alone++;
      if (this.#strategy === 'chain') this.#checkChain(node, key, answer.version() ?? 0n);
    });
  }

  #checkChain(node: DataNode, key: string, version: bigint): void {
    const chain = node.view.chainOf(Buffer.from(key));
    if (version > (this.#acked.get(key) ?? 0n)) this.#acked.set(key, version);
    const lacking = chain.filter(({ id }) => {
      return (this.#nodes.get(id)?.holds(key).version ?? 0n) < version;
    });
    if (lacking.length > 0)
      this.#violations.add('a change was acknowledged before the tail had it');
  }

  #get(node: DataNode, key: string): void {
    const least = this.#acked.get(key) ?? 0n;
    const request = { opcode: OP_GET, flags: FLAG_WITH_META, key, level: LEVEL_ONE };
    // Who is cut off may tell what was so until then.
    if (this.#epochOf(node) !== this.#newest.epoch) return;
    node.ask({ ...request, deadlineMs: DEADLINE_MS }, (answer) => {
      if (answer.status !== STATUS.OK && answer.status !== STATUS.NOT_FOUND) return;
      this.#count++;
      if ((answer.version() ?? 0n) >= least) return;
      this.#violations.add('a read in a chain saw something older than was acknowledged');
    });
  }

  #epochOf(node: DataNode): number {
    return node.view.configuration?.epoch ?? 0;
  }

  /** Sees what everybody in good standing has. */
  #look(): void {
    for (const node of this.#standing()) {
      for (let n = 0; n < KEYS; n++) this.#see(node, `k${n}`);
    }
  }

  #see(node: DataNode, key: string): void {
    const { status, value } = node.holds(key);
    if (status !== STATUS.OK) return;
    const epoch = Number(value.split(' ')[0]);
    const place = `${node.view.self} ${key}`;
    const before = this.#seen.get(place) ?? 0;
    if (epoch < before) this.#violations.add('what was made under a lower epoch took its place');
    this.#seen.set(place, Math.max(before, epoch));
  }

  /** Has a node learn the newest step. */
  #tell(id: string): void {
    this.#nodes.get(id)?.view.learn(this.#newest);
  }

  /** Cuts a node off, passes it over, and lets it come back before it learns of that. */
  #depose(host: Host): void {
    const { random, network, agenda } = this.#world;
    const others = this.#hosts.filter((one) => one !== host);
    host.skewMs = random.below(400);
    for (const { address } of others) {
      network.cut(`${host.address}:${GOSSIP_PORT}`, `${address}:${GOSSIP_PORT}`);
      network.cut(`${address}:${GOSSIP_PORT}`, `${host.address}:${GOSSIP_PORT}`);
    }
    this.#faults.cut++;
    this.#world.run(500 + random.below(2_000));
    this.#newest = applied(this.#newest, { kind: 'pass', id: host.id, passedOver: true });
    this.#faults.passedOver++;
    for (const { id } of others) {
      agenda.at(this.#world.nowMs + random.below(300), () => this.#tell(id));
    }
    this.#world.run(400);
    this.#confirm();
    this.#world.run(2_000 + random.below(2_000));
    network.mend();
    this.#world.run(1_000 + random.below(2_000));
    this.#tell(host.id);
    host.skewMs = 0;
    this.#world.run(2_000);
  }

  /** What `src/rebalance/standing.ts` does by asking. */
  #confirm(): void {
    const { number } = this.#newest;
    const standing = this.#standing();
    const waits = standing.some((node) => {
      const others = standing.filter((other) => other !== node);
      return others.some(({ view }) => !node.hasDelivered(view.self, number));
    });
    if (waits) this.#world.agenda.at(this.#world.nowMs + LOOK_MS, () => this.#confirm());
    else for (const { view } of standing) view.confirm(number);
  }

  run(): Report {
    const world = this.#world;
    world.run(3_000);
    this.#work(world.nowMs + 30_000);
    world.run(3_000);
    const rounds = Math.max(1, this.#hosts.length - 3);
    const victims = this.#hosts.slice(0, rounds);
    for (const host of victims) this.#depose(host);
    world.run(10_000);
    this.#look();
    for (const node of this.#nodes.values()) node.stop();
    // In a chain nobody alone is told that anything is done.
    const { alone, ...others } = this.#faults;
    const faultsFired = this.#strategy === 'chain' ? others : { ...others, alone };
    return {
      ...{ seed: this.#seed, nodes: this.#hosts.length, acked: this.#count },
      ...{ faultsFired, simulatedMs: world.nowMs, events: world.agenda.count },
      ...{ hash: world.trace.hash, violations: [...this.#violations] },
    };
  }
}

/** Runs one seed. */
export function runLeading(seed: number): Report {
  return new LeadingRun(seed).run();
}
