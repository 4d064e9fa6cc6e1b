/**
 * Finding out who is there (SWIM). Every `PROBE_EVERY_MS` a node pings the next of a shuffled list,
 * so that each is probed at least once in two rounds. Without an answer in time it pings again and
 * asks others to ping for it; without an answer to any of that the target has failed the probe.
 *
 *   0           direct              total
 *   ping ------>|                    |
 *               |ping, relays ------>| failed
 *
 * Those asked say so when the target does not answer them (nack): who gets no nacks either has
 * reason to doubt itself. Both times stretch with this node's doubt, see `Awareness`.
 */
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Awareness } from './awareness.js';
import { endpointOfMember, type Member } from './member.js';
import type { Ack, Ping, Relay } from './message.js';
import type { Post } from './post.js';
import type { Roster } from './roster.js';
import { LATE_MS } from './suspicion.js';

/** How far apart probes start, in milliseconds. */
export const PROBE_EVERY_MS = 250;
/** How long the first ping has for itself, in milliseconds. */
export const DIRECT_MS = 200;
/** How long a probe takes at most, in milliseconds. */
export const PROBE_MS = 600;
/** How long a relayed ping has, in milliseconds: the nack has to be back before the probe ends. */
const RELAYED_MS = 220;
/** How many others are asked to ping. */
const RELAYS = 3;
/** Relayed pings under way at most. */
const ERRANDS_MAX = 1_024;
const SEQ_LIMIT = 2 ** 32;

/** What a prober works with. */
export interface ProberParts {
  readonly roster: Roster;
  readonly post: Post;
  readonly awareness: Awareness;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** A probe of this member failed. */
  readonly onFailed: (member: Member) => void;
  /** A probe was answered after so many milliseconds. */
  readonly onAnswered: (tookMs: number) => void;
}

interface Probe {
  readonly target: Member;
  readonly sentMs: number;
  timer: Timer;
  asked: number;
  nacks: number;
}

interface Errand {
  readonly endpoint: string;
  readonly seq: number;
  readonly timer: Timer;
}

/** Probes members, one after the other. */
export class Prober {
  readonly #parts: ProberParts;
  readonly #probes = new Map<number, Probe>();
  readonly #errands = new Map<number, Errand>();
  #seq: number;
  #round: string[] = [];
  #timer: Timer | undefined;
  #dueMs = 0;

  constructor(parts: ProberParts) {
    this.#parts = parts;
    this.#seq = parts.random.below(SEQ_LIMIT);
  }

  /** Begins, at a random moment of the first period. */
  start(): void {
    this.#schedule(this.#parts.random.fraction() * PROBE_EVERY_MS);
  }

  /** Ends; nothing is reported any more. */
  stop(): void {
    this.#timer?.cancel();
    for (const { timer } of [...this.#probes.values(), ...this.#errands.values()]) timer.cancel();
    this.#probes.clear();
    this.#errands.clear();
  }

  #schedule(delayMs: number): void {
    const { clock, timers } = this.#parts;
    this.#dueMs = clock.monotonicMs() + delayMs;
    this.#timer = timers.after(delayMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, awareness } = this.#parts;
    if (clock.monotonicMs() - this.#dueMs > LATE_MS) this.#pardon();
    this.#schedule(awareness.scaled(PROBE_EVERY_MS));
    const target = this.#next();
    if (target !== undefined) this.#probe(target);
  }

  /** This node stood still: what it waited for in that time proves nothing against others. */
  #pardon(): void {
    this.#parts.awareness.blame(1);
    for (const { timer } of this.#probes.values()) timer.cancel();
    this.#probes.clear();
  }

  #next(): Member | undefined {
    const { roster, random } = this.#parts;
    const others = roster.others();
    if (others.length === 0) return undefined;
    // Members that went since the list was made are skipped, those that came wait for the next.
    for (;;) {
      const id = this.#round.pop();
      if (id === undefined) this.#round = shuffled(others, random);
      const member = id === undefined ? undefined : roster.get(id);
      if (member !== undefined && others.includes(member)) return member;
    }
  }

  #nextSeq(): number {
    this.#seq = (this.#seq + 1) % SEQ_LIMIT;
    return this.#seq;
  }

  #probe(target: Member): void {
    const { clock, timers, awareness } = this.#parts;
    const seq = this.#nextSeq();
    const directMs = awareness.scaled(DIRECT_MS);
    const sentMs = clock.monotonicMs();
    const timer = timers.after(directMs, () => this.#insist(seq, sentMs + directMs));
    this.#probes.set(seq, { target, sentMs, timer, asked: 0, nacks: 0 });
    this.#ping(target, seq);
  }

  #ping(target: Member, seq: number): void {
    const { state, incarnation, id } = this.#parts.roster.get(target.id) ?? target;
    const ping: Ping = { kind: 'ping', seq, state, incarnation, target: id };
    this.#parts.post.send(endpointOfMember(target), ping);
  }

  /** Pings a member without judging the answer, so that it learns what is said of it. */
  remind(member: Member): void {
    this.#ping(member, this.#nextSeq());
  }

  /** The first ping was not answered in time. */
  #insist(seq: number, dueMs: number): void {
    const { clock, timers, awareness } = this.#parts;
    const probe = this.#probes.get(seq);
    if (probe === undefined) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - dueMs > LATE_MS) {
      this.#abandon(seq);
      return;
    }
    const restMs = awareness.scaled(PROBE_MS - DIRECT_MS);
    probe.timer = timers.after(restMs, () => this.#conclude(seq, nowMs + restMs));
    this.#ping(probe.target, seq);
    this.#askOthers(probe, seq);
  }

  #abandon(seq: number): void {
    this.#probes.delete(seq);
    this.#parts.awareness.blame(1);
  }

  #askOthers(probe: Probe, seq: number): void {
    const { roster, post, random } = this.#parts;
    const { id: target } = probe.target;
    const { state, incarnation } = roster.get(target) ?? probe.target;
    const endpoint = endpointOfMember(probe.target);
    const relay: Relay = { kind: 'relay', seq, state, incarnation, target, endpoint };
    const helpers = roster.others().filter(({ id, state }) => id !== target && state === 'alive');
    for (const helper of someOf(helpers, RELAYS, random)) {
      probe.asked++;
      post.send(endpointOfMember(helper), relay);
    }
  }

  /** Nobody reached the target. */
  #conclude(seq: number, dueMs: number): void {
    const { clock, awareness, onFailed } = this.#parts;
    const probe = this.#probes.get(seq);
    if (probe === undefined) return;
    if (clock.monotonicMs() - dueMs > LATE_MS) {
      this.#abandon(seq);
      return;
    }
    this.#probes.delete(seq);
    awareness.blame(probe.asked === 0 ? 1 : probe.asked - probe.nacks);
    onFailed(probe.target);
  }

  /** An answer to a ping: for a probe of this node, or for one it relayed. */
  answered({ kind, seq }: Ack): void {
    const { clock, awareness, post, onAnswered } = this.#parts;
    const errand = this.#errands.get(seq);
    if (errand !== undefined && kind === 'ack') {
      this.#drop(seq, errand);
      post.send(errand.endpoint, { kind: 'ack', seq: errand.seq });
      return;
    }
    const probe = this.#probes.get(seq);
    if (probe === undefined) return;
    if (kind === 'nack') {
      probe.nacks++;
      return;
    }
    probe.timer.cancel();
    this.#probes.delete(seq);
    awareness.blame(-1);
    onAnswered(clock.monotonicMs() - probe.sentMs);
  }

  /** Pings on behalf of the node at `endpoint`. */
  relay(endpoint: string, { seq: theirs, state, incarnation, target, endpoint: to }: Relay): void {
    const { post, timers } = this.#parts;
    if (this.#errands.size >= ERRANDS_MAX) return;
    const seq = this.#nextSeq();
    const timer = timers.after(RELAYED_MS, () => {
      this.#errands.delete(seq);
      post.send(endpoint, { kind: 'nack', seq: theirs });
    });
    this.#errands.set(seq, { endpoint, seq: theirs, timer });
    post.send(to, { kind: 'ping', seq, state, incarnation, target });
  }

  #drop(seq: number, { timer }: Errand): void {
    timer.cancel();
    this.#errands.delete(seq);
  }
}

function shuffled(members: readonly Member[], random: Random): string[] {
  const ids = members.map(({ id }) => id);
  for (let at = ids.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const id = ids[at] as string;
    ids[at] = ids[other] as string;
    ids[other] = id;
  }
  return ids;
}

/** Up to `count` different ones, at random. */
export function someOf<Thing>(things: readonly Thing[], count: number, random: Random): Thing[] {
  if (things.length <= count) return [...things];
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(random.below(things.length));
  return [...chosen].map((at) => things[at] as Thing);
}
