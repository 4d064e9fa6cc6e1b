/**
 * Which nodes a client asks about a key: the owners of its partition, computed from the newest
 * configuration that any node has told.
 *
 * While partitions move, the owners that are being left have everything and the new ones not yet,
 * so the old ones are asked first. Reads prefer the client's own zone where any owner may answer;
 * writes go to the first owner, since two that write one key through the same node meet there and
 * not later. Whom the client found dead or silent is asked last rather than never.
 */
import type { Configuration, Layout, Member, Partitioner } from '../../ring/configuration.js';
import { partitionOf } from '../../ring/partition.js';
import { ownersOf, type Placement, placementOf } from '../../ring/placement.js';

/** What a call is going to do: where it may be done depends on the strategy. */
export type Intent = 'read' | 'write';

/** A layout and the owners that follow from it, which are computed when they are first needed. */
class OwnerMap {
  readonly #layout: Layout;
  readonly #partitioner: Partitioner;
  #placement: Placement | undefined;
  readonly #owners: (readonly Member[] | undefined)[] = [];

  constructor(layout: Layout, partitioner: Partitioner) {
    this.#layout = layout;
    this.#partitioner = partitioner;
  }

  ownersOfKey(key: Uint8Array): readonly Member[] {
    const partition = partitionOf(this.#layout, this.#partitioner, key);
    const known = this.#owners[partition];
    if (known !== undefined) return known;
    this.#placement ??= placementOf(this.#layout, this.#partitioner);
    const owners = ownersOf(this.#placement, partition);
    this.#owners[partition] = owners;
    return owners;
  }
}

/** The owners of keys, as far as a client knows. */
export class Topology {
  readonly #zone: string;
  #configuration: Configuration | undefined;
  #now: OwnerMap | undefined;
  #leaving: OwnerMap | undefined;

  /** `zone` is where the client is; empty when it does not matter. */
  constructor(zone = '') {
    this.#zone = zone;
  }

  /** The newest configuration that was taken. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /**
   * Takes a configuration if it is newer; false when it is not. One of another cluster is newer
   * than any: the node that is asked has become a member of that.
   */
  take(configuration: Configuration): boolean {
    const known = this.#configuration;
    const ours = known?.cluster === configuration.cluster;
    if (ours && known.number >= configuration.number) return false;
    const { layout, leaving, partitioner } = configuration;
    this.#configuration = configuration;
    this.#now = new OwnerMap(layout, partitioner);
    this.#leaving = leaving === undefined ? undefined : new OwnerMap(leaving, partitioner);
    return true;
  }

  /** Whom to ask about a key, the first first; nobody while no configuration is known. */
  routeOf(key: Uint8Array, intent: Intent, isDown: (id: string) => boolean): Member[] {
    const owners = [...this.#ordered(this.#leaving, key, intent)];
    for (const owner of this.#ordered(this.#now, key, intent)) {
      if (!owners.some(({ id }) => id === owner.id)) owners.push(owner);
    }
    return behind(owners, ({ id }) => isDown(id));
  }

  #ordered(map: OwnerMap | undefined, key: Uint8Array, intent: Intent): readonly Member[] {
    const owners = map?.ownersOfKey(key) ?? [];
    if (intent === 'write') return owners;
    if (this.#configuration?.strategy === 'chain') return [...owners].reverse();
    return this.#zone === '' ? owners : behind(owners, ({ zone }) => zone !== this.#zone);
  }
}

/** The list with those that `isLast` behind the others, and otherwise in its order. */
function behind(members: readonly Member[], isLast: (member: Member) => boolean): Member[] {
  return [...members.filter((member) => !isLast(member)), ...members.filter(isLast)];
}
