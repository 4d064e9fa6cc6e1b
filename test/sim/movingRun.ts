/**
 * One seed of moving: 5 to 7 nodes with councils and movers, of which some join late, weights that
 * change while clients write at quorum, and a storm. Whenever the moves of a configuration are
 * settled, each write that was acknowledged before has to be with so many of the owners that every
 * majority of them has one who knows it; and each new owner has to have by itself what was
 * acknowledged before anything moved.
 *
 * Real are gossip, its links, the councils and the movers. Stores are maps of versions that survive
 * a crash like a log, and copying is as simple as it can be: whoever takes a write tells all owners
 * of it that its view names then, and nobody else, again and again until they answer.
 *
 * What a node acknowledged that somebody missed during the move is not asked for when that is
 * settled: it may have known nothing of the move (`src/rebalance/hauls.ts` says what is left open).
 */

import { LINK_TOPICS } from '../../src/base/links.js';
import { seededRandom } from '../../src/base/random.js';
import { slotOf } from '../../src/base/slot.js';
import { startCouncil } from '../../src/cluster/council.js';
import type { Gossip } from '../../src/gossip/gossip.js';
import { isPresent } from '../../src/gossip/member.js';
import type { HaulOrder } from '../../src/rebalance/mover.js';
import { Mover } from '../../src/rebalance/mover.js';
import type { Configuration, Layout } from '../../src/ring/configuration.js';
import { digestOfConfiguration } from '../../src/ring/configurationCodec.js';
import type { Council } from '../../src/ring/council.js';
import { foundingOf } from '../../src/ring/founding.js';
import { ownersOf, placementOf } from '../../src/ring/placement.js';
import { ClusterView } from '../../src/ring/view.js';
import { Storm } from './faults.js';
import type { Host } from './host.js';
import { addressOf, memberNode } from './memberNode.js';
import type { Report } from './report.js';
import {
  bytesOf,
  jsonOf,
  keyBytes,
  merge,
  storeOf,
  type Versions,
  versionsIn,
} from './versions.js';
import { World } from './world.js';

const CALM_MS = 20_000;
const STORM_MS = 70_000;
const HEALING_MS = 120_000;
const WRITE_MS = 25;
const CHANGE_MS = 12_000;
const AGAIN_MS = 500;
const ANSWER_MS = 1_000;
const KEYS = 300;
/** Of three founders: when two have lost their memories no step may be able to follow. */
const MOST_WIPES = 2;
const PAGE = 40;
const TERMS = { name: 'sim', strategy: 'multi-master', partitioner: 'hash', replicas: 3 } as const;

/** What runs on a host. */
interface Node {
  readonly host: Host;
  readonly gossip: Gossip;
  readonly view: ClusterView;
  readonly council: Council;
  readonly mover: Mover;
  readonly data: Versions;
}

/** The run of one seed. */
class MovingRun {
  readonly #world: World;
  readonly #seed: number;
  readonly #data = new Map<Host, Versions>();
  readonly #nodes = new Map<Host, Node>();
  readonly #founders: readonly Host[];
  readonly #late: readonly Host[];
  /**
   * The highest version of each key that was acknowledged, and that was while nothing moved, by the
   * clusters in which they were: one that founders make who have all lost their memories promises
   * nothing of what another one had acknowledged.
   */
  readonly #acked = new Map<string, Versions>();
  readonly #calm = new Map<string, Versions>();
  readonly #violations = new Set<string>();
  readonly #settled = new Set<string>();
  readonly #configurations = new Map<string, Configuration>();
  /** By clusters, and of the last one in which there was a step. */
  readonly #newestIn = new Map<string, Configuration>();
  #newest: Configuration | undefined;
  #versions = 0;
  /** Who took each version, and whom somebody missed since nothing moved last. */
  readonly #writers = new Map<number, string>();
  readonly #missed = new Set<string>();
  readonly #excused = new Set<number>();
  /** How often a founder lost its memory. */
  #wipes = 0;
  #acks = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    const count = 5 + this.#world.random.below(3);
    const hosts = Array.from({ length: count }, () => this.#world.addHost());
    this.#founders = hosts.slice(0, 3);
    this.#late = hosts.slice(3);
    for (const host of hosts) this.#data.set(host, new Map());
  }

  #start(host: Host): void {
    host.start(() => {
      const join = this.#founders.map(addressOf);
      const { gossip } = memberNode(host, { join });
      const list = join.map((address) => `@${address}`);
      const own = `@${addressOf(host)}`;
      const cluster = Buffer.from(host.random.bytes(8)).toString('hex');
      const self = list.includes(own) ? own : undefined;
      const founding = foundingOf(list, self, cluster, TERMS);
      const { clock, timers, random } = host;
      const view = new ClusterView();
      view.identify(host.id);
      const look = (): void => {
        const there = new Set(
          gossip
            .members()
            .filter(isPresent)
            .map(({ id }) => id),
        );
        view.setAway([...this.#world.hosts.keys()].filter((id) => !there.has(id)));
      };
      gossip.onChange(look);
      view.onConfiguration(look);
      const data = this.#data.get(host) ?? new Map();
      const seat = startCouncil({
        ...{ gossip, founding, clock, timers, random, store: storeOf(host) },
        custody: { replaceAfterMs: 1e9, hasCaughtUp: () => true },
        learned: (configuration) => {
          this.#learned(configuration);
          view.learn(this.#shared(configuration));
        },
        refused: () => undefined,
        failed: (error) => this.#violations.add(`${host.id}: ${error.message}`),
      });
      const { council } = seat;
      const mover = new Mover({
        ...{
          view,
          timers,
          clock,
          boot: gossip.self.boot,
          links: gossip.links,
          topic: LINK_TOPICS.rebalance,
        },
        haul: (order) => this.#haul(host, gossip, data, order),
        // Stores survive here.
        isLacking: () => false,
        isSteward: () => seat.isSteward,
        settle: (number) => council.wish({ kind: 'settle', number }),
        told: () => undefined,
        bytesPerSecond: 20_000,
      });
      this.#serve(gossip, data);
      this.#nodes.set(host, { host, gossip, view, council, mover, data });
      mover.start();
      gossip.start();
      const stop = (): void => {
        mover.stop();
        seat.stop();
        gossip.stop();
        this.#nodes.delete(host);
      };
      return { stop };
    });
  }

  /** Nodes that hold the same configuration hold one object: what follows from it is known. */
  #shared(configuration: Configuration): Configuration {
    const digest = digestOfConfiguration(configuration);
    const known = this.#configurations.get(digest) ?? configuration;
    this.#configurations.set(digest, known);
    return known;
  }

  /** Takes copies, and shows what there is, page by page. */
  #serve({ links }: Gossip, data: Versions): void {
    links.serve(LINK_TOPICS.replication, (_, body, reply) => {
      const [key, version, from] = jsonOf<[string, number, number]>(body);
      if (key !== '') {
        merge(data, key, version);
        reply(bytesOf(true));
        return;
      }
      const keys = [...data.keys()].sort().slice(from, from + PAGE);
      reply(bytesOf(keys.map((one) => [one, data.get(one)])));
    });
  }

  #haul(host: Host, { links }: Gossip, data: Versions, order: HaulOrder): void {
    const { source, goesOn, isWanted, onPage, done } = order;
    const next = (cursor: bigint): void => {
      const ask = bytesOf(['', 0, Number(cursor)]);
      links.request(source, LINK_TOPICS.replication, ask, ANSWER_MS, (answer) => {
        if (!goesOn() || answer === undefined) {
          done({ complete: false, cursor });
          return;
        }
        const page = jsonOf<[string, number][]>(answer);
        const wanted = page.filter(([key]) => isWanted(keyBytes(key)));
        const items = wanted.filter(([key, version]) => merge(data, key, version)).length;
        const after = cursor + BigInt(page.length);
        const pauseMs = onPage({ cursor: after, items, bytes: 100 * items });
        if (page.length < PAGE) done({ complete: true, cursor: 0n });
        else host.timers.after(pauseMs, () => next(after));
      });
    };
    // Keys that come in between shift the pages, so an interrupted haul begins anew.
    next(0n);
  }

  /** A client writes at quorum, through any node that owns the key. */
  #write(): void {
    const { random } = this.#world;
    const nodes = [...this.#nodes.values()];
    for (const { view } of nodes) for (const id of view.away) this.#missed.add(id);
    const node = nodes[random.below(nodes.length)];
    if (node === undefined) return;
    const key = `k${random.below(KEYS)}`;
    const owners = node.view.route(keyBytes(key));
    if (!owners.some(({ id }) => id === node.host.id)) return;
    const version = ++this.#versions;
    this.#writers.set(version, node.host.id);
    merge(node.data, key, version);
    this.#copy(node, key, version, new Set([node.host.id]));
  }

  /** Tells owners of a write that have not answered yet, and again later. */
  #copy(
    node: Node,
    key: string,
    version: number,
    known: Set<string>,
    groups = node.view.groupsOf(keyBytes(key)),
  ): void {
    if (this.#nodes.get(node.host) !== node) return;
    const under = node.view.configuration?.cluster ?? '';
    const check = (): void => {
      const isQuorum = groups.every((group) => {
        return 2 * group.filter(({ id }) => known.has(id)).length > group.length;
      });
      const { cluster } = node.view.configuration ?? {};
      if (!isQuorum || groups.length === 0 || cluster !== under) return;
      if (groups.length === 1) merge(versionsIn(this.#calm, under), key, version);
      if (merge(versionsIn(this.#acked, under), key, version)) this.#acks++;
    };
    const lacking = new Set(
      groups
        .flat()
        .map(({ id }) => id)
        .filter((id) => !known.has(id)),
    );
    check();
    for (const id of lacking) {
      const body = bytesOf([key, version, 0]);
      node.gossip.links.request(id, LINK_TOPICS.replication, body, ANSWER_MS, (answer) => {
        if (answer === undefined) return;
        known.add(id);
        check();
      });
    }
    const isNew = (data: number | undefined): boolean => (data ?? 0) <= version;
    if (lacking.size === 0 || !isNew(node.data.get(key))) return;
    node.host.timers.after(AGAIN_MS + ANSWER_MS, () =>
      this.#copy(node, key, version, known, groups),
    );
  }

  #learned(configuration: Configuration): void {
    const { cluster, number, leaving } = configuration;
    const newest = this.#newestIn.get(cluster);
    if (newest !== undefined && newest.number >= number) return;
    const isSettled = newest?.leaving !== undefined && leaving === undefined;
    this.#newestIn.set(cluster, configuration);
    this.#newest = configuration;
    const name = `${cluster}/${number}`;
    if (!isSettled || this.#settled.has(name)) return;
    this.#settled.add(name);
    this.#check(configuration);
    this.#checkNewOwners(configuration, newest?.leaving);
    this.#missed.clear();
  }

  /** Whether who took a version was missed by somebody while something moved. */
  #isExcused(version: number): boolean {
    if (this.#missed.has(this.#writers.get(version) ?? '')) this.#excused.add(version);
    return this.#excused.has(version);
  }

  /** Every majority of the owners of a key has one who knows what was acknowledged. */
  #check({ cluster, layout, partitioner, number }: Configuration): void {
    const placement = placementOf(layout, partitioner);
    const view = [...this.#nodes.values()].find((node) => node.view.configuration !== undefined);
    for (const [key, version] of this.#acked.get(cluster) ?? []) {
      const partition = view?.view.partitionOf(keyBytes(key)) ?? 0;
      const owners = ownersOf(placement, partition);
      const knowing = owners.filter(({ id }) => {
        return (this.#data.get(this.#world.host(id))?.get(key) ?? 0) >= version;
      });
      if (2 * knowing.length >= owners.length + (owners.length % 2)) continue;
      if (this.#isExcused(version)) continue;
      this.#violations.add(`settled ${number} without version ${version} of ${key}`);
    }
  }

  /** Whoever is new has what was acknowledged before anything moved. */
  #checkNewOwners({ cluster, layout, partitioner, number }: Configuration, former?: Layout): void {
    if (former === undefined) return;
    const [now, before] = [placementOf(layout, partitioner), placementOf(former, partitioner)];
    for (const [key, version] of this.#calm.get(cluster) ?? []) {
      const partition = slotOf(keyBytes(key));
      const old = new Set(ownersOf(before, partition).map(({ id }) => id));
      for (const { id } of ownersOf(now, partition)) {
        if (old.has(id)) continue;
        const has = this.#data.get(this.#world.host(id))?.get(key) ?? 0;
        if (has < version && !this.#isExcused(version))
          this.#violations.add(`settled ${number}, and a new owner lacks ${key}`);
      }
    }
  }

  #checkEnd(nodes: number): void {
    if (this.#newest?.leaving !== undefined) this.#violations.add('moves are never settled');
    if (this.#newest?.layout.members.length === nodes) return;
    this.#violations.add('not all nodes are members');
  }

  #writeAgain(untilMs: number): void {
    const { agenda, nowMs } = this.#world;
    this.#write();
    if (nowMs < untilMs) agenda.at(nowMs + WRITE_MS, () => this.#writeAgain(untilMs));
  }

  #changeAgain(untilMs: number): void {
    const { agenda, nowMs, random } = this.#world;
    const nodes = [...this.#nodes.values()];
    const { council } = nodes[random.below(Math.max(1, nodes.length))] ?? {};
    const ids = [...this.#world.hosts.keys()];
    const id = ids[random.below(ids.length)] ?? '';
    council?.wish({ kind: 'weigh', id, weight: 1 + random.below(3) });
    if (nowMs < untilMs) agenda.at(nowMs + CHANGE_MS, () => this.#changeAgain(untilMs));
  }

  run(): Report {
    const world = this.#world;
    const hosts = [...world.hosts.values()];
    for (const host of this.#founders) {
      world.agenda.at(world.random.fraction() * 2_000, () => this.#start(host));
    }
    for (const host of this.#late) {
      const atMs = CALM_MS / 2 + world.random.fraction() * STORM_MS;
      world.agenda.at(atMs, () => this.#start(host));
    }
    world.run(CALM_MS / 2);
    this.#writeAgain(CALM_MS + STORM_MS);
    world.run(CALM_MS / 2);
    const storm = new Storm({
      ...{ world, hosts: this.#founders, victims: 1 },
      random: seededRandom(this.#seed ^ 0x2545f491),
      restart: (host) => this.#start(host),
      onCrash: (_, wiped) => {
        if (wiped) this.#wipes++;
      },
    });
    storm.begin();
    this.#changeAgain(CALM_MS + STORM_MS);
    world.run(STORM_MS);
    storm.end();
    world.run(HEALING_MS);
    if (this.#wipes < MOST_WIPES) this.#checkEnd(hosts.length);
    return {
      seed: this.#seed,
      nodes: hosts.length,
      acked: this.#acks,
      faultsFired: { ...storm.fired, settled: this.#settled.size },
      simulatedMs: world.nowMs,
      events: world.agenda.count,
      hash: world.trace.hash,
      violations: [...this.#violations],
    };
  }
}

/** Runs one seed. */
export function runMoving(seed: number): Report {
  return new MovingRun(seed).run();
}
