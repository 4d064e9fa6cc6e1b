/**
 * One seed of membership: 3 to 7 nodes form a cluster, then a storm in which anything may fail and
 * nothing may be violated, then calm, in which they must come to agree and stay in agreement.
 */
import { seededRandom } from '../../src/base/random.js';
import { isPresent, type Member, type MemberState } from '../../src/gossip/member.js';
import { Echoes } from './echoes.js';
import { Storm } from './faults.js';
import type { Host } from './host.js';
import { addressOf, type MemberNode, memberNode } from './memberNode.js';
import { Replayer } from './replayer.js';
import type { Report } from './report.js';
import { World } from './world.js';

const FOUNDING_MS = 20_000;
/** The share of seeds with a key: sealing is most of what they cost. */
const SEALED = 0.3;
const STORM_MS = 90_000;
/** How long calm may take to bring agreement. */
const HEALING_MS = 45_000;
const QUIET_MS = 30_000;
/** How long everybody has to learn of a death. */
const DYING_MS = 10_000;

/** Watches what nodes believe while they run. */
class Watch {
  readonly violations: string[] = [];
  /** Changes of any node's view. */
  changes = 0;
  readonly #highest = new Map<string, number>();
  readonly #left = new Set<string>();

  /** A member has said goodbye under this boot. */
  left(boot: string): void {
    this.#left.add(boot);
  }

  /** Watches one node. */
  attach({ gossip, boot }: MemberNode): void {
    gossip.onChange((member, before) => this.#changed(gossip.self, boot, member, before));
  }

  #changed(self: Member, boot: string, member: Member, _before: MemberState | undefined): void {
    this.changes++;
    if (member.id === self.id && (member.state === 'dead' || member.state === 'suspect')) {
      this.violations.push(`${self.id} believes itself ${member.state}`);
    }
    const key = `${boot}/${member.id}`;
    const highest = this.#highest.get(key) ?? 0;
    if (member.incarnation < highest) {
      this.violations.push(`${self.id} went back to an earlier incarnation of ${member.id}`);
    }
    this.#highest.set(key, Math.max(highest, member.incarnation));
    if (this.#left.has(member.boot) && member.state === 'dead') {
      this.violations.push(`${self.id} holds ${member.id} to be dead, which has left`);
    }
  }
}

/** The run of one seed. */
class MembershipRun {
  readonly #world: World;
  readonly #watch = new Watch();
  readonly #echoes = new Echoes();
  readonly #nodes = new Map<Host, MemberNode>();
  readonly #key: Uint8Array | undefined;
  readonly #join: string[];
  /** In half of the seeds nodes have the list only for a while, and must find back without it. */
  readonly #joinForMs: number | undefined;
  readonly #seed: number;
  readonly #replayer: Replayer | undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    const { random } = this.#world;
    const count = 3 + random.below(5);
    const hosts = Array.from({ length: count }, () => this.#world.addHost());
    this.#key = random.fraction() < SEALED ? random.bytes(32) : undefined;
    const seeds = 1 + random.below(count);
    this.#join = hosts.slice(0, seeds).map(addressOf);
    this.#joinForMs = random.fraction() < 0.5 ? FOUNDING_MS : undefined;
    if (this.#key !== undefined) this.#replayer = new Replayer(this.#world, seed);
  }

  get #hosts(): Host[] {
    return [...this.#world.hosts.values()];
  }

  #start(host: Host): void {
    host.start(() => {
      const options = { join: this.#join, joinForMs: this.#joinForMs, key: this.#key };
      const node = memberNode(host, options);
      this.#watch.attach(node);
      const others = this.#hosts.filter((other) => other !== host).map(({ id }) => id);
      this.#echoes.attach(host, node, () => others);
      this.#nodes.set(host, node);
      this.#replayer?.attach(host, node);
      node.gossip.start();
      return node;
    });
  }

  run(): Report {
    const world = this.#world;
    for (const host of this.#hosts) {
      world.agenda.at(world.random.fraction() * 5_000, () => this.#start(host));
    }
    world.run(FOUNDING_MS);
    const storm = this.#storm();
    storm.begin();
    this.#replayer?.begin();
    world.run(STORM_MS);
    storm.end();
    this.#replayer?.end();
    world.run(HEALING_MS);
    this.#checkAgreement();
    this.#checkQuiet();
    this.#checkLeaving();
    this.#checkDeath();
    return this.#report(storm);
  }

  #storm(): Storm {
    return new Storm({
      world: this.#world,
      random: seededRandom(this.#seed ^ 0x165667b1),
      hosts: this.#hosts,
      victims: Math.floor((this.#hosts.length - 1) / 2),
      restart: (host) => this.#start(host),
      onCrash: (host) => this.#nodes.delete(host),
    });
  }

  /** Every node sees every node, as it was started last, alive, and what it says of itself. */
  #checkAgreement(): void {
    for (const [host, { gossip }] of this.#nodes) {
      for (const [other, { gossip: theirs }] of this.#nodes) {
        const seen = gossip.member(other.id);
        const { boot, incarnation } = theirs.self;
        if (seen?.state === 'alive' && seen.boot === boot && seen.incarnation === incarnation) {
          continue;
        }
        const what = seen === undefined ? 'unknown' : `${seen.state} at ${seen.incarnation}`;
        this.#watch.violations.push(`after the storm ${other.id} is ${what} to ${host.id}`);
      }
    }
  }

  /** In calm nobody changes its mind. */
  #checkQuiet(): void {
    const before = this.#watch.changes;
    this.#world.run(QUIET_MS);
    const changes = this.#watch.changes - before;
    if (changes > 0) this.#watch.violations.push(`${changes} changes of view in calm`);
  }

  /** A node that leaves has left for everybody, and is not taken for dead. */
  #checkLeaving(): void {
    const [first] = this.#nodes;
    if (first === undefined) return;
    const [host, { gossip, boot }] = first;
    this.#watch.left(boot);
    gossip.leave(() => {
      this.#nodes.delete(host);
      host.crash(false);
    });
    this.#world.run(10_000);
    for (const [other, node] of this.#nodes) {
      const seen = node.gossip.member(host.id);
      if (seen === undefined || isPresent(seen) || seen.state === 'dead') {
        this.#watch.violations.push(`${host.id} left, and is ${seen?.state} to ${other.id}`);
      }
    }
  }

  /** A node that is killed is dead for everybody, and soon. */
  #checkDeath(): void {
    const [first] = this.#nodes;
    if (first === undefined) return;
    const [host] = first;
    this.#nodes.delete(host);
    host.crash(false);
    this.#world.run(DYING_MS);
    for (const [other, { gossip }] of this.#nodes) {
      const state = gossip.member(host.id)?.state;
      if (state === 'dead') continue;
      this.#watch.violations.push(`${host.id} was killed, and is ${state} to ${other.id}`);
    }
  }

  #report({ fired }: Storm): Report {
    const world = this.#world;
    const violations = [
      ...this.#watch.violations,
      ...this.#echoes.violations,
      ...(this.#replayer?.violations ?? []),
    ];
    const replayed = this.#replayer === undefined ? {} : { replay: this.#replayer.sent };
    return {
      seed: this.#seed,
      nodes: this.#hosts.length,
      acked: this.#echoes.acked,
      faultsFired: { ...fired, ...replayed },
      simulatedMs: world.nowMs,
      events: world.agenda.count,
      hash: world.trace.hash,
      violations: [...new Set(violations)],
    };
  }
}

/** Runs one seed. */
export function runMembership(seed: number): Report {
  return new MembershipRun(seed).run();
}
