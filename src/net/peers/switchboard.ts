/**
 * Where requests of clients are carried out that are not simply carried out here. A node that does
 * not own a key passes the request on to an owner; what depends on what is there (counters,
 * conditions) goes to the first owner that lives, so that one node decides; a change with a level
 * is claimed (`claims.ts`); a read with one asks several owners (`manyRead.ts`).
 *
 *   frame ─▶ all for here? ──yes──▶ the lane
 *              │ no
 *              ├─ for here ─▶ the lane
 *              ├─ for others ─▶ forwarder ─▶ answer under the client's id
 *              ├─ of a session that has seen more than this node ─▶ `sessions.ts`
 *              └─ too few owners ─▶ UNAVAILABLE
 *
 * Requests of other nodes are always for here: whoever passes one on has chosen this node, and two
 * nodes that know different configurations must not play ball with it. Without other members a
 * frame costs one comparison.
 */
import type { Clock } from '../../base/clock.js';
import type { Timers } from '../../base/timers.js';
import { answerMessage } from '../../protocol/answer.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { RequestReader } from '../../protocol/requestReader.js';
import { FIRST_ERROR, STATUS } from '../../protocol/status.js';
import { FLAG_PEEK, ID_AT, LEVEL_ALL, OP_GET, OP_WITNESS } from '../../protocol/wire.js';
import type { Reach } from '../../replication/reach.js';
import { isReached, type Level, type Owners } from '../../replication/tally.js';
import { type Member, membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Party } from '../party.js';
import { dealtByClock } from './clockDesk.js';
import { tooEarly } from './early.js';
import { Fences, isFenced } from './fences.js';
import { isForHere } from './forHere.js';
import type { Forwarder } from './forwarder.js';
import { answerUnder, dependsOnPresent, isChange, isRouted } from './headers.js';
import type { HeatWriter } from './heat.js';
import { Inquirer, type Settle } from './inquirer.js';
import { countedIn, LEVELLED, ledWay } from './ledWay.js';
import type { ManyAsked } from './manyRead.js';
import { readFromOwners } from './ownersRead.js';
import { Sessions } from './sessions.js';

/** What a switchboard works with. */
export interface SwitchboardParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly timers: Timers;
  /** What requests of clients are noted with, where keys are divided into ranges. */
  readonly heat?: HeatWriter | undefined;
  /** Bytes of waiting requests that one party may have. */
  readonly maxWaitingBytes: number;
  /** Grants of the node itself when it does what a peer would. */
  readonly grants: number;
  readonly join: (party: Party) => void;
  /** Takes a frame of a party to be executed here. */
  readonly submit: (party: Party, frame: Uint8Array) => void;
  /** Delivers answers to a party. */
  readonly deliver: (party: Party, answers: Uint8Array) => void;
}

const LEVELS: readonly Level[] = ['one', 'quorum', 'all'];
/** How long a request is tried whose client has set no deadline. */
const PATIENCE_MS = 5000;
/** A read that an owner has not answered for so long is asked of the next one, too. */
const HEDGE_MS = 250;

interface Asked {
  readonly party: Party;
  readonly id: number;
  readonly opcode: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
  readonly untilMs: number;
}

/** One thread's; see the top of this file. */
export class Switchboard {
  readonly #parts: SwitchboardParts;
  readonly #inquirer: Inquirer;
  /** What clients have to see of their own writes. */
  readonly sessions: Sessions;
  readonly #fences: Fences;
  readonly #unlisten: () => void;
  /** It is known who the members are. */
  #knows = false;
  /** There are other members. */
  #many = false;
  /** Requests are noted; under slots they are not. */
  #heat: HeatWriter | undefined;
  /** Each key is this node's, among others'. */
  #ownsAll = false;

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
    this.#inquirer = new Inquirer(parts.grants);
    parts.join(this.#inquirer);
    const resume = (party: Party, frame: Uint8Array): void => {
      const rest = this.#take(party, frame);
      if (rest !== undefined) parts.submit(party, rest);
    };
    this.sessions = new Sessions({ ...parts, resume });
    this.#fences = new Fences(parts);
    this.#unlisten = parts.view.onConfiguration(() => this.#arrange());
    this.#arrange();
  }

  #arrange(): void {
    const { view, forwarder, heat } = this.#parts;
    const { placement, leaving, selfIndex } = view;
    this.#heat = view.configuration?.partitioner === 'range' ? heat : undefined;
    const members = placement?.members ?? [];
    this.#knows = placement !== undefined;
    this.#many = members.length > 1 || leaving !== undefined;
    const owners = members.filter(({ weight }) => weight > 0).length;
    const isOwner = (members[selfIndex]?.weight ?? 0) > 0;
    this.#ownsAll = isOwner && leaving === undefined && placement?.copies === owners;
    const others = membersOf(view.configuration).filter(({ id }) => id !== view.self);
    forwarder.keep(new Set(others.map(({ id }) => id)));
    for (const member of others) forwarder.reaches(member);
  }

  /** Takes a client's frame; what of it is to be executed here, perhaps nothing. */
  admit(party: Party, frame: Uint8Array): Uint8Array | undefined {
    if (party.isPeer && isFenced(frame)) {
      const rest = this.#fences.pass(party, frame);
      if (rest === undefined || !this.#many) return rest;
      return this.#parts.view.isLed ? this.#sort(party, rest, true) : this.#take(party, rest);
    }
    const { reach, deliver } = this.#parts;
    if (!this.#knows && !party.isPeer) return tooEarly(party, frame, deliver);
    // A peer may know the cluster before this thread does.
    if (!this.#many && !(party.isPeer && reach.isLacking)) return frame;
    if (this.#heat !== undefined && !party.isPeer) this.#heat.note(frame);
    const { session } = party;
    if (session !== undefined && this.sessions.hold(party, session, frame)) return undefined;
    return this.#take(party, frame);
  }

  #take(party: Party, frame: Uint8Array): Uint8Array | undefined {
    const isHere = isForHere(this.#parts, party, frame, this.#ownsAll);
    return isHere ? frame : this.#sort(party, frame);
  }

  /** Deals with each request of a frame by itself; what is left is for here. */
  #sort(party: Party, frame: Uint8Array, fenced = false): Uint8Array | undefined {
    const reader = new RequestReader(frame);
    const here: Uint8Array[] = [];
    while (reader.next()) {
      if (reader.opcode === OP_WITNESS) this.sessions.witness(party, reader, frame);
      else if (dealtByClock(this.#parts, party, reader, frame)) continue;
      else if (fenced || this.#isHere(party, frame, reader)) {
        here.push(frame.subarray(reader.at, reader.end));
      }
    }
    // What makes no sense is for the core to refuse.
    if (reader.malformed) here.push(frame.subarray(reader.at));
    return here.length === 0 ? undefined : Buffer.concat(here);
  }

  #isHere(party: Party, frame: Uint8Array, reader: RequestReader): boolean {
    return isRouted(reader.opcode)
      ? this.#route(party, frame, reader)
      : this.#fences.admits(party, reader);
  }

  /** Deals with a request about a key; true when it is to be executed here. */
  #route(party: Party, frame: Uint8Array, reader: RequestReader): boolean {
    const { view, clock, reach } = this.#parts;
    const { opcode, flags, level, id } = reader;
    // What is not as it should be is refused by the core, and peeking is not for clients.
    if (level > LEVEL_ALL || reader.valueAt === reader.keyAt) return true;
    const isPeek = (flags & FLAG_PEEK) !== 0;
    if (isPeek && !party.isPeer) return true;
    const key = reader.key();
    const untilMs = clock.monotonicMs() + (reader.deadlineMs || PATIENCE_MS);
    const bytes = frame.slice(reader.at, reader.end);
    const asked: Asked = { party, id, opcode, flags, bytes, untilMs };
    // A node that has lost its memory says nothing where it would count.
    const mayTell = level === 0 || !reach.isLacking;
    if (isPeek) return mayTell || this.#refuse(asked, STATUS.UNAVAILABLE);
    if (view.isLed) return this.#routeLed(asked, key, LEVELS[level] as Level);
    const targets = view.route(key);
    if (opcode === OP_GET && this.#readInSession(asked, key, flags, level)) return false;
    const isLate = isChange(opcode) && reach.isOff;
    if (party.isPeer && isLate) return this.#refuse(asked, STATUS.UNAVAILABLE);
    if (!party.isPeer) {
      const usable = this.#usable(targets).filter(({ id }) => !isLate || id !== view.self);
      const [first] = usable;
      const elsewhere =
        isLate || !view.holds(key) || (dependsOnPresent(opcode, flags) && first?.id !== view.self);
      if (elsewhere && first !== undefined) {
        this.#forward(asked, usable);
        return false;
      }
      if (elsewhere && first === undefined) return this.#refuse(asked, STATUS.UNAVAILABLE);
    }
    return level === 0 || this.#routeWithLevel(asked, key, flags, LEVELS[level] as Level);
  }

  /** The same where owners have roles. */
  #routeLed(asked: Asked, key: Uint8Array, level: Level): boolean {
    const { view, reach } = this.#parts;
    const way = ledWay(view, reach, { ...asked, key });
    if (way.kind === 'here') return true;
    if (way.kind === LEVELLED) {
      return level === 'one' || this.#routeWithLevel(asked, key, asked.flags, level);
    }
    if (way.kind === 'down the chain') return this.#claim(asked, 'all', way.owners);
    const to = way.kind === 'on' ? this.#usable(way.to) : [];
    if (to.length === 0) return this.#refuse(asked, STATUS.UNAVAILABLE);
    this.#forward(asked, to);
    return false;
  }

  /**
   * Deals with a read that has to see writes of its session which whoever answers it may lack: asks
   * those who carried them out as well.
   */
  #readInSession(asked: Asked, key: Uint8Array, flags: number, level: number): boolean {
    const { view } = this.#parts;
    const { session } = asked.party;
    if (session === undefined) return false;
    const usable = this.#usable(view.route(key));
    const base = view.holds(key) ? view.memberOf(view.self) : usable[0];
    if (base === undefined) return false;
    const { ids, lost } = this.sessions.askedBeside(session, base.id);
    if (ids.size === 0 && !lost) return false;
    if (lost) for (const { id } of usable) ids.add(id);
    ids.add(base.id);
    const groups = level === 0 ? [[base]] : view.groupsOf(key);
    const isLevel = LEVELS[level] ?? 'one';
    this.#readMany(asked, { key, flags, level: isLevel, groups, required: ids });
    return true;
  }

  /** Those who can be asked, the first to ask first. */
  #usable(targets: readonly Member[]): Member[] {
    const { view, forwarder } = this.#parts;
    return targets.filter(
      (member) => member.id === view.self || (view.isAlive(member.id) && forwarder.reaches(member)),
    );
  }

  #refuse({ party, id, opcode }: Asked, status: number): boolean {
    this.#parts.deliver(party, answerMessage({ id, opcode, status }));
    return false;
  }

  #routeWithLevel(asked: Asked, key: Uint8Array, flags: number, level: Level): boolean {
    const { view, reach } = this.#parts;
    const groups = view.groupsOf(key);
    const owners = countedIn(view, groups);
    const isRead = asked.opcode === OP_GET;
    const usable = new Set(this.#usable(groups.flat()).map(({ id }) => id));
    const has = (id: string): boolean => {
      if (id === view.self) return true;
      const row = reach.rowOf(id);
      return usable.has(id) && (isRead || (row !== undefined && reach.isConnected(row)));
    };
    if (!isReached(owners, level, has)) return this.#refuse(asked, STATUS.UNAVAILABLE);
    if (isRead) {
      this.#readMany(asked, { key, flags, level, groups });
      return false;
    }
    return this.#claim(asked, level, () => owners);
  }

  /** It is to be executed here, and answered when enough owners have the change. */
  #claim({ party, id, untilMs }: Asked, level: Level, owners: () => Owners): boolean {
    party.claim(id, { owners, level, untilMs, generations: this.#parts.reach.generations() });
    return true;
  }

  #readMany({ party, id, untilMs }: Asked, read: ManyAsked): void {
    const inquire = (request: Uint8Array, settle: Settle): void => this.inquire(request, settle);
    readFromOwners({ ...this.#parts, inquire }, read, untilMs, (answer) => {
      new DataView(answer.buffer, answer.byteOffset).setUint32(ID_AT, id, true);
      if (party.slot >= 0) this.#parts.deliver(party, answer);
    });
  }

  /** Asks the first of some owners; a read goes on to the next one if that says nothing. */
  #forward(asked: Asked, targets: readonly Member[]): void {
    const { forwarder, clock, view, submit } = this.#parts;
    const { party, opcode, flags, bytes, untilMs } = asked;
    const [target, ...rest] = targets;
    if (target === undefined || party.slot < 0) {
      this.#giveUp(asked);
      return;
    }
    if (target.id === view.self) {
      submit(party, bytes);
      return;
    }
    const isRead = opcode === OP_GET;
    const isFree = !dependsOnPresent(opcode, flags);
    const hedgeMs = clock.monotonicMs() + HEDGE_MS;
    const soonMs = isRead && rest.length > 0 ? Math.min(untilMs, hedgeMs) : untilMs;
    forwarder.ask(target, bytes, soonMs, (answer) => {
      if (party.slot < 0) return;
      const isRefused = answer?.status === STATUS.UNAVAILABLE && isFree && rest.length > 0;
      if (isRefused && clock.monotonicMs() < untilMs) this.#forward(asked, rest);
      else if (answer !== undefined) this.#pass(asked, target, answer);
      else if (isRead && clock.monotonicMs() < untilMs) this.#forward(asked, rest);
      else this.#giveUp(asked);
    });
  }

  /** Passes the answer of another node on; in a session, with the mark that covers the change. */
  #pass(asked: Asked, target: Member, answer: AnswerReader): void {
    const { deliver } = this.#parts;
    const { party, id, opcode } = asked;
    const { session } = party;
    const told = answerUnder(id, answer);
    if (session === undefined || opcode === OP_GET || answer.status >= FIRST_ERROR) {
      deliver(party, told);
      return;
    }
    this.sessions.learn(target, (mark) => {
      if (party.slot < 0) return;
      if (mark === undefined) this.#refuse(asked, STATUS.UNDECIDED);
      else {
        session.news.note(mark);
        session.token.note(mark);
        deliver(party, told);
      }
    });
  }

  /** Nobody has answered: what became of a change is unknown. */
  #giveUp(asked: Asked): void {
    if (asked.party.slot < 0) return;
    const isRead = asked.opcode === OP_GET;
    const late = this.#parts.clock.monotonicMs() >= asked.untilMs;
    const failed = late ? STATUS.TIMEOUT : STATUS.UNAVAILABLE;
    this.#refuse(asked, isRead ? failed : STATUS.UNDECIDED);
  }

  /** What other nodes are asked with. */
  get forwarder(): Forwarder {
    return this.#parts.forwarder;
  }

  /** Has this node's own store asked something; settled once, later. */
  inquire(request: Uint8Array, settle: Settle): void {
    this.#parts.submit(this.#inquirer, this.#inquirer.expect(request, settle));
  }

  /** Whether nobody waits for another node. */
  get idle(): boolean {
    return this.#parts.forwarder.idle;
  }

  /** Ends its links. */
  stop(): void {
    this.#unlisten();
    this.sessions.stop();
    this.#parts.forwarder.stop();
  }
}
