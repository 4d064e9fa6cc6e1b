/**
 * The members as this node knows them, and the rules by which a statement about one takes the place
 * of another; see `member.ts`. Nothing here sends or waits.
 */
import type { Clock } from '../base/clock.js';
import {
  gravityOf,
  isPresent,
  type Member,
  type MemberFacts,
  type MemberRecord,
} from './member.js';
import { INCARNATION_MAX } from './record.js';

/** More members than this are not taken in. */
export const MEMBERS_MAX = 1_024;

/**
 * What became of a statement: it was no news; it holds now; it accuses a suspect once more; or it
 * was about this node and wrong, so that this node has raised its incarnation.
 */
export type Outcome = 'stale' | 'accepted' | 'accusation' | 'refuted';

/** All members, this node included. */
export class Roster {
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();
  readonly #idsByBoot = new Map<string, string>();
  #self: Member;
  /** Present members but this node; undefined after a change. */
  #others: Member[] | undefined;
  /** Boots of other processes that use this node's name, and how often each was outbid. */
  readonly #rivals = new Map<string, number>();

  constructor(facts: MemberFacts, clock: Clock) {
    this.#clock = clock;
    const sinceMs = clock.monotonicMs();
    this.#self = { ...facts, incarnation: 1, state: 'alive', accuser: '', sinceMs };
    this.#put(this.#self);
  }

  /** This node. */
  get self(): Member {
    return this.#self;
  }

  /** Present members, this node included. */
  get presentCount(): number {
    return this.others().length + 1;
  }

  /** All members. */
  all(): Member[] {
    return [...this.#members.values()];
  }

  /** The member of that name. */
  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** The member that was started with this boot id, if it was not started again since. */
  byBoot(boot: string): Member | undefined {
    const id = this.#idsByBoot.get(boot);
    return id === undefined ? undefined : this.#members.get(id);
  }

  /** Present members but this node, in a list that is not to be changed. */
  others(): readonly Member[] {
    this.#others ??= this.all().filter((member) => member !== this.#self && isPresent(member));
    return this.#others;
  }

  /** How often another process with this node's name has insisted on it. */
  get rivalry(): number {
    return Math.max(0, ...this.#rivals.values());
  }

  #put(member: Member): void {
    const before = this.#members.get(member.id);
    if (before !== undefined) this.#idsByBoot.delete(before.boot);
    this.#members.set(member.id, member);
    this.#idsByBoot.set(member.boot, member.id);
    this.#others = undefined;
  }

  /** Drops a member that is gone for good. */
  forget(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined || member === this.#self) return;
    this.#members.delete(id);
    this.#idsByBoot.delete(member.boot);
    this.#others = undefined;
  }

  /** Changes what this node says of itself, under a new incarnation. */
  restate(change: Partial<Pick<MemberRecord, 'state' | 'weight' | 'zone' | 'port'>>): Member {
    return this.#raise(this.#self.incarnation + 1, change);
  }

  #raise(incarnation: number, change: Partial<MemberRecord> = {}): Member {
    const sinceMs = this.#clock.monotonicMs();
    this.#self = { ...this.#self, ...change, incarnation, sinceMs };
    this.#put(this.#self);
    return this.#self;
  }

  /** Weighs a statement against what is known. */
  merge(record: MemberRecord): Outcome {
    if (record.incarnation >= INCARNATION_MAX) return 'stale';
    if (record.id === this.#self.id) return this.#mergeOwn(record);
    const known = this.#members.get(record.id);
    if (known === undefined) return this.#mergeUnknown(record);
    if (record.incarnation < known.incarnation) return 'stale';
    if (record.incarnation === known.incarnation) {
      const graver = gravityOf(record.state) - gravityOf(known.state);
      if (graver < 0) return 'stale';
      if (graver === 0) return record.state === 'suspect' ? 'accusation' : 'stale';
    }
    this.#accept(record, known);
    return 'accepted';
  }

  /** The dead and gone are not worth a place to who never knew them. */
  #mergeUnknown(record: MemberRecord): Outcome {
    if (!isPresent(record) || this.#members.size >= MEMBERS_MAX) return 'stale';
    this.#accept(record, undefined);
    return 'accepted';
  }

  #accept(record: MemberRecord, known: Member | undefined): void {
    const same = known !== undefined && known.state === record.state;
    this.#put({ ...record, sinceMs: same ? known.sinceMs : this.#clock.monotonicMs() });
  }

  /** What others say of this node holds only if it says so itself. */
  #mergeOwn(record: MemberRecord): Outcome {
    const own = this.#self;
    if (record.incarnation < own.incarnation) return 'stale';
    if (record.boot === own.boot) {
      const same = record.incarnation === own.incarnation;
      if (same && gravityOf(record.state) <= gravityOf(own.state)) return 'stale';
    } else if (isPresent(record)) {
      this.#rivals.set(record.boot, (this.#rivals.get(record.boot) ?? 0) + 1);
    }
    this.#raise(record.incarnation + 1);
    return 'refuted';
  }
}
