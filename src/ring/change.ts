/**
 * What can be changed about a configuration, as data, so that a change can be sent to another node
 * and applied again on top of a step that somebody else made in the meantime.
 */
import {
  type Configuration,
  compareKeys,
  flawOf,
  isMemberId,
  type KeyRange,
  type Layout,
  MAX_SPLIT_BYTES,
  type Member,
  memberOf,
  type Strategy,
} from './configuration.js';
import { digestOfConfiguration } from './configurationCodec.js';
import { rangeOf } from './partition.js';
import { isLed } from './roles.js';

/** One wish. */
export type Change =
  /**
   * A node joins, or is there again with another address, zone or boot. One that is known keeps its
   * weight, which is the configuration's to say; one with another boot has lost what it had, and is
   * passed over where there are primaries.
   */
  | { readonly kind: 'admit'; readonly member: Member }
  | { readonly kind: 'remove'; readonly id: string }
  /** `member` takes the place of a node that does not come back. */
  | { readonly kind: 'replace'; readonly id: string; readonly member: Member }
  | { readonly kind: 'weigh'; readonly id: string; readonly weight: number }
  /** A node is to be no primary, or may be one again. */
  | { readonly kind: 'pass'; readonly id: string; readonly passedOver: boolean }
  | { readonly kind: 'replicas'; readonly count: number }
  /** The range that has `from` ends there, and a new one begins. */
  | { readonly kind: 'split'; readonly from: Uint8Array }
  /** All that the configuration `number` moves has arrived; void once there is a later one. */
  | { readonly kind: 'settle'; readonly number: number };

/** A change that the configuration can't take; the message says why. */
export class ChangeError extends Error {
  override readonly name = 'ChangeError';
}

function sameMember(a: Member, b: Member): boolean {
  const keys = Object.keys(a) as (keyof Member)[];
  return keys.every((key) => a[key] === b[key]);
}

/** The members with `member` in its place, instead of any with its id. */
function withMember(layout: Layout, member: Member): Layout {
  const others = layout.members.filter(({ id }) => id !== member.id);
  const at = others.findIndex(({ id }) => id > member.id);
  const place = at < 0 ? others.length : at;
  return { ...layout, members: [...others.slice(0, place), member, ...others.slice(place)] };
}

function without(layout: Layout, id: string): Layout {
  return { ...layout, members: layout.members.filter((member) => member.id !== id) };
}

function required(layout: Layout, id: string): Member {
  const member = memberOf(layout, id);
  if (member === undefined) throw new ChangeError(`${id} is not a member`);
  return member;
}

function divided(ranges: readonly KeyRange[], from: Uint8Array): readonly KeyRange[] {
  if (ranges.length === 0) throw new ChangeError('slots are not split; only ranges are');
  const at = rangeOf(ranges, from) + 1;
  if (ranges.some((range) => compareKeys(range.from, from) === 0)) return ranges;
  const id = 1 + ranges.reduce((highest, range) => Math.max(highest, range.id), 0);
  return [...ranges.slice(0, at), { id, from }, ...ranges.slice(at)];
}

function admitted(layout: Layout, member: Member, strategy: Strategy): Layout {
  const known = memberOf(layout, member.id);
  if (known === undefined) return withMember(layout, member);
  const blank = known.boot !== member.boot && strategy !== 'multi-master';
  const { weight } = known;
  const returned = { ...member, weight, passedOver: known.passedOver || blank };
  return sameMember(known, returned) ? layout : withMember(layout, returned);
}

/** The layout after a change; the same object when there is nothing to change. */
function changed(before: Configuration, change: Exclude<Change, { kind: 'settle' }>): Layout {
  const { layout, strategy } = before;
  switch (change.kind) {
    case 'admit':
      return admitted(layout, change.member, strategy);
    case 'remove':
      return memberOf(layout, change.id) === undefined ? layout : without(layout, change.id);
    case 'replace': {
      if (memberOf(layout, change.id) === undefined) {
        return admitted(layout, change.member, strategy);
      }
      return withMember(without(layout, change.id), change.member);
    }
    case 'weigh': {
      const member = required(layout, change.id);
      if (member.weight === change.weight) return layout;
      return withMember(layout, { ...member, weight: change.weight });
    }
    case 'pass': {
      const isLeaving = before.leaving && memberOf(before.leaving, change.id) !== undefined;
      if (isLeaving && memberOf(layout, change.id) === undefined) return layout;
      const member = required(layout, change.id);
      if (member.passedOver === change.passedOver) return layout;
      return withMember(layout, { ...member, passedOver: change.passedOver });
    }
    case 'replicas':
      return layout.replicas === change.count ? layout : { ...layout, replicas: change.count };
    case 'split': {
      const ranges = divided(layout.ranges, change.from);
      return ranges === layout.ranges ? layout : { ...layout, ranges };
    }
  }
}

/** What of a layout decides who owns a partition, apart from who comes first. */
export function ownershipOf({ members, replicas, ranges }: Layout): string {
  const owners = members.map(({ id, weight, zone }) => [id, weight, zone]);
  return JSON.stringify([owners, replicas, ranges.map(({ id, from }) => [id, ...from])]);
}

function order({ members }: Layout): string {
  return JSON.stringify(members.map(({ id, passedOver }) => [id, passedOver]));
}

/** The layout that is being left, with what is new about the addresses of its members. */
function followed(leaving: Layout, layout: Layout): Layout {
  const members = leaving.members.map((old) => {
    const now = memberOf(layout, old.id);
    return now === undefined ? old : { ...now, weight: old.weight, zone: old.zone };
  });
  return { ...leaving, members };
}

function stepped(before: Configuration, layout: Layout): Configuration {
  const moves = ownershipOf(before.layout) !== ownershipOf(layout);
  const number = before.number + 1;
  const { leaving: older, ...head } = before;
  const from = older ?? (moves ? before.layout : undefined);
  const arrived = from === undefined || ownershipOf(from) === ownershipOf(layout);
  const turned = moves || order(before.layout) !== order(layout);
  const epoch = turned ? number : before.epoch;
  const next = { ...head, number, previous: digestOfConfiguration(before), epoch, layout };
  return arrived ? next : { ...next, leaving: followed(from, layout) };
}

function settled(before: Configuration, number: number): Configuration {
  const { leaving, ...head } = before;
  if (leaving === undefined || before.number !== number) return before;
  const next = before.number + 1;
  // Until now the first owners were those of the layout that is being left.
  const epoch = isLed(before.strategy) ? next : before.epoch;
  return { ...head, number: next, previous: digestOfConfiguration(before), epoch };
}

/** Passes a member over, or no longer, that owns something only until the moves are done. */
function passedWhileLeaving(
  before: Configuration,
  { id, passedOver }: { readonly id: string; readonly passedOver: boolean },
): Configuration | undefined {
  const { leaving, layout } = before;
  if (leaving === undefined || memberOf(layout, id) !== undefined) return undefined;
  const member = memberOf(leaving, id);
  if (member === undefined || member.passedOver === passedOver) return undefined;
  const number = before.number + 1;
  const previous = digestOfConfiguration(before);
  const left = withMember(leaving, { ...member, passedOver });
  return { ...before, number, previous, epoch: number, leaving: left };
}

/**
 * The configuration after a change; the same object when the change is made already. Throws
 * `ChangeError` when it can't be made.
 */
export function applied(before: Configuration, change: Change): Configuration {
  if (change.kind === 'settle') return settled(before, change.number);
  const passed = change.kind === 'pass' ? passedWhileLeaving(before, change) : undefined;
  if (passed !== undefined) return passed;
  const layout = changed(before, change);
  if (layout === before.layout) return before;
  const after = stepped(before, layout);
  const flaw = flawOf(after);
  if (flaw !== undefined) throw new ChangeError(flaw);
  return after;
}

/** Whether a change can be applied to any configuration at all. */
export function isSound(change: Change): boolean {
  const { kind } = change;
  if (kind === 'remove' || kind === 'weigh' || kind === 'pass') return isMemberId(change.id);
  return kind !== 'split' || (change.from.length > 0 && change.from.length <= MAX_SPLIT_BYTES);
}
