/**
 * Who owns each partition, computed from a layout and from nothing else.
 *
 * The plain circle gives each node a share that differs by 8 % from the next, and with fifty nodes
 * the fullest has a quarter more than the mean. So loads are bounded: round by round each
 * partition, in their order, takes its next owner by walking on from its place to the first member
 * that
 *
 *   1. does not own it already,
 *   2. is in a zone that has no copy yet, as long as there is such a zone,
 *   3. is below the bound of this round (`bounds.ts`),
 *
 * and if all members of 1 and 2 have reached their bound, the first of them. Slots lie evenly on
 * the circle, slot by slot, rather than hashed: hashing them would add their own noise to that of
 * the points. Since a full member keeps the partitions that came first, a node more or less moves
 * little besides its own share. Members that are passed over go behind the other owners.
 */
import { SLOTS } from '../base/slot.js';
import { boundsOf, zonesOf } from './bounds.js';
import { type Circle, circleOf, PLACES, pointAt } from './circle.js';
import type { Layout, Member, Partitioner } from './configuration.js';
import { murmur3 } from './murmur.js';

/** The owners of all partitions of a layout. */
export interface Placement {
  readonly members: readonly Member[];
  readonly partitions: number;
  /** How many owners each partition has. */
  readonly copies: number;
  /** Indexes into `members`: those of partition p are at p * copies and behind, the first first. */
  readonly owners: Uint16Array;
}

function placeOfSlot(slot: number): number {
  return slot * (PLACES / SLOTS);
}

/** Ranges are few, and any number of them may be neighbours; their places are hashed. */
function placeOfRange(id: number): number {
  return murmur3(Uint8Array.of(id & 0xff, (id >> 8) & 0xff, (id >> 16) & 0xff, id >>> 24), 0);
}

/** Where the partitions lie on the circle. */
function placesOf(layout: Layout, partitioner: Partitioner): Float64Array {
  return partitioner === 'hash'
    ? Float64Array.from({ length: SLOTS }, (_, slot) => placeOfSlot(slot))
    : Float64Array.from(layout.ranges, ({ id }) => placeOfRange(id));
}

/** The zones of the members as numbers, in the order in which they are met. */
function zoneNumbers(members: readonly Member[]): Uint16Array {
  const numbers = new Map<string, number>();
  return Uint16Array.from(members, ({ zone }) => {
    const number = numbers.get(zone) ?? numbers.size;
    numbers.set(zone, number);
    return number;
  });
}

/** The walk that gives partitions their owners. */
class Walk {
  readonly #circle: Circle;
  readonly #zones: Uint16Array;
  readonly #loads: Uint32Array;
  readonly #weighted: number;
  /** The walk in which a member was last met. */
  readonly #met: Uint32Array;
  #walks = 0;

  constructor(members: readonly Member[], zones: Uint16Array) {
    this.#circle = circleOf(members);
    this.#zones = zones;
    this.#loads = new Uint32Array(members.length);
    this.#weighted = members.filter(({ weight }) => weight > 0).length;
    this.#met = new Uint32Array(members.length);
  }

  /** The first point of each place. */
  starts(places: Float64Array): Uint32Array {
    return Uint32Array.from(places, (place) => pointAt(this.#circle, place));
  }

  /** The next owner of a partition that has `held`; `fresh` asks for a zone without a copy. */
  next(start: number, held: Uint16Array, fresh: boolean, bounds: Uint32Array): number {
    const { members } = this.#circle;
    this.#walks += 1;
    let first = -1;
    let left = this.#weighted;
    for (let at = start; left > 0; at = at + 1 === members.length ? 0 : at + 1) {
      const member = members[at] as number;
      if (this.#met[member] === this.#walks) continue;
      this.#met[member] = this.#walks;
      left -= 1;
      if (!this.#fits(member, held, fresh)) continue;
      if ((this.#loads[member] as number) < (bounds[member] as number)) return this.#take(member);
      if (first < 0) first = member;
    }
    return this.#take(first);
  }

  #take(member: number): number {
    this.#loads[member] = (this.#loads[member] as number) + 1;
    return member;
  }

  #fits(member: number, held: Uint16Array, fresh: boolean): boolean {
    const zone = this.#zones[member];
    for (const other of held) {
      if (other === member || (fresh && this.#zones[other] === zone)) return false;
    }
    return true;
  }
}

/** Puts owners that are passed over behind the others, and leaves the order as it is otherwise. */
function demote(owners: Uint16Array, copies: number, members: readonly Member[]): void {
  const rank = (owner: number): number => (members[owner]?.passedOver === true ? 1 : 0);
  for (let at = 0; at < owners.length; at += copies) {
    const some = owners.subarray(at, at + copies);
    some.set([...some].sort((a, b) => rank(a) - rank(b)));
  }
}

const known = new WeakMap<Layout, Map<Partitioner, Placement>>();

/**
 * The owners of a layout without flaws. Takes a few milliseconds for 50 members, once for each
 * layout: views, movers and stewards ask for the same ones.
 */
export function placementOf(layout: Layout, partitioner: Partitioner): Placement {
  let placements = known.get(layout);
  if (placements === undefined) {
    placements = new Map();
    known.set(layout, placements);
  }
  let placement = placements.get(partitioner);
  if (placement === undefined) {
    placement = place(layout, partitioner);
    placements.set(partitioner, placement);
  }
  return placement;
}

function place(layout: Layout, partitioner: Partitioner): Placement {
  const { members } = layout;
  const places = placesOf(layout, partitioner);
  const zones = zoneNumbers(members);
  const weighted = members.map(({ weight }, at) => ({ weight, zone: zones[at] as number }));
  const copies = Math.min(layout.replicas, weighted.filter(({ weight }) => weight > 0).length);
  const zoneCount = zonesOf(weighted);
  const walk = new Walk(members, zones);
  const starts = walk.starts(places);
  const owners = new Uint16Array(places.length * copies);
  for (let copy = 0; copy < copies; copy++) {
    const bounds = boundsOf(weighted, places.length, copy + 1);
    for (let partition = 0; partition < places.length; partition++) {
      const at = partition * copies;
      const held = owners.subarray(at, at + copy);
      const start = starts[partition] as number;
      owners[at + copy] = walk.next(start, held, copy < zoneCount, bounds);
    }
  }
  if (members.some(({ passedOver }) => passedOver)) demote(owners, copies, members);
  return { members, partitions: places.length, copies, owners };
}

/** The owners of a partition, the first first. */
export function ownersOf(placement: Placement, partition: number): Member[] {
  const { owners, copies, members } = placement;
  const at = partition * copies;
  return Array.from(owners.subarray(at, at + copies), (owner) => members[owner] as Member);
}

/** How many partitions each member owns, in their order. */
export function loadsOf(placement: Placement): Uint32Array {
  const loads = new Uint32Array(placement.members.length);
  for (const owner of placement.owners) loads[owner] = (loads[owner] as number) + 1;
  return loads;
}
