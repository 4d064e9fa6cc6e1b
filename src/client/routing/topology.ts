/**
 * Which nodes a client asks about a key: the owners of its partition, computed from the newest
 * configuration that any node has told.
 *
 * While partitions move, the owners that are being left have everything and the new ones not yet,
 * so the old ones are asked first. Reads prefer the client's own zone where any owner may answer;
 * under multi-master writes go to the first owner, too, since two that write one key through the
 * same node meet there and not later.
 */
import { slotOf } from '../../base/slot.js';
import { maxTextBytes, textBytes, writeText } from '../../protocol/text.js';
import type { Key } from '../../protocol/verbs.js';
import {
  type Configuration,
  type Layout,
  type Member,
  membersOf,
  type Partitioner,
} from '../../ring/configuration.js';
import { partitionOf } from '../../ring/partition.js';
import { ownersOf, type Placement, placementOf } from '../../ring/placement.js';
import { inGoodStanding, isLed, ownersFor, type Role } from '../../ring/roles.js';

/** What a call is going to do, which depends on the strategy; to list is up to all owners. */
export type Intent = Role | 'list';

/** The longest text, in bytes, that is written where the last one was. */
const SCRATCH_BYTES = 1024;
const scratch = new Uint8Array(SCRATCH_BYTES);

/** A layout and the owners that follow from it, which are computed when they are first needed. */
class OwnerMap {
  readonly #layout: Layout;
  readonly #partitioner: Partitioner;
  #placement: Placement | undefined;

  constructor(layout: Layout, partitioner: Partitioner) {
    this.#layout = layout;
    this.#partitioner = partitioner;
  }

  get #placed(): Placement {
    this.#placement ??= placementOf(this.#layout, this.#partitioner);
    return this.#placement;
  }

  ownersOf(partition: number): readonly Member[] {
    return ownersOf(this.#placed, partition);
  }

  partitionOf(key: Key): number {
    if (typeof key !== 'string') return this.#partitionOfBytes(key);
    if (maxTextBytes(key) > SCRATCH_BYTES) return this.#partitionOfBytes(textBytes(key));
    const end = writeText(scratch, 0, key);
    if (this.#partitioner === 'hash') return slotOf(scratch, 0, end);
    return this.#partitionOfBytes(scratch.subarray(0, end));
  }

  #partitionOfBytes(key: Uint8Array): number {
    return partitionOf(this.#layout, this.#partitioner, key);
  }
}

/** The nodes to ask by partition, as far as anybody asked. */
type Routes = (readonly Member[] | undefined)[];

/** The owners of keys, as far as a client knows. */
export class Topology {
  readonly #zone: string;
  #configuration: Configuration | undefined;
  #now: OwnerMap | undefined;
  #leaving: OwnerMap | undefined;
  #routes: Readonly<Record<Intent, Routes>> = { read: [], write: [], list: [] };

  /** `zone` is where the client is; empty when it does not matter. */
  constructor(zone = '') {
    this.#zone = zone;
  }

  /** The newest configuration that was taken. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /** The members of the configuration, those that are about to leave included. */
  get members(): Member[] {
    return membersOf(this.#configuration);
  }

  /**
   * Takes a configuration if it is newer; false when it is not. One of another cluster is newer
   * than any.
   */
  take(configuration: Configuration): boolean {
    const known = this.#configuration;
    const ours = known?.cluster === configuration.cluster;
    if (ours && known.number >= configuration.number) return false;
    const { layout, leaving, partitioner } = configuration;
    this.#configuration = configuration;
    this.#now = new OwnerMap(layout, partitioner);
    this.#leaving = leaving === undefined ? undefined : new OwnerMap(leaving, partitioner);
    this.#routes = { read: [], write: [], list: [] };
    return true;
  }

  /**
   * Whom to ask about a key, the first first; nobody while no configuration is known. Throws
   * `InvalidArgumentError` for text that UTF-8 cannot say.
   */
  routeOf(key: Key, intent: Intent): readonly Member[] {
    const now = this.#now;
    if (now === undefined) return [];
    const partition = now.partitionOf(key);
    const routes = this.#routes[intent];
    const known = routes[partition];
    if (known !== undefined) return known;
    const left = this.#leaving?.partitionOf(key);
    const route = this.#joined(this.#owners(this.#leaving, left, intent), now, partition, intent);
    // Ranges may be others in the two layouts, slots are the same.
    const fixed = left === undefined || this.#configuration?.partitioner === 'hash';
    if (fixed) routes[partition] = route;
    return route;
  }

  #joined(
    old: readonly Member[],
    now: OwnerMap,
    partition: number,
    intent: Intent,
  ): readonly Member[] {
    // Until the moves are done the roles are with the owners that are being left.
    if (old.length > 0 && isLed(this.#configuration?.strategy)) return old;
    const isNew = ({ id }: Member): boolean => !old.some((other) => other.id === id);
    return [...old, ...this.#owners(now, partition, intent).filter(isNew)];
  }

  #owners(
    map: OwnerMap | undefined,
    partition: number | undefined,
    intent: Intent,
  ): readonly Member[] {
    if (map === undefined || partition === undefined) return [];
    const { strategy = 'multi-master' } = this.#configuration ?? {};
    const all = map.ownersOf(partition);
    if (intent === 'list') return isLed(strategy) ? inGoodStanding(all) : all;
    const owners = ownersFor(intent, strategy, all);
    if (intent === 'write') return owners;
    return this.#zone === '' ? owners : behind(owners, ({ zone }) => zone !== this.#zone);
  }
}

/** The list with those that `isLast` behind the others, and otherwise in its order. */
function behind(members: readonly Member[], isLast: (member: Member) => boolean): Member[] {
  return [...members.filter((member) => !isLast(member)), ...members.filter(isLast)];
}
