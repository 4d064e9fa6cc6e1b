/**
 * How the configuration moves: the machine that each node runs. Nothing happens in it but by an
 * event, and all it does is in the effects: keep the memory first, then send.
 *
 * Problem: everybody has to agree on who owns what, whoever dies or is cut off. The obvious way, a
 * ring of those who seem alive, gives both sides of a partition a ring of their own, and each a
 * quorum. So there is one history of configurations, and for each number one register
 * (`register.ts`) whose acceptors are the members of the configuration before. By induction there
 * is at most one configuration of each number, and a minority changes nothing.
 *
 * The founding is a register, too. Its acceptors are the entries of the list of those who were
 * started together, by their addresses, and its quorum is more than half of them: it can't happen
 * twice. Whoever promised is a member of what is founded, the others join. A node without a list
 * is a list of its own.
 *
 * A node that lost its memory has another boot. It is then no acceptor of any step, although it has
 * the name of one, until it has been admitted anew. (In a founding nobody knows the boots of the
 * others: a node without a disk that restarts within it is taken for new. docs/cluster.md)
 *
 * A node alone can be told to join another cluster, or was started to join whoever is on its list
 * and meets another cluster there. It seals itself first: since it is the only acceptor of its own
 * steps, its cluster can't change any more, and it may forget it.
 */
import {
  type AgreementState,
  type Attempt,
  type Effects,
  type Event,
  isAlone,
  isToldToJoin,
  isVoter,
  MAX_WISHES,
  type Send,
} from './agreementState.js';
import { higherBallot } from './ballot.js';
import { applied, type Change, ChangeError } from './change.js';
import { type Configuration, type Member, memberOf, NO_DIGEST } from './configuration.js';
import {
  decodeConfiguration,
  digestOfConfiguration,
  encodeConfiguration,
} from './configurationCodec.js';
import { FormatError, soundly } from './fields.js';
import { foundedBy } from './founding.js';
import { type Memory, type RegisterName, sameRegister, type Value } from './memory.js';
import type { Message } from './message.js';
import { hear, isMajority, type Rules, react, roundOf } from './register.js';

/** A run of the machine: the state as it changes, and what is to be sent. */
class Run {
  state: AgreementState;
  readonly #before: Memory;
  readonly #sends: Send[] = [];
  /** What this node says to itself; no other node has to be awake for that. */
  readonly #own: Message[] = [];
  #refused: Effects['refused'];

  constructor(state: AgreementState) {
    this.state = state;
    this.#before = state.memory;
  }

  effects(): Effects {
    for (let own = this.#own.shift(); own !== undefined; own = this.#own.shift()) {
      this.message(this.#nameOf(own), own);
    }
    const { state } = this;
    const { current } = state.memory;
    const learned = current === this.#before.current ? undefined : current;
    const store = state.memory !== this.#before;
    return { state, store, sends: this.#sends, learned, refused: this.#refused };
  }

  /** How this node calls itself among those it asks: by its address while it founds. */
  #nameOf(own: Message): string {
    const { founding, me, memory } = this.state;
    const founds = 'register' in own && own.register.group !== memory.current?.cluster;
    return founds && founding?.self !== undefined ? founding.self : me.id;
  }

  #send(to: string, message: Message): void {
    const { me, founding } = this.state;
    if (to === me.id || to === founding?.self) this.#own.push(message);
    else this.#sends.push({ to, message });
  }

  #remember(changes: Partial<Memory>): void {
    this.state = { ...this.state, memory: { ...this.state.memory, ...changes } };
  }

  // What is agreed.

  /** Takes a later configuration of its own cluster, or the first one that it is a member of. */
  learn(configuration: Configuration): boolean {
    const { current } = this.state.memory;
    const ours = current?.cluster === configuration.cluster;
    if (ours && configuration.number <= current.number) return false;
    if (!ours && !(this.#isFreeFor(configuration) && isVoter(this.state, configuration))) {
      return false;
    }
    const register = { group: configuration.cluster, number: configuration.number + 1 };
    this.#remember({ current: configuration, register, acceptor: {}, sealed: false });
    this.state = { ...this.state, attempt: undefined, above: undefined };
    return true;
  }

  /**
   * Whether this node may become a member of another cluster: it has none, has given up its own, or
   * that can never have a majority again because the other cluster has most of its members without
   * their memories.
   */
  #isFreeFor({ layout, name }: Configuration): boolean {
    const { current, sealed } = this.state.memory;
    if (current === undefined || sealed) return true;
    if (current.name !== name) return false;
    const { members } = current.layout;
    const intact = members.filter(({ id, boot }) => {
      const there = memberOf(layout, id);
      return there === undefined || there.boot === boot;
    });
    return 2 * intact.length <= members.length;
  }

  #chosen({ register, voters, round }: Attempt): void {
    const configuration = decodeConfiguration(round.value as Value);
    const before = this.state.memory.current;
    this.state = { ...this.state, attempt: undefined };
    if (!this.learn(configuration) && register.group === before?.cluster) return;
    const told = new Set([...voters, ...configuration.layout.members.map(({ id }) => id)]);
    for (const to of told) {
      if (to !== this.state.me.id && to !== this.state.founding?.self) {
        this.#send(to, { kind: 'learned', configuration });
      }
    }
    this.pursue();
  }

  // The proposer.

  #begin(register: RegisterName, voters: readonly string[]): void {
    const { me, memory, above } = this.state;
    const top = higherBallot(above, memory.acceptor.promised);
    const ballot = { round: (top?.round ?? 0) + 1, id: me.id, boot: me.boot };
    const round = roundOf<Value>(ballot);
    this.state = { ...this.state, attempt: { register, voters, round, promisers: [] } };
    const request = { kind: 'prepare', ballot } as const;
    for (const to of voters) this.#send(to, { kind: 'request', register, request });
  }

  /** Begins to bring about the first wish that is not fulfilled. */
  pursue(): void {
    const { memory, wishes, attempt } = this.state;
    const { current } = memory;
    if (attempt !== undefined || current === undefined || !isVoter(this.state, current)) return;
    const open = wishes.findIndex((change) => this.#isOpen(current, change));
    this.state = { ...this.state, wishes: open < 0 ? [] : wishes.slice(open) };
    if (open < 0 || memory.sealed) return;
    const voters = current.layout.members.map(({ id }) => id);
    this.#begin({ group: current.cluster, number: current.number + 1 }, voters);
  }

  #isOpen(current: Configuration, change: Change): boolean {
    try {
      const next = applied(current, change);
      if (next !== current) encodeConfiguration(next);
      return next !== current;
    } catch (error) {
      if (!(error instanceof ChangeError || error instanceof FormatError)) throw error;
      this.#refused = { change, why: error.message };
      return false;
    }
  }

  /** What this node writes where nothing is written yet. */
  #proposal(promisers: readonly Member[]): Value | undefined {
    const { memory, founding, wishes } = this.state;
    const { current } = memory;
    if (current === undefined) {
      const first = founding === undefined ? undefined : foundedBy(founding, promisers);
      return first === undefined ? undefined : encodeConfiguration(first);
    }
    const [change] = wishes;
    return change !== undefined && this.#isOpen(current, change)
      ? encodeConfiguration(applied(current, change))
      : undefined;
  }

  #answered(from: string, { answer, register, member }: Message & { kind: 'answer' }): void {
    const { attempt } = this.state;
    if (attempt === undefined || !sameRegister(attempt.register, register)) return;
    if (!attempt.voters.includes(from)) return;
    const promises = answer.kind === 'promised' && !attempt.round.heard.has(from);
    const promisers =
      promises && member !== undefined ? [...attempt.promisers, member] : attempt.promisers;
    const rules: Rules<Value> = {
      isQuorum: (heard) => isMajority(heard, attempt.voters),
      change: (found) => found ?? this.#proposal(promisers),
    };
    const round = hear(attempt.round, from, answer, rules);
    const next = { ...attempt, round, promisers };
    this.state = { ...this.state, attempt: next };
    if (round.phase !== attempt.round.phase) this.#turned(next);
  }

  #turned(attempt: Attempt): void {
    const { round, register, voters } = attempt;
    if (round.phase === 'chosen') {
      this.#chosen(attempt);
    } else if (round.phase === 'lost') {
      const above = higherBallot(this.state.above, round.above);
      this.state = { ...this.state, attempt: undefined, above };
    } else if (round.phase === 'accepting' && round.value !== undefined) {
      const request = { kind: 'accept', ballot: round.ballot, value: round.value } as const;
      for (const to of voters) this.#send(to, { kind: 'request', register, request });
    }
  }

  // The acceptor.

  #asked(from: string, message: Message & { kind: 'request' }): void {
    const { current, sealed } = this.state.memory;
    const { register, request } = message;
    const ours = current?.cluster === register.group && current.number + 1 === register.number;
    const votes = ours && isVoter(this.state, current) && !sealed;
    const may = votes || this.#founds(register);
    if (!may) this.#enlighten(from, register);
    else if (this.#isSane(message)) {
      const { acceptor, answer } = react(this.#acceptorOf(register), request);
      this.#remember({ register, acceptor });
      this.#send(from, { kind: 'answer', register, answer, member: this.state.me });
    }
  }

  /** A blank node takes part in the founding that it was told of. */
  #founds(register: RegisterName): boolean {
    const { memory, founding } = this.state;
    const invited = founding?.self !== undefined;
    const theirs = founding?.group === register.group && register.number === 1;
    return memory.current === undefined && invited && theirs;
  }

  #acceptorOf(register: RegisterName): Memory['acceptor'] {
    const { memory } = this.state;
    return sameRegister(memory.register, register) ? memory.acceptor : {};
  }

  /** A step that does not follow from the configuration here is nobody's proposal. */
  #isSane({ register, request }: Message & { kind: 'request' }): boolean {
    if (request.kind === 'prepare') return true;
    const { current } = this.state.memory;
    const step = decoded(request.value);
    if (step === undefined || step.number !== register.number) return false;
    if (current === undefined) return step.previous === NO_DIGEST;
    return step.cluster === current.cluster && step.previous === digestOfConfiguration(current);
  }

  /** Tells who is behind, asks who is ahead. */
  #enlighten(from: string, { group, number }: RegisterName): void {
    const { current } = this.state.memory;
    if (current === undefined) return;
    const ahead = group === current.cluster && number > current.number + 1;
    const { cluster } = current;
    if (ahead) this.#send(from, { kind: 'ask', cluster, number: current.number });
    else if (number <= current.number || group !== cluster) {
      this.#send(from, { kind: 'learned', configuration: current });
    }
  }

  // Joining.

  #joining(from: string, { member, sealed, cluster }: Message & { kind: 'join' }): void {
    const { current } = this.state.memory;
    if (current === undefined || !isVoter(this.state, current)) return;
    if (this.state.memory.sealed) {
      // Both gave up their clusters for each other's. The lower one stays: neither can have been
      // taken into the other's, which can't change.
      if (!sealed || current.cluster > cluster) return;
      this.#remember({ sealed: false });
    }
    if (memberOf(current.layout, member.id)?.boot === member.boot) {
      this.#send(from, { kind: 'learned', configuration: current });
    }
    this.wish({ kind: 'admit', member });
  }

  wish(change: Change): void {
    const { wishes } = this.state;
    const key = JSON.stringify(change);
    const known = wishes.some((other) => JSON.stringify(other) === key);
    if (!known && wishes.length < MAX_WISHES) {
      this.state = { ...this.state, wishes: [...wishes, change] };
    }
    this.pursue();
  }

  #join(to: string): void {
    const { me, memory } = this.state;
    const cluster = memory.current?.cluster ?? NO_DIGEST;
    this.#send(to, { kind: 'join', member: me, sealed: memory.sealed, cluster });
  }

  /** A configuration that this node is not in: where there is a cluster, one joins it. */
  #heard(from: string, configuration: Configuration): void {
    const { memory } = this.state;
    if (this.learn(configuration)) this.pursue();
    else if (memory.current?.cluster === configuration.cluster) return;
    else if (this.#isFreeFor(configuration)) this.#join(from);
    else if (isToldToJoin(this.state, configuration)) this.dissolve([from]);
  }

  #told(from: string, { cluster, number }: Message & { kind: 'ask' }): void {
    const { current } = this.state.memory;
    if (current === undefined) return;
    if (current.cluster === cluster && current.number <= number) return;
    this.#send(from, { kind: 'learned', configuration: current });
  }

  // Events.

  message(from: string, message: Message): void {
    switch (message.kind) {
      case 'request':
        this.#asked(from, message);
        break;
      case 'answer':
        this.#answered(from, message);
        break;
      case 'learned':
        this.#heard(from, message.configuration);
        break;
      case 'ask':
        this.#told(from, message);
        break;
      case 'join':
        this.#joining(from, message);
    }
  }

  retry(peers: readonly string[]): void {
    const { memory, founding } = this.state;
    const { current } = memory;
    this.state = { ...this.state, attempt: undefined };
    this.pursue();
    if (current !== undefined && !memory.sealed && isVoter(this.state, current)) return;
    if (current === undefined && founding?.self !== undefined) {
      this.#begin({ group: founding.group, number: 1 }, founding.list);
    }
    const seeds = current === undefined ? (founding?.list ?? []) : [];
    for (const to of new Set([...peers, ...seeds])) {
      if (to !== founding?.self) this.#join(to);
    }
  }

  recognised(self: string): void {
    const { founding } = this.state;
    if (founding === undefined || !founding.list.includes(self)) return;
    this.state = { ...this.state, founding: { ...founding, self } };
  }

  dissolve(peers: readonly string[]): void {
    if (!isAlone(this.state)) return;
    this.state = { ...this.state, attempt: undefined, wishes: [] };
    this.#remember({ sealed: true });
    for (const to of peers) this.#join(to);
  }
}

function decoded(value: Value): Configuration | undefined {
  return soundly(() => decodeConfiguration(value));
}

/** What follows from an event. Changes nothing: the new state is in the effects. */
export function agreementStep(state: AgreementState, event: Event): Effects {
  const run = new Run(state);
  switch (event.kind) {
    case 'message':
      run.message(event.from, event.message);
      break;
    case 'wish':
      run.wish(event.change);
      break;
    case 'retry':
      run.retry(event.peers);
      break;
    case 'recognised':
      run.recognised(event.self);
      break;
    case 'dissolve':
      run.dissolve(event.peers);
  }
  return run.effects();
}
