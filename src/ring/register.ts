/**
 * One register that a group of nodes agrees on, by single-decree Paxos; without clocks, messages or
 * disks, so that whoever needs agreement can use it: the steps of the configuration here, keys with
 * strong consistency elsewhere.
 *
 *   proposer                         acceptors
 *      | -- prepare(ballot) ------------> |   promise: nothing below this ballot any more
 *      | <- promised(what is accepted) -- |
 *      |    of a quorum: the value accepted under the highest ballot, changed as is wished
 *      | -- accept(ballot, value) ------> |   accepted, if nothing higher is promised
 *      | <- accepted ------------------- |
 *      |    of a quorum: the value is chosen
 *
 * An acceptor must have its state on disk before its answer leaves; one that forgets is not the
 * same acceptor any more. A register that is to be written once is proposed to with a change that
 * keeps any value that is there; one that is changed again and again, with a change of that value
 * (CASPaxos). Any two quorums of a register have to share an acceptor.
 */
import { type Ballot, compareBallots, higherBallot } from './ballot.js';

/** A value, and the ballot under which it was accepted. */
export interface Accepted<V> {
  readonly ballot: Ballot;
  readonly value: V;
}

/** What an acceptor remembers of a register. */
export interface Acceptor<V> {
  readonly promised?: Ballot | undefined;
  readonly accepted?: Accepted<V> | undefined;
}

/** What a proposer asks of an acceptor. */
export type Request<V> =
  | { readonly kind: 'prepare'; readonly ballot: Ballot }
  | { readonly kind: 'accept'; readonly ballot: Ballot; readonly value: V };

/** What an acceptor answers; `ballot` is that of the request. */
export type Answer<V> =
  | { readonly kind: 'promised'; readonly ballot: Ballot; readonly accepted?: Accepted<V> }
  | { readonly kind: 'accepted'; readonly ballot: Ballot }
  | { readonly kind: 'refused'; readonly ballot: Ballot; readonly promised: Ballot };

/** What an acceptor is and says after a request. */
export interface Reaction<V> {
  readonly acceptor: Acceptor<V>;
  readonly answer: Answer<V>;
}

/** What an acceptor does with a request: the state it returns has to be kept before it answers. */
export function react<V>(acceptor: Acceptor<V>, request: Request<V>): Reaction<V> {
  const { ballot } = request;
  const { promised, accepted } = acceptor;
  if (promised !== undefined && compareBallots(ballot, promised) < 0) {
    return { acceptor, answer: { kind: 'refused', ballot, promised } };
  }
  if (request.kind === 'accept') {
    const { value } = request;
    const next = { promised: ballot, accepted: { ballot, value } };
    return { acceptor: next, answer: { kind: 'accepted', ballot } };
  }
  const next = accepted === undefined ? { promised: ballot } : { promised: ballot, accepted };
  const answer = { kind: 'promised', ballot } as const;
  return { acceptor: next, answer: accepted === undefined ? answer : { ...answer, accepted } };
}

/** A proposer's attempt under one ballot. */
export interface Round<V> {
  readonly ballot: Ballot;
  /** `lost` when somebody has a higher ballot, or the change was not possible. */
  readonly phase: 'preparing' | 'accepting' | 'chosen' | 'lost';
  /** Who has promised, or in the second phase who has accepted. */
  readonly heard: ReadonlySet<string>;
  /** What was accepted under the highest ballot among the promises. */
  readonly found?: Accepted<V> | undefined;
  /** The value of the second phase. */
  readonly value?: V | undefined;
  /** The highest ballot that stood in the way. */
  readonly above?: Ballot | undefined;
}

/** What decides a round. */
export interface Rules<V> {
  /** Whether these acceptors are a quorum. */
  readonly isQuorum: (heard: ReadonlySet<string>) => boolean;
  /** The value to write where `current` was; nothing when there is nothing to write. */
  readonly change: (current: V | undefined) => V | undefined;
}

/** A round that begins: its prepare is to be sent to all acceptors. */
export function roundOf<V>(ballot: Ballot): Round<V> {
  return { ballot, phase: 'preparing', heard: new Set() };
}

function higherAccepted<V>(
  a: Accepted<V> | undefined,
  b: Accepted<V> | undefined,
): Accepted<V> | undefined {
  return compareBallots(a?.ballot, b?.ballot) >= 0 ? a : b;
}

function prepared<V>(round: Round<V>, rules: Rules<V>): Round<V> {
  if (!rules.isQuorum(round.heard)) return round;
  const value = rules.change(round.found?.value);
  if (value === undefined) return { ...round, phase: 'lost' };
  return { ...round, phase: 'accepting', heard: new Set(), value };
}

/**
 * The round after an answer. When its phase turns to `accepting`, the accept of its value is to be
 * sent to all acceptors; when it turns to `chosen`, the value is agreed for good.
 */
export function hear<V>(
  round: Round<V>,
  from: string,
  answer: Answer<V>,
  rules: Rules<V>,
): Round<V> {
  if (compareBallots(answer.ballot, round.ballot) !== 0) return round;
  const heard = new Set([...round.heard, from]);
  if (answer.kind === 'refused') {
    if (round.phase === 'chosen') return round;
    return { ...round, phase: 'lost', above: higherBallot(round.above, answer.promised) };
  }
  if (answer.kind === 'promised' && round.phase === 'preparing') {
    const found = higherAccepted(round.found, answer.accepted);
    return prepared({ ...round, heard, found }, rules);
  }
  if (answer.kind === 'accepted' && round.phase === 'accepting') {
    return rules.isQuorum(heard) ? { ...round, heard, phase: 'chosen' } : { ...round, heard };
  }
  return round;
}

/** Whether `heard` are more than half of `voters`. */
export function isMajority(heard: ReadonlySet<string>, voters: readonly string[]): boolean {
  const count = voters.filter((voter) => heard.has(voter)).length;
  return 2 * count > voters.length;
}
