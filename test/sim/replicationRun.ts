/**
 * One seed of replication: 3 to 7 nodes, each key with three owners, and clients at all of them,
 * through a storm in which the network, the clocks and the nodes may fail, and then in calm.
 *
 * - A change that is acknowledged at `quorum` is with a majority of its owners at that moment.
 * - A read at `quorum` sees what was acknowledged at `quorum` before it began, or something newer.
 * - What is refused in a way that says that nothing was changed is never seen by anybody (but for
 *   seeds in which frames come twice, as they do over no real link).
 * - A read of a session at `one`, on any node, sees what the session has written at `one`.
 * - In the end all owners of a key have the same of it, and nothing older than was acknowledged,
 *   also where what was acknowledged last has expired meanwhile.
 *
 * A node that crashes comes back with its store, as if its log had every change, but without what
 * it was about to tell others; that is for repair. One that comes back with nothing takes what only
 * it had acknowledged at `one` with it, but nothing that was acknowledged at `quorum` may be missed
 * by reads then or be gone in the end. Only in some seeds another one may lose everything before
 * that one counts as an owner again; these promise that in the end all count.
 */
import { seededRandom } from '../../src/base/random.js';
import { timeOf } from '../../src/net/peers/clocks.js';
import { STATUS } from '../../src/protocol/status.js';
import {
  FLAG_TTL,
  FLAG_WITH_META,
  LEVEL_ONE,
  LEVEL_QUORUM,
  OP_DELETE,
  OP_GET,
  OP_SET,
} from '../../src/protocol/wire.js';
import type { Configuration } from '../../src/ring/configuration.js';
import { ClusterView } from '../../src/ring/view.js';
import { ambush } from './ambush.js';
import { DataNode } from './dataNode.js';
import { type Fault, SKEW_MAX_MS, Storm } from './faults.js';
import type { Host } from './host.js';
import { configurationOf } from './members.js';
import type { Report } from './report.js';
import { TRAVELLED, Traveller } from './traveller.js';
import { World } from './world.js';

const SETTLING_MS = 3_000;
const STORM_MS = 40_000;
const HEALING_MS = 40_000;
const STEP_MS = 25;
const KEYS = 40;
const REPLICAS = 3;
/** So long an ambush takes. */
const AMBUSH_MS = 4_000;
/** In storms with repair, ambushes are laid at these times. */
const AMBUSHES_MS = [4_000, 16_000, 28_000];
const DEADLINE_MS = 2_000;
/** The longest life of what is set briefly. */
const BRIEF_MS = 5_000;
const MAX_SKEW_MS = 500;
/** So that each seed has time for several. */
const DOWN_MAX_MS = 12_000;
/** Changes that a node takes whose clock has just jumped. */
const BURST = 8;
const KINDS: readonly Fault[] = [
  ...(['loss', 'duplication', 'clogging', 'oneWay'] as const),
  ...(['partition', 'pause', 'skew'] as const),
];
/** Not the configuration in which the cluster was founded: nobody has lost anything in that. */
const FOLLOWS = 2;
const CRASHES: readonly Fault[] = ['crash', 'wipe'];

class ReplicationRun {
  readonly #seed: number;
  readonly #world: World;
  readonly #nodes = new Map<string, DataNode>();
  /** Who is down and comes back with nothing. */
  readonly #wiped = new Set<string>();
  readonly #hosts: Host[];
  /** Every fifth seed has nodes that mind their clocks. */
  readonly #maxSkewMs: number | undefined;
  /** Nodes whose clock was wrong at some time. */
  readonly #wasOff = new Set<string>();
  readonly #view = new ClusterView();
  readonly #violations: string[] = [];
  /** The highest version of each key that was acknowledged, and that was at `quorum`. */
  readonly #acked = new Map<string, bigint>();
  readonly #quorum = new Map<string, bigint>();
  readonly #travellers = [1, 2].map(() => new Traveller());
  readonly #configuration: Configuration;
  /**
   * Every other seed has repair and crashes. In the rest what is told, kept and told again has to
   * be enough: repair makes up for it where it is not.
   */
  readonly #repairs: boolean;
  #count = 0;
  /** Counts changes: the value of each begins with its number. */
  #sets = 0;
  readonly #refused = new Set<string>();
  readonly #seen = new Set<string>();
  /** Frames come twice, as over no real link: what was refused may be taken the second time. */
  #repeats = false;
  #hinted = false;
  /** How often a node lost everything, and how often of those in an ambush. */
  #wipes = 0;
  #ambushes = 0;
  /** In every eighth seed nodes lose everything whether or not others have recovered from that. */
  readonly #isHarsh: boolean;
  /** Two had lost everything at one time. */
  #lostTwice = false;

  constructor(seed: number) {
    this.#seed = seed;
    this.#maxSkewMs = seed % 5 === 0 ? MAX_SKEW_MS : undefined;
    this.#repairs = seed % 2 === 0;
    this.#isHarsh = seed % 8 === 0;
    this.#world = new World(seed);
    const count = 3 + this.#world.random.below(this.#repairs ? 5 : 3);
    this.#hosts = Array.from({ length: count }, () => this.#world.addHost());
    this.#configuration = configurationOf(this.#hosts, FOLLOWS);
    this.#view.identify('nobody');
    this.#view.learn(this.#configuration);
    for (const host of this.#hosts) this.#start(host);
  }

  #ownersOf(key: string): DataNode[] {
    const [group = []] = this.#view.groupsOf(Buffer.from(key));
    return group.flatMap(({ id }) => this.#nodes.get(id) ?? []);
  }

  #start(host: Host): void {
    host.start(() => {
      const store = this.#nodes.get(host.id)?.store;
      const lacking = this.#wiped.delete(host.id);
      const known = [this.#configuration, this.#maxSkewMs, this.#repairs] as const;
      const node = new DataNode(host, ...known, store, lacking);
      this.#nodes.set(host.id, node);
      return node;
    });
  }

  /** Whether somebody does not count who has lost everything, or is down since. */
  get #hasLacking(): boolean {
    const lacks = [...this.#nodes.values()].some(({ isLacking }) => isLacking);
    return lacks || this.#wiped.size > 0;
  }

  get #mayWipe(): boolean {
    return this.#isHarsh || !this.#hasLacking;
  }

  /** Has one owner lack a change that another one then loses. */
  #ambush(untilMs: number): void {
    const world = this.#world;
    const parts = {
      ...{ world, restart: (host: Host) => this.#start(host), mayWipe: () => this.#mayWipe },
      ownersOf: (key: string) => this.#ownersOf(key).map(({ view }) => world.host(view.self)),
      nodeOf: ({ id }: Host) => this.#nodes.get(id),
      set: (node: DataNode, key: string) => this.#set(node, key, LEVEL_QUORUM),
      get: (node: DataNode, key: string) => this.#get(node, key),
      wipe: (host: Host) => {
        this.#ambushes++;
        this.#onCrash(host, true);
        host.crash(true);
      },
    };
    ambush(parts, `s${world.random.below(KEYS)}`, untilMs);
  }

  /** What a node had that is down counts as long as it is not lost. */
  #onCrash(host: Host, wiped: boolean): void {
    if (!wiped) return;
    this.#wipes++;
    this.#lostTwice ||= this.#hasLacking;
    this.#wiped.add(host.id);
    this.#nodes.delete(host.id);
  }

  #note(known: Map<string, bigint>, key: string, version: bigint): void {
    if (version > (known.get(key) ?? 0n)) known.set(key, version);
  }

  #step(): void {
    const { random } = this.#world;
    for (const { id, running } of this.#hosts) {
      const node = this.#nodes.get(id);
      if (node === undefined || !running) continue;
      const key = `${random.below(KEYS)}`;
      const level = random.below(2) === 0 ? LEVEL_ONE : LEVEL_QUORUM;
      const kind = random.below(12);
      if (kind < 5) this.#set(node, `s${key}`, level);
      else if (kind < 7) this.#get(node, `s${key}`);
      else if (kind < 9) this.#set(node, `d${key}`, level);
      else if (kind < 10) this.#delete(node, `d${key}`, level);
      else this.#setBriefly(node, `e${key}`, level);
    }
    for (const traveller of this.#travellers) this.#travel(traveller);
  }

  #travel(traveller: Traveller): void {
    const { random } = this.#world;
    const host = this.#hosts[random.below(this.#hosts.length)];
    const node = host?.running === true ? this.#nodes.get(host.id) : undefined;
    if (node === undefined) return;
    traveller.ask(node, random, {
      answered: () => this.#count++,
      wrote: (key, version) => this.#note(this.#acked, key, version),
      missed: () => {
        if (this.#wipes > 0) return;
        this.#violations.push('a session does not see what it has written');
      },
    });
  }

  /** A node whose clock has jumped takes changes before it can know. */
  #burst({ id, running }: Host): void {
    const node = running && this.#maxSkewMs !== undefined ? this.#nodes.get(id) : undefined;
    if (node === undefined) return;
    for (let n = 0; n < BURST; n++) this.#set(node, `s${n}`, LEVEL_ONE);
  }

  #set(node: DataNode, key: string, level: number): void {
    const name = `${this.#sets++}`;
    const value = `${name} ${'v'.repeat(this.#world.random.below(300))}`;
    const request = { opcode: OP_SET, flags: FLAG_WITH_META, key, value, level };
    node.ask({ ...request, deadlineMs: DEADLINE_MS }, (answer) => {
      if (answer.status !== STATUS.OK) {
        if (answer.status !== STATUS.UNDECIDED) this.#refuse(name);
        return;
      }
      this.#count++;
      const version = answer.version() ?? 0n;
      this.#note(this.#acked, key, version);
      if (level === LEVEL_QUORUM) this.#checkMajority(key, version);
    });
  }

  /** Sets a key for some seconds, or for good: an overwrite that somebody missed may end first. */
  #setBriefly(node: DataNode, key: string, level: number): void {
    const { random } = this.#world;
    const isBrief = random.below(3) > 0;
    const flags = FLAG_WITH_META | (isBrief ? FLAG_TTL : 0);
    const brief = isBrief ? { ttlMs: 1 + random.below(BRIEF_MS) } : {};
    const request = { opcode: OP_SET, flags, key, value: 'v', level, ...brief };
    node.ask({ ...request, deadlineMs: DEADLINE_MS }, (answer) => {
      if (answer.status !== STATUS.OK) return;
      this.#count++;
      this.#note(this.#acked, key, answer.version() ?? 0n);
    });
  }

  #refuse(name: string): void {
    if (this.#repeats) return;
    this.#refused.add(name);
    if (this.#seen.has(name)) this.#violations.push('what was refused had been seen');
  }

  /** Somebody has a value. */
  #see(value: string): void {
    const [name = ''] = value.split(' ');
    this.#seen.add(name);
    if (this.#refused.has(name)) this.#violations.push('what was refused is there');
  }

  #checkMajority(key: string, version: bigint): void {
    this.#note(this.#quorum, key, version);
    const owners = this.#ownersOf(key);
    const have = owners.filter((owner) => owner.holds(key).version >= version).length;
    if (2 * have > REPLICAS || this.#wipes > 0) return;
    this.#violations.push(`a change was acknowledged at quorum that ${have} owners have`);
  }

  #delete(node: DataNode, key: string, level: number): void {
    const request = { opcode: OP_DELETE, key, level, deadlineMs: DEADLINE_MS };
    node.ask(request, (answer) => {
      if (answer.status === STATUS.OK) this.#count++;
    });
  }

  /** Reads a key that is never deleted. */
  #get(node: DataNode, key: string): void {
    const least = this.#quorum.get(key) ?? 0n;
    const request = { opcode: OP_GET, flags: FLAG_WITH_META, key, level: LEVEL_QUORUM };
    node.ask({ ...request, deadlineMs: DEADLINE_MS }, (answer) => {
      const told = answer.status === STATUS.OK || answer.status === STATUS.NOT_FOUND;
      if (!told) return;
      this.#count++;
      this.#see(Buffer.from(answer.body()).toString('latin1'));
      if ((answer.version() ?? 0n) >= least || this.#lostTwice) return;
      this.#violations.push('a read at quorum saw something older than what was acknowledged');
    });
  }

  /** Nobody whose clock was right has anything from far ahead. */
  #checkAhead(): void {
    if (this.#maxSkewMs === undefined) return;
    for (const { id, skewMs } of this.#hosts) if (skewMs !== 0) this.#wasOff.add(id);
    for (const { id, clock } of this.#hosts) {
      const limitMs = clock.nowMs() + this.#maxSkewMs;
      const node = this.#wasOff.has(id) ? undefined : this.#nodes.get(id);
      const key = `s${this.#world.random.below(TRAVELLED)}`;
      if (node === undefined || timeOf(node.holds(key).version) <= limitMs) continue;
      this.#violations.push('a node took a change from too far ahead');
    }
  }

  #work(untilMs: number): void {
    const { agenda, nowMs } = this.#world;
    this.#checkAhead();
    this.#step();
    for (const { hintBytes } of this.#nodes.values()) if (hintBytes > 0) this.#hinted = true;
    if (nowMs + STEP_MS < untilMs) agenda.at(nowMs + STEP_MS, () => this.#work(untilMs));
  }

  run(): Report {
    const world = this.#world;
    world.run(SETTLING_MS);
    const storm = new Storm({
      world,
      random: seededRandom(this.#seed ^ 0x2545f491),
      hosts: this.#hosts,
      victims: 1,
      kinds: this.#repairs ? [...KINDS, ...CRASHES] : KINDS,
      restart: (host) => this.#start(host),
      downMaxMs: DOWN_MAX_MS,
      onSkew: (host) => this.#burst(host),
      mayWipe: () => this.#mayWipe,
      onCrash: (host, wiped) => this.#onCrash(host, wiped),
    });
    storm.begin();
    this.#repeats = storm.fired.duplication !== undefined;
    const endMs = world.nowMs + STORM_MS;
    for (const inMs of this.#repairs ? AMBUSHES_MS : []) {
      world.agenda.at(world.nowMs + inMs, () => this.#ambush(endMs - AMBUSH_MS));
    }
    this.#work(endMs);
    world.run(STORM_MS);
    storm.end();
    for (const host of this.#hosts) host.skewMs = 0;
    // What came from ahead waits for as long as that was.
    world.run(HEALING_MS + (this.#maxSkewMs === undefined ? 0 : SKEW_MAX_MS));
    this.#checkConvergence();
    for (const node of this.#nodes.values()) node.stop();
    return {
      seed: this.#seed,
      nodes: this.#hosts.length,
      acked: this.#count,
      faultsFired: this.#firedIn(storm),
      simulatedMs: world.nowMs,
      events: world.agenda.count,
      hash: world.trace.hash,
      violations: [...new Set(this.#violations)],
    };
  }

  #firedIn({ fired }: Storm): Report['faultsFired'] {
    return fired.wipe === undefined ? fired : { ...fired, wipe: fired.wipe + this.#ambushes };
  }

  #checkConvergence(): void {
    for (const prefix of ['s', 'd']) {
      for (let n = 0; n < KEYS; n++) this.#checkKey(`${prefix}${n}`);
    }
    for (let n = 0; n < KEYS; n++) this.#checkBrief(`e${n}`);
    const lag = [...this.#nodes.values()].reduce((sum, node) => sum + node.lag, 0);
    if (this.#hasLacking) this.#violations.push('in the end a node does not count as an owner');
    if (lag > 0) this.#violations.push('in the end peers lack changes that wait for them');
  }

  #checkKey(key: string): void {
    const held = this.#ownersOf(key).map((owner) => owner.holds(key));
    const same = new Set(held.map(({ status, version }) => `${status} ${version}`));
    for (const { value } of held) this.#see(value);
    const hints = this.#hinted ? ', some by hints' : '';
    if (same.size > 1) this.#violations.push(`in the end owners differ${hints}`);
    const known = this.#wipes === 0 ? this.#acked : this.#quorum;
    const least = this.#lostTwice ? 0n : (known.get(key) ?? 0n);
    if (held.some(({ version }) => version < least)) {
      this.#violations.push('in the end an owner has something older than what was acknowledged');
    }
  }

  /**
   * A key that may have expired: nobody serves what was outdone. Clocks were wrong, so for some its
   * time may have been up earlier than for others.
   */
  #checkBrief(key: string): void {
    const held = this.#ownersOf(key).map((owner) => owner.holds(key));
    const known = this.#wipes === 0 ? (this.#acked.get(key) ?? 0n) : 0n;
    const newest = held.reduce((most, { version }) => (version > most ? version : most), known);
    if (held.some(({ status, version }) => status === STATUS.OK && version < newest)) {
      this.#violations.push('in the end an owner serves what was overwritten before it expired');
    }
  }
}

/** Runs one seed. */
export function runReplication(seed: number): Report {
  return new ReplicationRun(seed).run();
}
