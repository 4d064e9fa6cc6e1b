/**
 * One seed of agreement: 3 to 7 nodes that were started with one list found a cluster, then a storm
 * in which anything may fail while weights are changed and the dead replaced, then calm, in which
 * all have to be members of one configuration. There is never more than one configuration of a
 * number.
 */
import { seededRandom } from '../../src/base/random.js';
import { startCouncil } from '../../src/cluster/council.js';
import type { Configuration } from '../../src/ring/configuration.js';
import { digestOfConfiguration } from '../../src/ring/configurationCodec.js';
import type { Council, MemoryStore } from '../../src/ring/council.js';
import { foundingOf } from '../../src/ring/founding.js';
import { Echoes } from './echoes.js';
import { Storm } from './faults.js';
import type { Host } from './host.js';
import { addressOf, memberNode } from './memberNode.js';
import type { Report } from './report.js';
import { World } from './world.js';

const FOUNDING_MS = 30_000;
const STORM_MS = 90_000;
const HEALING_MS = 60_000;
const WISH_MS = 1_000;
const REPLACE_AFTER_MS = 15_000;
const FILE = 'cluster.memory';
const TERMS = {
  name: 'sim',
  strategy: 'multi-master',
  partitioner: 'hash',
  replicas: 3,
} as const;

function storeOf({ disk }: Host): MemoryStore {
  return {
    load: () => disk.read(FILE),
    save: (bytes, done) => disk.write(FILE, bytes, () => done()),
  };
}

/** All that any node ever learned. */
class Record {
  readonly violations: string[] = [];
  readonly #digests = new Map<string, string>();
  readonly #clusters = new Set<string>();
  newest: Configuration | undefined;
  /** Whether half of the members or more lost their memories at once; then the history may end. */
  mostLost = false;

  /** Steps that nodes have learned of, each counted for each node. */
  acked = 0;

  learned(id: string, configuration: Configuration, before: Configuration | undefined): void {
    this.acked++;
    const { cluster, number } = configuration;
    const digest = digestOfConfiguration(configuration);
    const known = this.#digests.get(`${cluster}/${number}`) ?? digest;
    if (known !== digest) this.violations.push(`two configurations ${number}`);
    this.#digests.set(`${cluster}/${number}`, digest);
    this.#clusters.add(cluster);
    if (this.#clusters.size > 1 && !this.mostLost) this.violations.push('two clusters');
    if (before?.cluster === cluster && before.number >= number) {
      this.violations.push(`${id} went back to ${number}`);
    }
    const { newest } = this;
    const later = newest?.cluster !== cluster || newest.number < number;
    if (later) this.newest = configuration;
  }
}

/** The run of one seed. */
class CouncilRun {
  readonly #world: World;
  readonly #record = new Record();
  /** Questions beside the agreement, over the same links. */
  readonly #echoes = new Echoes();
  readonly #councils = new Map<Host, Council>();
  readonly #boots = new Map<Host, string>();
  readonly #join: string[];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#world = new World(seed);
    const count = 3 + this.#world.random.below(5);
    const hosts = Array.from({ length: count }, () => this.#world.addHost());
    this.#join = hosts.map(addressOf);
  }

  get #hosts(): Host[] {
    return [...this.#world.hosts.values()];
  }

  #start(host: Host): void {
    host.start(() => {
      const node = memberNode(host, { join: this.#join });
      const { gossip } = node;
      const others = this.#hosts.filter((other) => other !== host).map(({ id }) => id);
      this.#echoes.attach(host, node, () => others);
      const list = this.#join.map((address) => `@${address}`);
      const cluster = Buffer.from(host.random.bytes(8)).toString('hex');
      const founding = foundingOf(list, `@${addressOf(host)}`, cluster, TERMS);
      const { clock, timers, random } = host;
      let known: Configuration | undefined;
      const seated = startCouncil({
        ...{ gossip, founding, clock, timers, random, store: storeOf(host) },
        custody: { replaceAfterMs: REPLACE_AFTER_MS, hasCaughtUp: () => true },
        learned: (configuration) => {
          this.#record.learned(host.id, configuration, known);
          known = configuration;
        },
        refused: () => undefined,
        failed: (error) => this.#record.violations.push(`${host.id}: ${error.message}`),
      });
      this.#councils.set(host, seated.council);
      this.#boots.set(host, seated.council.me.boot);
      gossip.start();
      return {
        stop: () => {
          seated.stop();
          gossip.stop();
        },
      };
    });
  }

  /** A node goes, and perhaps its memory with it: without most of them no step can follow. */
  #onCrash(host: Host, wiped: boolean): void {
    this.#councils.delete(host);
    if (!wiped) return;
    this.#boots.delete(host);
    const members = this.#record.newest?.layout.members ?? [];
    const boots = new Set(this.#boots.values());
    const intact = members.filter(({ boot }) => boots.has(boot)).length;
    if (2 * intact <= members.length) this.#record.mostLost = true;
  }

  #wishAgain(): void {
    const { random, agenda, nowMs } = this.#world;
    const councils = [...this.#councils.values()];
    const id = this.#hosts[random.below(this.#hosts.length)]?.id ?? '';
    const weight = 1 + random.below(4);
    councils[random.below(councils.length)]?.wish({ kind: 'weigh', id, weight });
    if (nowMs < FOUNDING_MS + STORM_MS) agenda.at(nowMs + WISH_MS, () => this.#wishAgain());
  }

  run(): Report {
    const world = this.#world;
    for (const host of this.#hosts) {
      world.agenda.at(world.random.fraction() * 5_000, () => this.#start(host));
    }
    world.run(FOUNDING_MS);
    this.#checkAgreement('founding');
    const storm = new Storm({
      world,
      random: seededRandom(this.#seed ^ 0x2545f491),
      hosts: this.#hosts,
      victims: Math.floor((this.#hosts.length - 1) / 2),
      restart: (host) => this.#start(host),
      onCrash: (host, wiped) => this.#onCrash(host, wiped),
    });
    storm.begin();
    this.#wishAgain();
    world.run(STORM_MS);
    storm.end();
    world.run(HEALING_MS);
    if (!this.#record.mostLost) this.#checkAgreement('the storm');
    return {
      seed: this.#seed,
      nodes: this.#hosts.length,
      acked: this.#record.acked + this.#echoes.acked,
      faultsFired: storm.fired,
      simulatedMs: world.nowMs,
      events: world.agenda.count,
      hash: world.trace.hash,
      violations: [...new Set([...this.#record.violations, ...this.#echoes.violations])],
    };
  }

  /** All are members of one configuration, and know it. */
  #checkAgreement(when: string): void {
    const digests = new Set<string>();
    for (const [host, { configuration, isMember }] of this.#councils) {
      if (!isMember) this.#record.violations.push(`after ${when} ${host.id} is no member`);
      if (configuration !== undefined) digests.add(digestOfConfiguration(configuration));
    }
    if (digests.size !== 1) {
      this.#record.violations.push(`after ${when} there are ${digests.size} configurations`);
    }
  }
}

/** Runs one seed. */
export function runCouncil(seed: number): Report {
  return new CouncilRun(seed).run();
}
