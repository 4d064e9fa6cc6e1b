/**
 * What has to be changed about the configuration because of who is alive: a pure decision, made by
 * one node at a time so that nodes do not get in each other's way. That node is the *steward*, the
 * living member with the lowest id. Two nodes may believe to be it while they see different things;
 * then one of their steps comes first, and the other decides anew.
 *
 * Being away moves nothing, whether a member was stopped, died or was never met: it keeps its
 * partitions for `replaceAfterMs`, so that a restart costs nobody anything. Then a member that
 * stands by takes its place and weight, and if there is none, the others take its share. Only where
 * a partition has a primary, one that is away is passed over at once.
 */
import type { Change } from './change.js';
import { type Configuration, type Member, memberOf } from './configuration.js';

/** What gossip says of a member. */
export interface Sighting {
  readonly state: 'alive' | 'suspect' | 'dead' | 'left';
  /** Since when, on the monotonic clock. */
  readonly sinceMs: number;
}

/** What the steward goes by. */
export interface Custody {
  /** How long a member may be dead before it is replaced, in milliseconds. */
  readonly replaceAfterMs: number;
  /** Whether a member that was passed over has all that its successors have. */
  readonly hasCaughtUp: (id: string) => boolean;
}

/** What a node sees of the members; one that it has not met yet is not in it. */
export type Sightings = ReadonlyMap<string, Sighting>;

const isAlive = (sightings: Sightings, { id }: Member): boolean => {
  const state = sightings.get(id)?.state;
  return state === 'alive' || state === 'suspect';
};

/** The id of the member that looks after the configuration, as far as this node sees. */
export function stewardOf(configuration: Configuration, sightings: Sightings): string | undefined {
  return configuration.layout.members.find((member) => isAlive(sightings, member))?.id;
}

/** Whether a member is stopped or dead, as far as is known. */
const isAway = (sightings: Sightings, { id }: Member): boolean => {
  const state = sightings.get(id)?.state;
  return state === 'dead' || state === 'left';
};

/** Members that have been away for too long. */
function lostOf(
  members: readonly Member[],
  sightings: Sightings,
  nowMs: number,
  replaceAfterMs: number,
): Member[] {
  return members.filter((member) => {
    const sinceMs = sightings.get(member.id)?.sinceMs ?? nowMs;
    return isAway(sightings, member) && nowMs - sinceMs >= replaceAfterMs;
  });
}

/**
 * Each lost member goes; as long as there are some, one that stands by comes instead. None is taken
 * out when fewer than `least` would be left that own anything: there is nobody to give its copies
 * to, and of fewer members more are needed for a majority of all there ever were.
 */
function replacements(
  lost: readonly Member[],
  standing: readonly Member[],
  least: number,
  owning: number,
): Change[] {
  const spare = [...standing];
  return lost.flatMap(({ id, weight }): Change[] => {
    const member = weight > 0 ? spare.shift() : undefined;
    if (member !== undefined) return [{ kind: 'replace', id, member: { ...member, weight } }];
    return owning >= least ? [{ kind: 'remove', id }] : [];
  });
}

function turns(members: readonly Member[], sightings: Sightings, custody: Custody): Change[] {
  return members.flatMap((member): Change[] => {
    const { id, passedOver } = member;
    const state = sightings.get(id)?.state;
    if (isAway(sightings, member) && !passedOver) return [{ kind: 'pass', id, passedOver: true }];
    const back = passedOver && state === 'alive' && custody.hasCaughtUp(id);
    return back ? [{ kind: 'pass', id, passedOver: false }] : [];
  });
}

/**
 * The changes that the node `self` is to wish for now; none unless it is the steward. A cluster in
 * which no weight would be left is not changed.
 */
export function dutiesOf(
  self: string,
  configuration: Configuration,
  sightings: Sightings,
  nowMs: number,
  custody: Custody,
): Change[] {
  if (stewardOf(configuration, sightings) !== self) return [];
  const { members, replicas } = configuration.layout;
  const lost = lostOf(members, sightings, nowMs, custody.replaceAfterMs);
  const kept = members.filter((member) => !lost.includes(member));
  const standing = kept.filter((one) => one.weight === 0 && isAlive(sightings, one));
  const owning = kept.filter(({ weight }) => weight > 0).length;
  const some = standing.length > 0 || owning > 0;
  const { leaving, layout } = configuration;
  const leavers = leaving?.members.filter(({ id }) => memberOf(layout, id) === undefined) ?? [];
  const primaries = configuration.strategy === 'multi-master' ? [] : [...kept, ...leavers];
  return [
    ...turns(primaries, sightings, custody),
    ...(some ? replacements(lost, standing, replicas, owning) : []),
  ];
}
