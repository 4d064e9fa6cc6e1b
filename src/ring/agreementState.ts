/**
 * What the machine of agreement (`agreement.ts`) is made of: what a node knows, what can happen to
 * it, and what follows. All of it is plain data that is never changed.
 */
import type { Ballot } from './ballot.js';
import type { Change } from './change.js';
import { type Configuration, type Member, memberOf } from './configuration.js';
import type { Founding } from './founding.js';
import type { Memory, RegisterName, Value } from './memory.js';
import type { Message } from './message.js';
import type { Round } from './register.js';

/** An attempt of this node, and whom it asks. */
export interface Attempt {
  readonly register: RegisterName;
  /** Ids of members, or addresses (`@host:port`) of those who found. */
  readonly voters: readonly string[];
  readonly round: Round<Value>;
  /** Who has promised, as they call themselves. */
  readonly promisers: readonly Member[];
}

/** All that a node knows of agreements. */
export interface AgreementState {
  /** This node, with the boot of its memory. */
  readonly me: Member;
  /** What has to be kept. */
  readonly memory: Memory;
  /** The cluster that this node may found with others, if it was told whom. */
  readonly founding?: Founding | undefined;
  /** Changes that this node is to bring about, in order. */
  readonly wishes: readonly Change[];
  readonly attempt?: Attempt | undefined;
  /** The highest ballot that was in the way. */
  readonly above?: Ballot | undefined;
}

/** What can happen. */
export type Event =
  | { readonly kind: 'message'; readonly from: string; readonly message: Message }
  /** Somebody wants a change. */
  | { readonly kind: 'wish'; readonly change: Change }
  /**
   * Time has passed without a result: try again. `peers` are whom to ask to be taken in: ids, or
   * addresses as in a list.
   */
  | { readonly kind: 'retry'; readonly peers: readonly string[] }
  /** This entry of the list of those who found turns out to be this node. */
  | { readonly kind: 'recognised'; readonly self: string }
  /** Give up a cluster of one, and ask `peers` to be taken in. */
  | { readonly kind: 'dissolve'; readonly peers: readonly string[] };

/** A message and its addressee. */
export interface Send {
  readonly to: string;
  readonly message: Message;
}

/** What follows from an event. */
export interface Effects {
  readonly state: AgreementState;
  /** Whether the memory has to be kept before anything is sent. */
  readonly store: boolean;
  readonly sends: readonly Send[];
  /** The configuration that is known from now on, when it is another one. */
  readonly learned?: Configuration | undefined;
  /** A wish that can't be fulfilled, and why. */
  readonly refused?: { readonly change: Change; readonly why: string } | undefined;
}

/** Wishes that wait. */
export const MAX_WISHES = 64;

/** A node before anything has happened. */
export function agreementOf(me: Member, memory: Memory, founding?: Founding): AgreementState {
  const state = { me: { ...me, boot: memory.boot }, memory, wishes: [] };
  return founding === undefined ? state : { ...state, founding };
}

/** Whether this node, with its memory, is a member of a configuration. */
export function isVoter({ me }: AgreementState, { layout }: Configuration): boolean {
  return memberOf(layout, me.id)?.boot === me.boot;
}

/** Whether this node is all there is of its cluster. */
export function isAlone(state: AgreementState): boolean {
  const { current } = state.memory;
  return current?.layout.members.length === 1 && isVoter(state, current);
}

/** Whether this node was started to join others, and `configuration` is that of such a cluster. */
export function isToldToJoin(
  { founding, memory }: AgreementState,
  { name }: Configuration,
): boolean {
  const others = founding?.list.some((address) => address !== founding.self) ?? false;
  return others && memory.current?.name === name;
}
