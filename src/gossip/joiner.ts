/**
 * Getting in, and back in. Each endpoint of the list to join that is neither this node nor a
 * present member is asked for its state, again and again: so nodes find each other in whatever
 * order they start. Members that are dead are pinged now and then, so that two halves of a cluster
 * that was cut find each other again without a list, too.
 */
import { LINK_TOPICS, type Links } from '../base/links.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Discovery } from './discovery.js';
import type { Exchange } from './exchange.js';
import { endpointOfMember, type Member, type Seed } from './member.js';
import type { Roster } from './roster.js';

/** How often the list is gone through, in milliseconds. */
export const JOIN_EVERY_MS = 1_000;
/** After so many rounds without success an endpoint is asked every `PATIENT_ROUNDS` only. */
const EAGER_ROUNDS = 30;
const PATIENT_ROUNDS = 10;
/** How long one attempt takes, in milliseconds. */
const ATTEMPT_MS = 3_000;

/** What a joiner works with. */
export interface JoinerParts {
  readonly discovery: Discovery;
  readonly roster: Roster;
  readonly links: Links;
  readonly timers: Timers;
  readonly random: Random;
  readonly exchange: Exchange;
  /** Pings a member that is dead as far as is known. */
  readonly knock: (member: Member) => void;
}

interface Attempt {
  rounds: number;
  open: boolean;
  id: string | undefined;
}

/** Asks who is on the list, and knocks at the dead. */
export class Joiner {
  readonly #parts: JoinerParts;
  readonly #attempts = new Map<string, Attempt>();
  readonly #own = new Set<string>();
  #timer: Timer | undefined;

  constructor(parts: JoinerParts) {
    this.#parts = parts;
    this.#own.add(endpointOfMember(parts.roster.self));
  }

  /** Begins at once. */
  start(): void {
    const { timers, discovery } = this.#parts;
    discovery.start();
    this.#timer = timers.every(JOIN_EVERY_MS, () => this.#round());
    timers.soon(() => this.#round());
  }

  /** Ends. */
  stop(): void {
    this.#timer?.cancel();
    this.#parts.discovery.stop();
  }

  /** Datagrams to this endpoint come back to this node. */
  isSelf(endpoint: string): void {
    this.#own.add(endpoint);
  }

  /** The list to join, and who answered. */
  seeds(): Seed[] {
    return this.#parts.discovery.places().map(({ address, endpoints }) => {
      const self = endpoints.some((endpoint) => this.#own.has(endpoint));
      return { address, self, id: self ? this.#parts.roster.self.id : this.#idAt(endpoints) };
    });
  }

  #idAt(endpoints: readonly string[]): string | undefined {
    for (const endpoint of endpoints) {
      const id = this.#memberAt(endpoint)?.id ?? this.#attempts.get(endpoint)?.id;
      if (id !== undefined) return id;
    }
    return undefined;
  }

  #memberAt(endpoint: string): Member | undefined {
    return this.#parts.roster.others().find((member) => endpointOfMember(member) === endpoint);
  }

  #round(): void {
    this.#knock();
    for (const { endpoints } of this.#parts.discovery.places()) {
      for (const endpoint of endpoints) this.#consider(endpoint);
    }
  }

  #consider(endpoint: string): void {
    if (this.#own.has(endpoint)) return;
    const attempt = this.#attempts.get(endpoint) ?? { rounds: 0, open: false, id: undefined };
    this.#attempts.set(endpoint, attempt);
    const member = this.#memberAt(endpoint);
    if (member !== undefined) {
      attempt.rounds = 0;
      attempt.id = member.id;
      return;
    }
    attempt.rounds++;
    const due = attempt.rounds <= EAGER_ROUNDS || attempt.rounds % PATIENT_ROUNDS === 0;
    if (due && !attempt.open) this.#ask(endpoint, attempt);
  }

  #ask(endpoint: string, attempt: Attempt): void {
    const { links, exchange } = this.#parts;
    attempt.open = true;
    links.request(`@${endpoint}`, LINK_TOPICS.members, exchange.state(), ATTEMPT_MS, (answer) => {
      attempt.open = false;
      if (answer !== undefined) attempt.id = exchange.learn(answer)?.id;
    });
  }

  #knock(): void {
    const { roster, random, knock } = this.#parts;
    const dead = roster.all().filter(({ state }) => state === 'dead');
    const member = dead[random.below(Math.max(1, dead.length))];
    if (member !== undefined) knock(member);
  }
}
