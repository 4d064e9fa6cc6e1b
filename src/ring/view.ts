/**
 * Who owns what and who is there, as one thread of a node knows it: the newest configuration with
 * its placements, and the members that can't be reached. Whoever needs to know looks here, and is
 * told of changes; only the owner of a view changes it.
 *
 * Being away changes the order in which owners are asked, and never who they are.
 */
import type { Configuration, Layout, Member, Partitioner } from './configuration.js';
import { partitionOf } from './partition.js';
import { ownersOf, type Placement, placementOf } from './placement.js';

/** Ends what a listener was told of. */
export type Unlisten = () => void;

/** The owners that follow from one layout, each list made when it is first asked for. */
class Owners {
  readonly layout: Layout;
  readonly placement: Placement;
  readonly selfIndex: number;
  readonly #partitioner: Partitioner;
  readonly #lists: (readonly Member[] | undefined)[] = [];

  constructor(layout: Layout, partitioner: Partitioner, self: string) {
    this.layout = layout;
    this.placement = placementOf(layout, partitioner);
    this.selfIndex = layout.members.findIndex(({ id }) => id === self);
    this.#partitioner = partitioner;
  }

  partitionOf(key: Uint8Array): number {
    return partitionOf(this.layout, this.#partitioner, key);
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
    this.#self = self;
    this.#boot = boot;
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

  /** Whether this node has what there is of a key: an owner to be may still be getting it. */
  holds(key: Uint8Array): boolean {
    return this.groupsOf(key)[0]?.some(({ id }) => id === this.#self) ?? false;
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

  /** Calls back whenever other members are away, until it is ended. */
  onLiveness(listener: () => void): Unlisten {
    this.#onLiveness.add(listener);
    return () => this.#onLiveness.delete(listener);
  }

  /** From now on this configuration holds. */
  learn(configuration: Configuration): void {
    const { layout, leaving, partitioner } = configuration;
    this.#configuration = configuration;
    this.#now = new Owners(layout, partitioner, this.self);
    this.#leaving = leaving && new Owners(leaving, partitioner, this.self);
    for (const listener of [...this.#onConfiguration]) listener();
  }

  /** From now on these members are away, and no others. */
  setAway(ids: readonly string[]): void {
    if (ids.length === this.#away.size && ids.every((id) => this.#away.has(id))) return;
    this.#away = new Set(ids);
    for (const listener of [...this.#onLiveness]) listener();
  }

  get #maps(): Owners[] {
    return [this.#leaving, this.#now].filter((owners) => owners !== undefined);
  }
}
