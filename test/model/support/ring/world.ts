/**
 * Nodes that agree on configurations, with a network that loses, repeats and reorders, crashes with
 * and without a disk, and a record of all that was ever learned. Everything is drawn from a seed.
 * Messages and memories go through their bytes. A mutant is a known mistake, put between the
 * shipped machine and the world.
 */
import type { Random } from '../../../../src/base/random.js';
import { agreementStep } from '../../../../src/ring/agreement.js';
import {
  type AgreementState,
  agreementOf,
  type Effects,
  type Event,
  type Send,
} from '../../../../src/ring/agreementState.js';
import { applied, type Change, ChangeError } from '../../../../src/ring/change.js';
import { type Configuration, type Member, NO_DIGEST } from '../../../../src/ring/configuration.js';
import { digestOfConfiguration } from '../../../../src/ring/configurationCodec.js';
import { foundingOf } from '../../../../src/ring/founding.js';
import {
  blankMemory,
  decodeMemory,
  encodeMemory,
  type Memory,
} from '../../../../src/ring/memory.js';
import { decodeMessage, encodeMessage, type Message } from '../../../../src/ring/message.js';

/** What a mutant gets wrong; what it leaves out is right. */
export interface Mutant {
  /** The message as it arrives. */
  readonly arriving?: (message: Message, state: AgreementState) => Message;
  /** The state before a message is handled. */
  readonly before?: (state: AgreementState, message: Message, from: string) => AgreementState;
  /** The effects of any event. */
  readonly after?: (effects: Effects, event: Event) => Effects;
  /** The memory that a restart finds. */
  readonly restored?: (memory: Memory) => Memory;
  /** Whether a store is skipped, although the messages that rest on it are sent. */
  readonly unstored?: boolean;
  /** Whether a node that lost its memory keeps its boot. */
  readonly sameBoot?: boolean;
}

/** Something that must never be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Messages that are on their way; older ones are lost. */
const MOST_ON_THE_WAY = 60;

interface Host {
  readonly id: string;
  readonly address: string;
  /** Whether it is an entry of the list of those who found. */
  readonly founds: boolean;
  boot: string;
  disk: Uint8Array | undefined;
  /** Nothing while it is down. */
  state: AgreementState | undefined;
  newest: number;
}

interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

const TERMS = {
  name: 'model',
  strategy: 'multi-master',
  partitioner: 'hash',
  replicas: 2,
} as const;

/** A run of the model. */
export class AgreementWorld {
  readonly hosts: Host[];
  readonly learned = new Map<string, string>();
  readonly clusters = new Set<string>();
  readonly fired = { lost: 0, repeated: 0, crashed: 0, forgotten: 0, steps: 0 };
  readonly #random: Random;
  readonly #mutant: Mutant;
  readonly #known = new Map<string, Configuration>();
  /** How often things happen, in percent; drawn for each run. */
  readonly #odds: { readonly retry: number; readonly wish: number; readonly crash: number };
  #network: Envelope[] = [];
  #boots = 0;

  constructor(random: Random, mutant: Mutant, founders: number, others: number) {
    this.#random = random;
    this.#mutant = mutant;
    const odds = { retry: 1 + random.below(8), wish: 1 + random.below(8), crash: random.below(8) };
    this.#odds = odds;
    this.hosts = Array.from({ length: founders + others }, (_, n) => ({
      id: `n${n}`,
      address: `@10.0.0.${n}:7701`,
      founds: n < founders,
      boot: '',
      disk: undefined,
      state: undefined,
      newest: 0,
    }));
    for (const host of this.hosts) if (random.below(4) > 0) this.start(host);
  }

  // Nodes.

  #memberOf(host: Host): Member {
    const address = { host: '10.0.0.1', port: 7700, gossipPort: 7701 };
    return { id: host.id, boot: host.boot, ...address, zone: '', weight: 1, passedOver: false };
  }

  #nextBoot(): string {
    this.#boots += 1;
    return this.#boots.toString(16).padStart(16, '0');
  }

  /** Starts a node with what its disk has. */
  start(host: Host): void {
    if (host.disk === undefined && !(this.#mutant.sameBoot && host.boot !== '')) {
      host.boot = this.#nextBoot();
    }
    const list = this.hosts.filter(({ founds }) => founds).map(({ address }) => address);
    const cluster = this.#random
      .below(2 ** 32)
      .toString(16)
      .padStart(16, 'c');
    const self = host.founds ? host.address : undefined;
    const founding = foundingOf(list, self, cluster, TERMS);
    const kept = host.disk === undefined ? blankMemory(host.boot) : decodeMemory(host.disk);
    const memory = this.#mutant.restored?.(kept) ?? kept;
    host.newest = 0;
    host.state = agreementOf(this.#memberOf(host), memory, founding);
  }

  /** Stops a node, and with `forget` wipes its disk. */
  crash(host: Host, forget: boolean): void {
    host.state = undefined;
    this.fired.crashed += 1;
    if (!forget) return;
    this.fired.forgotten += 1;
    host.disk = undefined;
  }

  // Events.

  /** Lets an event happen at a node; its answers to `asker` go out under the name `as`. */
  happen(host: Host, event: Event, as = host.id, asker?: string): void {
    if (host.state === undefined) return;
    const shipped = agreementStep(host.state, event);
    const effects = this.#mutant.after?.(shipped, event) ?? shipped;
    host.state = effects.state;
    const skip = this.#mutant.unstored === true && this.#random.below(2) === 0;
    if (effects.store && !skip) host.disk = encodeMemory(effects.state.memory);
    if (effects.learned !== undefined) this.#record(host, effects.learned);
    for (const send of effects.sends) this.#post(send, send.to === asker ? as : host.id);
  }

  #post({ to, message }: Send, from: string): void {
    this.#network.push({ from, to, bytes: encodeMessage(message) });
  }

  #record(host: Host, configuration: Configuration): void {
    const { cluster, number, previous } = configuration;
    const digest = digestOfConfiguration(configuration);
    const key = `${cluster}/${number}`;
    const known = this.learned.get(key) ?? digest;
    if (known !== digest) throw new Violation(`two configurations ${key}`);
    const before = this.learned.get(`${cluster}/${number - 1}`);
    if (before !== undefined && before !== previous) throw new Violation(`${key} has no past`);
    if (number < host.newest) throw new Violation(`${host.id} went back to ${number}`);
    this.learned.set(key, digest);
    this.#known.set(key, configuration);
    this.clusters.add(cluster);
    host.newest = number;
    if (this.clusters.size > 1) throw new Violation('two clusters were founded');
  }

  #deliver({ from, to, bytes }: Envelope): void {
    const host = this.hosts.find(({ id, address }) => id === to || address === to);
    if (host?.state === undefined) return;
    const sent = decodeMessage(bytes);
    const message = this.#mutant.arriving?.(sent, host.state) ?? sent;
    host.state = this.#mutant.before?.(host.state, message, from) ?? host.state;
    this.fired.steps += 1;
    this.happen(host, { kind: 'message', from, message }, to, from);
  }

  // Chance.

  #one<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }

  #change(): Change {
    const host = this.#one(this.hosts);
    const number = this.#random.below(4);
    switch (this.#random.below(5)) {
      case 0:
        return { kind: 'remove', id: host.id };
      case 1:
        return { kind: 'pass', id: host.id, passedOver: number > 1 };
      case 2:
        return { kind: 'replicas', count: 1 + number };
      case 3:
        return { kind: 'settle', number: host.newest };
      default:
        return { kind: 'weigh', id: host.id, weight: 1 + number };
    }
  }

  /**
   * Whether a node may lose its memory: most of those who found have to know, for good, that they
   * have founded. Without that nothing can tell a restart from a first start.
   */
  #mayForget(host: Host): boolean {
    const founders = this.hosts.filter(({ founds }) => founds);
    const knowing = founders.filter(
      ({ id, disk }) =>
        id !== host.id && disk !== undefined && decodeMemory(disk).current !== undefined,
    );
    return 2 * knowing.length > founders.length;
  }

  /** One thing that may happen at any time. */
  chance(): void {
    const { retry, wish, crash } = this.#odds;
    const host = this.#one(this.hosts);
    const dice = this.#random.below(100);
    if (dice < retry) this.happen(host, { kind: 'retry', peers: [this.#one(this.hosts).id] });
    else if (dice < retry + wish) this.happen(host, { kind: 'wish', change: this.#change() });
    else if (dice < retry + wish + crash) this.#crashOrStart(host);
    else this.#deliverAny();
  }

  #crashOrStart(host: Host): void {
    if (host.state === undefined) this.start(host);
    else this.crash(host, this.#random.below(2) === 0 && this.#mayForget(host));
  }

  #deliverAny(): void {
    if (this.#network.length === 0) return;
    const at = this.#random.below(this.#network.length);
    const envelope = this.#network[at] as Envelope;
    const fate = this.#random.below(10);
    if (fate === 0) this.fired.repeated += 1;
    else this.#network.splice(at, 1);
    if (fate === 1) this.fired.lost += 1;
    else this.#deliver(envelope);
    if (this.#network.length > MOST_ON_THE_WAY) this.#network.splice(0, MOST_ON_THE_WAY / 2);
  }

  // Peace.

  /** The newest configuration that anybody ever learned. */
  newest(): Configuration | undefined {
    return [...this.#known.values()].reduce<Configuration | undefined>(
      (best, one) => (best === undefined || one.number > best.number ? one : best),
      undefined,
    );
  }

  /** Whether more than half of the newest configuration's members have the memory it names. */
  canMove(): boolean {
    const members = this.newest()?.layout.members ?? [];
    const intact = members.filter(({ id, boot }) =>
      this.hosts.some((host) => host.id === id && host.boot === boot),
    );
    return members.length === 0 || 2 * intact.length > members.length;
  }

  /** Whether all nodes are members of one configuration, and know it. */
  agreed(): boolean {
    const newest = this.newest();
    if (newest === undefined) return false;
    const digest = digestOfConfiguration(newest);
    return this.hosts.every(({ state }) => {
      const { current } = state?.memory ?? {};
      if (current === undefined || digestOfConfiguration(current) !== digest) return false;
      return newest.layout.members.some(
        ({ id, boot }) => id === state?.me.id && boot === state.me.boot,
      );
    });
  }

  /** Heals everything and lets the nodes talk; false when they do not come to agree. */
  heal(rounds: number): boolean {
    for (const host of this.hosts) {
      if (host.state === undefined) this.start(host);
      if (host.state !== undefined) host.state = { ...host.state, wishes: [] };
    }
    for (let round = 0; round < rounds && !this.agreed(); round++) {
      const host = this.hosts[round % this.hosts.length] as Host;
      const peers = this.hosts.map(({ id }) => id).filter((id) => id !== host.id);
      this.happen(host, { kind: 'retry', peers });
      this.#herald(host);
      for (let left = 2000; this.#network.length > 0 && left > 0; left--) {
        this.#deliver(this.#network.shift() as Envelope);
      }
    }
    return this.agreed();
  }

  /** What gossip does: who hears of a later number asks for it. */
  #herald(host: Host): void {
    const current = host.state?.memory.current;
    const cluster = current?.cluster ?? NO_DIGEST;
    const message: Message = { kind: 'ask', cluster, number: current?.number ?? 0 };
    for (const { id } of this.hosts) this.#post({ to: id, message }, host.id);
  }
}

/** A change made by one node alone. */
export function madeAlone(current: Configuration, change: Change): Configuration {
  try {
    return applied(current, change);
  } catch (error) {
    if (error instanceof ChangeError) return current;
    throw error;
  }
}
