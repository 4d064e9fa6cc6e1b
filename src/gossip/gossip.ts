/**
 * Membership: who is there, as every node comes to know it, without anybody in charge. This file
 * only joins the parts together; each has its own page:
 *
 *   member, roster       what is known, and which of two statements holds
 *   prober, awareness    finding out who does not answer, and doubting oneself
 *   suspects, suspicion  from suspect to dead
 *   rumours, post        telling everybody, in datagrams that are sent anyway
 *   joiner, discovery    getting in, and back in
 *   exchange, courier    exchanging all that is known, in requests and answers
 *   heralds              one small fact for each topic, for other rooms
 *
 * Gossip says who can be reached. It never says who owns what: two halves of a cut cluster believe
 * different things, and both are right.
 */
import type { Clock } from '../base/clock.js';
import type { Links } from '../base/links.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import { Awareness } from './awareness.js';
import { Malformed } from './bytes.js';
import type { Channel } from './channel.js';
import { Courier } from './courier.js';
import type { Discovery } from './discovery.js';
import { Exchange } from './exchange.js';
import { Figures } from './figures.js';
import { type HeraldListener, Heralds } from './heralds.js';
import { Joiner } from './joiner.js';
import {
  endpointOfMember,
  isPresent,
  type Member,
  type MemberFacts,
  type MemberRecord,
  type MemberState,
  type Seed,
} from './member.js';
import { type Herald, type Message, type Ping, readMessages } from './message.js';
import { encodeMessage, Post } from './post.js';
import { Prober, someOf } from './prober.js';
import { Roster } from './roster.js';
import { Rumours } from './rumours.js';
import { Suspects } from './suspects.js';

/** How often rumours are told beside other datagrams, in milliseconds. */
export const SPREAD_EVERY_MS = 200;
/** To how many others each time. */
const SPREAD_TO = 3;
/** For so long after its death a member is told what is new, in case it lives. */
const WAKE_MS = 30_000;
/** So long a member that left is kept, so that late rumours do not revive it, in milliseconds. */
const KEEP_LEFT_MS = 600_000;
/** So long a dead member is looked for, in milliseconds. */
export const KEEP_DEAD_MS = 86_400_000;
/** How often members that are long gone are dropped, in milliseconds. */
const SWEEP_EVERY_MS = 60_000;
/** How long a leaving node tells the others, in milliseconds. */
const FAREWELL_MS = 1_000;

/** What membership works with. */
export interface GossipParts {
  readonly facts: MemberFacts;
  readonly channel: Channel;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

/** Is told of a member that is new or changed, and the state it had before. */
export type MemberListener = (member: Member, before: MemberState | undefined) => void;

/** The membership of one node; see the top of this file. */
export class Gossip {
  readonly figures = new Figures();
  readonly #parts: GossipParts;
  readonly #roster: Roster;
  readonly #rumours = new Rumours();
  readonly #awareness = new Awareness();
  readonly #heralds = new Heralds();
  readonly #post: Post;
  readonly #courier: Courier;
  readonly #prober: Prober;
  readonly #exchange: Exchange;
  readonly #joiner: Joiner;
  readonly #suspects: Suspects;
  readonly #listeners: MemberListener[] = [];
  #spreading: Timer | undefined;
  #sweeping: Timer | undefined;
  #running = false;

  constructor(parts: GossipParts) {
    const { facts, channel, discovery, clock, timers, random } = parts;
    this.#parts = parts;
    this.#roster = new Roster(facts, clock);
    const roster = this.#roster;
    this.#post = new Post(channel, this.#rumours, roster);
    const post = this.#post;
    const endpoint = (to: string): string | undefined => this.#endpointOf(to);
    this.#courier = new Courier({
      post,
      clock,
      timers,
      random,
      self: facts.id,
      endpointOf: endpoint,
    });
    const awareness = this.#awareness;
    const onFailed = (member: Member): void => this.#accuse(member);
    const onAnswered = (tookMs: number): void => this.figures.probed(tookMs);
    const shared = { roster, clock, timers, random };
    this.#prober = new Prober({ ...shared, post, awareness, onFailed, onAnswered });
    const onEnd = (member: Member): void => this.#bury(member);
    const remind = (member: Member): void => this.#prober.remind(member);
    this.#suspects = new Suspects({ roster, clock, timers, onEnd, remind });
    const links = this.#courier;
    this.#exchange = new Exchange({
      ...shared,
      heralds: this.#heralds,
      links,
      learn: (record) => this.#learn(record),
      learnFact: (fact) => this.#learnFact(fact, true),
      onMalformed: () => {
        this.figures.malformed++;
      },
    });
    this.#joiner = new Joiner({
      ...shared,
      discovery,
      links,
      exchange: this.#exchange,
      knock: remind,
    });
  }

  /** Takes part from now on. */
  start(): void {
    const { channel, timers } = this.#parts;
    this.#running = true;
    channel.onBody((boot, endpoint, body) => this.#receive(boot, endpoint, body));
    channel.onSelf((endpoint) => this.#joiner.isSelf(endpoint));
    this.#tell(this.#roster.self);
    this.#prober.start();
    this.#joiner.start();
    this.#exchange.start();
    this.#sweeping = timers.every(SWEEP_EVERY_MS, () => this.#sweep());
  }

  /** Ends without a word, as if killed. */
  stop(): void {
    this.#running = false;
    this.#prober.stop();
    this.#joiner.stop();
    this.#courier.stop();
    this.#spreading?.cancel();
    this.#sweeping?.cancel();
    this.#exchange.stop();
    this.#suspects.stop();
  }

  /** Says goodbye; `done` is called when there was time for it to be heard. */
  leave(done: () => void): void {
    const record = this.#roster.restate({ state: 'left' });
    const others = this.#roster.others();
    for (const other of others)
      this.#post.send(endpointOfMember(other), { kind: 'rumour', record });
    this.#changed(record, 'alive');
    this.#parts.timers.after(others.length === 0 ? 0 : FAREWELL_MS, () => {
      this.stop();
      done();
    });
  }

  /** Changes what this node says of itself. */
  restate(change: Partial<Pick<MemberRecord, 'weight' | 'zone' | 'port'>>): void {
    this.#changed(this.#roster.restate(change), this.#roster.self.state);
  }

  /** This node. */
  get self(): Member {
    return this.#roster.self;
  }

  /** All members, this node included. */
  members(): Member[] {
    return this.#roster.all();
  }

  /** The member of that name. */
  member(id: string): Member | undefined {
    return this.#roster.get(id);
  }

  /** The list to join, and who answered there. */
  seeds(): Seed[] {
    return this.#joiner.seeds();
  }

  /** Requests to other nodes. */
  get links(): Links {
    return this.#courier;
  }

  /** 0 while this node trusts its own sense of time, up to 8. */
  get healthScore(): number {
    return this.#awareness.score;
  }

  /** How often another process has insisted on this node's name. */
  get rivalry(): number {
    return this.#roster.rivalry;
  }

  /** Adds a listener for members that are new or changed. */
  onChange(listener: MemberListener): void {
    this.#listeners.push(listener);
  }

  /** Tells everybody a small fact; of one topic the highest version holds. */
  herald(topic: number, version: number, bytes: Uint8Array): void {
    this.#learnFact({ kind: 'herald', topic, version, bytes, from: this.self.id }, false);
  }

  /** Sets who is told of a fact with a higher version than before, heard from another node. */
  onHerald(topic: number, listener: HeraldListener): void {
    this.#heralds.listen(topic, listener);
  }

  #endpointOf(to: string): string | undefined {
    const member = this.#roster.get(to);
    if (member !== undefined) return endpointOfMember(member);
    return to.startsWith('@') ? this.#parts.discovery.endpointAt(to.slice(1)) : undefined;
  }

  #receive(boot: string, endpoint: string, body: Uint8Array): void {
    if (!this.#running) return;
    let messages: Message[];
    try {
      messages = readMessages(body);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.figures.malformed++;
      return;
    }
    for (const message of messages) this.#take(boot, endpoint, message);
  }

  #take(boot: string, endpoint: string, message: Message): void {
    switch (message.kind) {
      case 'ping':
        this.#pinged(boot, endpoint, message);
        break;
      case 'ack':
      case 'nack':
        this.#prober.answered(message);
        break;
      case 'relay':
        this.#correct(endpoint, message.target, message.incarnation);
        this.#prober.relay(endpoint, message);
        break;
      case 'rumour':
        this.#heard(endpoint, message.record);
        break;
      case 'herald':
        this.#learnFact(message, true);
        break;
      case 'request':
        this.#courier.asked(boot, endpoint, message);
        break;
      case 'answer':
        this.#courier.answered(endpoint, message);
        break;
      case 'receipt':
        this.#courier.received(boot, message);
    }
  }

  /**
   * Answers, and sets right what is believed of this node, and tells what is believed of theirs.
   */
  #pinged(boot: string, endpoint: string, ping: Ping): void {
    if (ping.target !== this.self.id) return;
    const { state, incarnation, seq } = ping;
    this.#learn({ ...this.self, state, incarnation, accuser: '' });
    const messages: Message[] = [{ kind: 'ack', seq }];
    const { self } = this;
    if (incarnation < self.incarnation) messages.push({ kind: 'rumour', record: self });
    const sender = this.#roster.byBoot(boot);
    if (sender !== undefined && sender.state !== 'alive') {
      messages.push({ kind: 'rumour', record: sender });
    }
    this.#post.send(endpoint, ...messages);
  }

  /** A probe failed. */
  #accuse(target: Member): void {
    const member = this.#roster.get(target.id);
    if (member === undefined || !isPresent(member) || member.boot !== target.boot) return;
    this.figures.failedProbes++;
    const { incarnation } = target;
    if (incarnation < member.incarnation) return;
    this.#learn({ ...member, state: 'suspect', accuser: this.self.id });
    this.#suspects.remind(member.id, member.boot);
  }

  #heard(endpoint: string, record: MemberRecord): void {
    if (record.state !== 'alive') this.#correct(endpoint, record.id, record.incarnation);
    this.#learn(record);
  }

  /** Weighs a statement, and acts on it. */
  #learn(record: MemberRecord): void {
    const before = this.#roster.get(record.id);
    switch (this.#roster.merge(record)) {
      case 'accepted':
        this.#accepted(record.id, before);
        break;
      case 'accusation':
        if (this.#suspects.confirm(record.id, record.accuser)) this.#tell(record);
        break;
      case 'refuted':
        this.figures.refutations++;
        if (record.boot === this.self.boot) this.#awareness.blame(1);
        this.#changed(this.self, this.self.state);
        break;
      case 'stale':
    }
  }

  /** Who holds something against a member under an incarnation that is over has missed a word. */
  #correct(endpoint: string, id: string, incarnation: number): void {
    const known = this.#roster.get(id);
    if (known === undefined || known.incarnation <= incarnation) return;
    this.#post.send(endpoint, { kind: 'rumour', record: known });
  }

  #accepted(id: string, before: Member | undefined): void {
    const member = this.#roster.get(id);
    if (member === undefined) return;
    if (member.state === 'suspect') this.#suspects.begin(member);
    else this.#suspects.end(id);
    if (isPresent(member) && member.boot !== before?.boot) this.#exchange.welcome(member);
    this.#changed(member, before?.state);
  }

  /** The time to object is over. */
  #bury(member: Member): void {
    this.#learn({ ...member, state: 'dead', accuser: this.self.id });
  }

  #changed(member: Member, before: MemberState | undefined): void {
    this.#tell(member);
    for (const listener of this.#listeners) listener(member, before);
  }

  #tell(record: MemberRecord): void {
    this.#rumours.add(record.id, encodeMessage({ kind: 'rumour', record }));
    this.#spreadSoon();
  }

  #learnFact(fact: Herald, announce: boolean): void {
    if (!this.#heralds.learn(fact)) return;
    this.#rumours.add(`#${fact.topic}`, encodeMessage(fact));
    this.#spreadSoon();
    if (announce) this.#heralds.announce(fact);
  }

  /** Rumours are told in rounds as long as there are any. */
  #spreadSoon(): void {
    if (this.#spreading !== undefined || !this.#running) return;
    this.#spreading = this.#parts.timers.after(SPREAD_EVERY_MS, () => {
      this.#spreading = undefined;
      this.#spread();
      if (this.#rumours.size > 0) this.#spreadSoon();
    });
  }

  #spread(): void {
    const { clock, random } = this.#parts;
    const nowMs = clock.monotonicMs();
    const listeners = this.#roster.all().filter((member) => {
      if (member === this.self) return false;
      return isPresent(member) || (member.state === 'dead' && nowMs - member.sinceMs < WAKE_MS);
    });
    for (const member of someOf(listeners, SPREAD_TO, random)) {
      this.#post.send(endpointOfMember(member));
    }
  }

  #sweep(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const { id, state, sinceMs } of this.#roster.all()) {
      const keptMs = state === 'left' ? KEEP_LEFT_MS : KEEP_DEAD_MS;
      const gone = state === 'left' || state === 'dead';
      if (gone && nowMs - sinceMs > keptMs) this.#roster.forget(id);
    }
  }
}
