/**
 * The numbered configuration: all that decides who owns what. Placement is computed from it and
 * from nothing else, so whoever holds the same configuration holds the same map. It moves one
 * number at a time, each step agreed by a majority of the members of the one before
 * (`agreement.ts`).
 *
 * While slots move, `leaving` is the layout that they come from. A key's owners are then those of
 * both layouts, and a majority is one of each; the step that settles the moves drops it.
 */
import { isAscii, isHex64 } from './fields.js';

/** Who accepts writes to a key. */
export type Strategy = 'multi-master' | 'primary-replica' | 'chain';

/** What divides the key space: the slots of Redis Cluster, or ranges over the order of the keys. */
export type Partitioner = 'hash' | 'range';

/** A node of the cluster. */
export interface Member {
  /** Its name: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  readonly id: string;
  /**
   * The boot in which its memory of agreements began, as 16 hex digits: kept on disk where there is
   * one. A node that comes back with another one has forgotten what it promised, and does not vote.
   */
  readonly boot: string;
  /** Where clients and other nodes reach it: an address or a name. */
  readonly host: string;
  readonly port: number;
  /** The port of its gossip, UDP. */
  readonly gossipPort: number;
  /** What fails together; empty when nobody said. */
  readonly zone: string;
  /** Its share of the partitions relative to others; 0 owns nothing and stands by. */
  readonly weight: number;
  /** Never the first of a partition's owners while another one is there. */
  readonly passedOver: boolean;
}

/** A part of the key space of the range partitioner: from `from` up to the next one's. */
export interface KeyRange {
  /** A number of its own for life: what places it. */
  readonly id: number;
  /** The first key, or what stands before all keys that belong to it; empty for the first range. */
  readonly from: Uint8Array;
}

/** What the owners are computed from. */
export interface Layout {
  /** In the order of their ids. */
  readonly members: readonly Member[];
  /** How many owners a partition has, if there are as many members. */
  readonly replicas: number;
  /** In the order of their keys; empty under the partitioner `hash`. */
  readonly ranges: readonly KeyRange[];
}

/** One step of the cluster's history. */
export interface Configuration {
  /** Drawn when the cluster was founded: 16 hex digits. */
  readonly cluster: string;
  /** What people call it. */
  readonly name: string;
  /** 1 for the founding, then one more with each step. */
  readonly number: number;
  /** The digest of the configuration before this one; zeros for the founding. */
  readonly previous: string;
  /** The number of the last step that changed the owners or their order. */
  readonly epoch: number;
  readonly strategy: Strategy;
  readonly partitioner: Partitioner;
  readonly layout: Layout;
  /** The layout from which partitions are still moving. */
  readonly leaving?: Layout | undefined;
}

/** The most members that a configuration has. */
export const MAX_MEMBERS = 256;
/** The most that a member weighs. */
export const MAX_WEIGHT = 1000;
/** The most that all members weigh together: 655 360 points on the circle. */
export const MAX_TOTAL_WEIGHT = 4096;
/** The most owners that a partition has. */
export const MAX_REPLICAS = 7;
/** The most ranges of the range partitioner. */
export const MAX_RANGES = 1024;
/** The longest split point in bytes; a prefix of a longer key divides as well. */
export const MAX_SPLIT_BYTES = 128;
/** The longest zone and the longest name of a cluster. */
export const MAX_NAME_CHARS = 64;
/** The longest host. */
export const MAX_HOST_CHARS = 255;
/** What stands in `previous` of the founding. */
export const NO_DIGEST = '0'.repeat(16);

const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Its members, those that are about to leave included; none without a configuration. */
export function membersOf(configuration: Configuration | undefined): Member[] {
  const members = new Map<string, Member>();
  for (const layout of [configuration?.layout, configuration?.leaving]) {
    for (const member of layout?.members ?? []) {
      if (!members.has(member.id)) members.set(member.id, member);
    }
  }
  return [...members.values()];
}

/** Whether `id` can be the name of a node. */
export function isMemberId(id: string): boolean {
  return ID.test(id);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

const isPort = (port: number): boolean => isWhole(port, 1, 65_535);
const isName = (name: string): boolean => isAscii(name) && name.length <= MAX_NAME_CHARS;

function memberFlaw(member: Member): string | undefined {
  const { id, boot, host, port, gossipPort, zone, weight } = member;
  if (!isMemberId(id)) return `${JSON.stringify(id)} is no name for a node`;
  if (!isHex64(boot)) return `the boot of ${id} is not 16 hex digits`;
  if (host === '' || host.length > MAX_HOST_CHARS || !isAscii(host)) {
    return `the host of ${id} is not 1 to ${MAX_HOST_CHARS} ASCII characters`;
  }
  if (!isPort(port) || !isPort(gossipPort)) return `a port of ${id} is not 1 to 65535`;
  if (!isName(zone)) return `the zone of ${id} is not at most ${MAX_NAME_CHARS} ASCII characters`;
  return isWhole(weight, 0, MAX_WEIGHT)
    ? undefined
    : `the weight of ${id} is not a whole number from 0 to ${MAX_WEIGHT}`;
}

function membersFlaw(members: readonly Member[]): string | undefined {
  if (!isWhole(members.length, 1, MAX_MEMBERS)) return `not 1 to ${MAX_MEMBERS} members`;
  let weight = 0;
  for (const [at, member] of members.entries()) {
    const flaw = memberFlaw(member);
    if (flaw !== undefined) return flaw;
    const before = members[at - 1];
    if (before !== undefined && before.id >= member.id) return 'the members are not in order';
    weight += member.weight;
  }
  return isWhole(weight, 1, MAX_TOTAL_WEIGHT)
    ? undefined
    : `the members do not weigh 1 to ${MAX_TOTAL_WEIGHT} together`;
}

/** Negative, zero or positive as key `a` comes before, is, or comes after key `b`: by bytes. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function rangesFlaw(ranges: readonly KeyRange[]): string | undefined {
  if (!isWhole(ranges.length, 1, MAX_RANGES)) return `not 1 to ${MAX_RANGES} ranges`;
  if (ranges[0]?.from.length !== 0) return 'the first range does not begin with the first key';
  if (new Set(ranges.map(({ id }) => id)).size < ranges.length) return 'two ranges have one number';
  for (const [at, { id, from }] of ranges.entries()) {
    const before = ranges[at - 1];
    if (!isWhole(id, 0, 2 ** 32 - 1)) return `${id} is no number for a range`;
    if (from.length > MAX_SPLIT_BYTES) return `a split point is over ${MAX_SPLIT_BYTES} bytes long`;
    if (before !== undefined && compareKeys(before.from, from) >= 0) {
      return 'the split points are not in order';
    }
  }
  return undefined;
}

function layoutFlaw(layout: Layout, partitioner: Partitioner): string | undefined {
  if (!isWhole(layout.replicas, 1, MAX_REPLICAS)) return `not 1 to ${MAX_REPLICAS} replicas`;
  if (partitioner === 'range') return membersFlaw(layout.members) ?? rangesFlaw(layout.ranges);
  return layout.ranges.length > 0 ? 'slots have no split points' : membersFlaw(layout.members);
}

/** What is wrong with a configuration, in a few words; nothing when it may be agreed on. */
export function flawOf(configuration: Configuration): string | undefined {
  const { cluster, name, number, previous, epoch, layout, leaving, partitioner } = configuration;
  if (!isHex64(cluster) || !isHex64(previous)) return 'an id is not 16 hex digits';
  if (!isName(name)) return `the name is not at most ${MAX_NAME_CHARS} ASCII characters`;
  if (!isWhole(number, 1, Number.MAX_SAFE_INTEGER)) return `${number} is no number for a step`;
  if (!isWhole(epoch, 1, number)) return `the epoch is not 1 to ${number}`;
  const flaw = layoutFlaw(layout, partitioner);
  return flaw ?? (leaving === undefined ? undefined : layoutFlaw(leaving, partitioner));
}

/** The member with this id. */
export function memberOf(layout: Layout, id: string): Member | undefined {
  return layout.members.find((member) => member.id === id);
}
