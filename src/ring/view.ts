/**
 * Who owns what and who is there, as one thread of a node knows it: the newest configuration with
 * its placements, and the members that can't be reached. Whoever needs to know looks here, and is
 * told of changes; only the owner of a view changes it.
 *
 * Being away changes the order in which owners are asked, and never who they are. Where a strategy
 * gives owners roles, a node takes up one that it did not have before only when that is confirmed:
 * when all others in good standing have learned of it and have given it what they had.
 */
import {
  type Configuration,
  type Layout,
  type Member,
  memberOf,
  membersOf,
  type Partitioner,
  type Strategy,
} from './configuration.js';
import { partitionOf } from './partition.js';
import { ownersOf, type Placement, placementOf } from './placement.js';
import { inGoodStanding, isLed, ownersFor, type Role } from './roles.js';

/** So many steps without being confirmed, and this node begins anew. */
const MAX_UNCONFIRMED = 8;

const ROLES_KNOWN = 1;
const ROLE_BITS = { read: 2, write: 4 } as const;

/** Ends what a listener was told of. */
export type Unlisten = () => void;

/** The owners that follow from one layout, each list made when it is first asked for. */
class Owners {
  readonly layout: Layout;
  readonly placement: Placement;
  readonly selfIndex: number;
  readonly #partitioner: Partitioner;
  readonly #strategy: Strategy;
  #self: string;
  readonly #lists: (readonly Member[] | undefined)[] = [];
  readonly #chains: (readonly Member[] | undefined)[] = [];
  /** What this node may do in each partition, as bits; 0 where nobody has asked yet. */
  readonly #roles: Uint8Array;

  constructor(layout: Layout, { partitioner, strategy }: Configuration, self: string) {
    this.layout = layout;
    this.placement = placementOf(layout, partitioner);
    this.selfIndex = layout.members.findIndex(({ id }) => id === self);
    this.#partitioner = partitioner;
    this.#strategy = strategy;
    this.#self = self;
    this.#roles = new Uint8Array(this.placement.partitions);
  }

  partitionOf(bytes: Uint8Array, at?: number, end?: number): number {
    return partitionOf(this.layout, this.#partitioner, bytes, at, end);
  }

  /** Whether this node, which goes by the name `self`, has a role in a partition. */
  has(role: Role, partition: number, self: string): boolean {
    if (self !== this.#self) {
      this.#self = self;
      this.#roles.fill(0);
    }
    let bits = this.#roles[partition] ?? 0;
    if (bits === 0) {
      bits = ROLES_KNOWN | this.#bitOf('read', partition) | this.#bitOf('write', partition);
      this.#roles[partition] = bits;
    }
    return (bits & ROLE_BITS[role]) !== 0;
  }

  #bitOf(role: Role, partition: number): number {
    const able = ownersFor(role, this.#strategy, this.of(partition));
    return able.some(({ id }) => id === this.#self) ? ROLE_BITS[role] : 0;
  }

  /** The owners of a partition that are in good standing. */
  chain(partition: number): readonly Member[] {
    const known = this.#chains[partition];
    if (known !== undefined) return known;
    const chain = inGoodStanding(this.of(partition));
    this.#chains[partition] = chain;
    return chain;
  }

  of(partition: number): readonly Member[] {
    const known = this.#lists[partition];
    if (known !== undefined) return known;
    const owners = ownersOf(this.placement, partition);
    this.#lists[partition] = owners;
    return owners;
  }
}

/** The cluster as one thread sees it; see the top of this file. */
export class ClusterView {
  #self = '';
  #boot = '';
  #configuration: Configuration | undefined;
  #now: Owners | undefined;
  #leaving: Owners | undefined;
  /** The owners under which this node took up its roles last. */
  #confirmed: Owners | undefined;
  /** Those since then: a role that was lost in between is a new one. */
  #unconfirmed: Owners[] = [];
  #away: ReadonlySet<string> = new Set();
  readonly #onConfiguration = new Set<() => void>();
  readonly #onLiveness = new Set<() => void>();

  /** The id of this node; empty while it keeps to itself. */
  get self(): string {
    return this.#self;
  }

  /** The boot in which this node's memory of agreements began; empty while that is not known. */
  get boot(): string {
    return this.#boot;
  }

  /** This node takes part in a cluster under this id, with the memory that began in a boot. */
  identify(self: string, boot = ''): void {
    if (self === this.#self && boot === this.#boot) return;
    this.#self = self;
    this.#boot = boot;
    for (const listener of [...this.#onLiveness]) listener();
  }

  /** The newest configuration; none while the node has not found its cluster. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /** The owners under the layout that is to be. */
  get placement(): Placement | undefined {
    return this.#now?.placement;
  }

  /** The owners under the layout that is being left, while partitions move. */
  get leaving(): Placement | undefined {
    return this.#leaving?.placement;
  }

  /** Where this node stands among the members of `placement`; -1 when it is none of them. */
  get selfIndex(): number {
    return this.#now?.selfIndex ?? -1;
  }

  /** Where this node stands among the members of `leaving`; -1 when it is none of them. */
  get leavingIndex(): number {
    return this.#leaving?.selfIndex ?? -1;
  }

  /** The slot or range of a key under the layout that is to be; 0 without a configuration. */
  partitionOf(key: Uint8Array): number {
    return this.#now?.partitionOf(key) ?? 0;
  }

  /**
   * The owners of a key: one group, or two while partitions move, of which the one that is being
   * left comes first. A quorum is a majority of each. None without a configuration.
   */
  groupsOf(key: Uint8Array): (readonly Member[])[] {
    return this.#maps.map((owners) => owners.of(owners.partitionOf(key)));
  }

  /** The same for a slot, under the partitioner `hash`. */
  groupsOfSlot(slot: number): (readonly Member[])[] {
    return this.#maps.map((owners) => owners.of(slot));
  }

  /** The owners of each partition that have what there is of it, as `groupsOf` names them first. */
  *holders(): Iterable<readonly Member[]> {
    const [first] = this.#maps;
    const { partitions = 0 } = first?.placement ?? {};
    for (let at = 0; at < partitions; at++) yield first?.of(at) ?? [];
  }

  /** Whether this node has what there is of a key: an owner to be may still be getting it. */
  holds(key: Uint8Array): boolean {
    return this.groupsOf(key)[0]?.some(({ id }) => id === this.#self) ?? false;
  }

  /** Whether this node is an owner of a key, be it one that is to be or one that was. */
  owns(key: Uint8Array): boolean {
    return this.groupsOf(key).some((group) => group.some(({ id }) => id === this.#self));
  }

  /** Whom to ask about a key: those who have it before those who get it, whoever is away last. */
  route(key: Uint8Array): Member[] {
    const owners = new Map(
      this.groupsOf(key).flatMap((group) => group.map((one) => [one.id, one])),
    );
    const all = [...owners.values()];
    return [
      ...all.filter(({ id }) => this.isAlive(id)),
      ...all.filter(({ id }) => !this.isAlive(id)),
    ];
  }

  /** Whether one owner of each key leads the others: see `roles.ts`. */
  get isLed(): boolean {
    return isLed(this.#configuration?.strategy);
  }

  /** Whether this node may have what its successors lack, and has to tell nobody. */
  get isDeposed(): boolean {
    return this.isLed && !this.isInGoodStanding(this.#self);
  }

  /** The member with this id, be it one that is about to leave. */
  memberOf(id: string): Member | undefined {
    const { layout, leaving } = this.#configuration ?? {};
    return (layout && memberOf(layout, id)) ?? (leaving && memberOf(leaving, id));
  }

  /** Whether a member is not passed over. */
  isInGoodStanding(id: string): boolean {
    return this.memberOf(id)?.passedOver === false;
  }

  /** Whether what a member has may be taken over here to make up for what is missing. */
  mayTakeFrom(id: string): boolean {
    return !this.isLed || (!this.isDeposed && this.isInGoodStanding(id));
  }

  /** The members that are not passed over, those that are about to leave included. */
  get standing(): Member[] {
    return membersOf(this.#configuration).filter(({ id }) => this.isInGoodStanding(id));
  }

  /** Who has a role for a key, the first to ask first; where all are alike, as `route` says. */
  askedFor(role: Role, key: Uint8Array): readonly Member[] {
    const { strategy } = this.#configuration ?? {};
    if (strategy === undefined || !this.isLed) return this.route(key);
    const able = ownersFor(role, strategy, this.groupsOf(key)[0] ?? []);
    return [
      ...able.filter(({ id }) => this.isAlive(id)),
      ...able.filter(({ id }) => !this.isAlive(id)),
    ];
  }

  /**
   * Whether this node may carry out what a role allows for the key that is in `bytes` from `at` up
   * to `end`, where owners have roles. A leader that sees so few others that they may have chosen
   * another one changes nothing.
   */
  mayDo(role: Role, bytes: Uint8Array, at = 0, end = bytes.length): boolean {
    const now = this.#first;
    if (now === undefined) return false;
    const partition = now.partitionOf(bytes, at, end);
    if (!now.has(role, partition, this.#self)) return false;
    const isSole = role === 'write' || this.#configuration?.strategy === 'chain';
    if (isSole && this.#isCutOff) return false;
    if (this.#confirmed === now) return true;
    if (this.#confirmed === undefined) return false;
    const range = now.layout.ranges[partition]?.id;
    return [this.#confirmed, ...this.#unconfirmed].every((owners) => {
      // The same range may have been wider, and never narrower.
      const before = owners.partitionOf(bytes, at, end);
      return range === owners.layout.ranges[before]?.id && owners.has(role, before, this.#self);
    });
  }

  get #isCutOff(): boolean {
    const away = this.#away.size;
    return away > 0 && 2 * away > membersOf(this.#configuration).length;
  }

  /** Owners of a key that are in good standing, in the order of the chain; each once. */
  chainOf(key: Uint8Array): readonly Member[] {
    if (this.#leaving === undefined && this.#now !== undefined) {
      return this.#now.chain(this.#now.partitionOf(key));
    }
    const chain = new Map(
      this.groupsOf(key).flatMap((group) => inGoodStanding(group).map((one) => [one.id, one])),
    );
    return [...chain.values()];
  }

  /** Whether this node has taken up the roles that the newest configuration gives it. */
  get isConfirmed(): boolean {
    return this.#confirmed !== undefined && this.#confirmed === this.#first;
  }

  /** The number of the configuration under which this node took up its roles last; 0 for none. */
  get confirmedNumber(): number {
    return this.isConfirmed ? (this.#configuration?.number ?? 0) : 0;
  }

  /** All others in good standing know the configuration `number`, and have given what they had. */
  confirm(number: number): void {
    if (this.isConfirmed || this.#configuration?.number !== number) return;
    this.#confirmed = this.#first;
    this.#unconfirmed = [];
    for (const listener of [...this.#onLiveness]) listener();
  }

  /** Whether a member can be reached, as far as this node knows. */
  isAlive(id: string): boolean {
    return !this.#away.has(id);
  }

  /** The members that can't be reached. */
  get away(): readonly string[] {
    return [...this.#away];
  }

  /** Calls back whenever another configuration holds, until it is ended. */
  onConfiguration(listener: () => void): Unlisten {
    this.#onConfiguration.add(listener);
    return () => this.#onConfiguration.delete(listener);
  }

  /** Calls back whenever other members are away, or this one is another, until it is ended. */
  onLiveness(listener: () => void): Unlisten {
    this.#onLiveness.add(listener);
    return () => this.#onLiveness.delete(listener);
  }

  /** From now on this configuration holds. */
  learn(configuration: Configuration): void {
    const { layout, leaving, cluster } = configuration;
    this.#outlive(cluster, configuration.number);
    this.#configuration = configuration;
    this.#now = new Owners(layout, configuration, this.self);
    this.#leaving = leaving && new Owners(leaving, configuration, this.self);
    for (const listener of [...this.#onConfiguration]) listener();
  }

  /** What holds of the roles that this node has, now that a configuration follows. */
  #outlive(cluster: string, number: number): void {
    const before = this.#configuration;
    const follows = before?.cluster === cluster && number === before.number + 1;
    const last = this.#first;
    if (!follows || this.#unconfirmed.length >= MAX_UNCONFIRMED) {
      this.#confirmed = undefined;
      this.#unconfirmed = [];
    } else if (!this.isConfirmed && last !== undefined) this.#unconfirmed.push(last);
  }

  /** From now on these members are away, and no others. */
  setAway(ids: readonly string[]): void {
    if (ids.length === this.#away.size && ids.every((id) => this.#away.has(id))) return;
    this.#away = new Set(ids);
    for (const listener of [...this.#onLiveness]) listener();
  }

  /** The owners that have what there is: those that are being left, while partitions move. */
  get #first(): Owners | undefined {
    return this.#leaving ?? this.#now;
  }

  get #maps(): Owners[] {
    return [this.#leaving, this.#now].filter((owners) => owners !== undefined);
  }
}
