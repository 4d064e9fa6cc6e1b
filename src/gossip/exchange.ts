/**
 * Exchanging all that is known with one other node now and then (push-pull): what rumours missed
 * comes round this way, and a node that joins learns everything at once.
 */
import { LINK_TOPICS, type Links } from '../base/links.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import { Malformed } from './bytes.js';
import type { Heralds } from './heralds.js';
import { isPresent, type Member, type MemberRecord } from './member.js';
import type { Herald } from './message.js';
import { someOf } from './prober.js';
import type { Roster } from './roster.js';
import { encodeState, readState, type State } from './state.js';

/** How often a node exchanges all it knows with another one, in milliseconds. */
export const EXCHANGE_EVERY_MS = 20_000;
const TIMEOUT_MS = 5_000;
/** How many, on average, tell a newcomer all they know. */
const WELCOMERS = 3;

/** What an exchange works with. */
export interface ExchangeParts {
  readonly roster: Roster;
  readonly heralds: Heralds;
  readonly links: Links;
  readonly timers: Timers;
  readonly random: Random;
  readonly learn: (record: MemberRecord) => void;
  readonly learnFact: (fact: Herald) => void;
  readonly onMalformed: () => void;
}

/** Exchanges states. */
export class Exchange {
  readonly #parts: ExchangeParts;
  #timer: Timer | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    parts.links.serve(LINK_TOPICS.members, (_, body, reply) => {
      if (this.learn(body) !== undefined) reply(this.state());
    });
  }

  /** Begins. */
  start(): void {
    this.#timer = this.#parts.timers.every(EXCHANGE_EVERY_MS, () => this.#exchange());
  }

  /** Ends. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** All that is known here, in bytes. */
  state(): Uint8Array {
    const { roster, heralds } = this.#parts;
    return encodeState(roster.self, roster.all(), heralds.all());
  }

  /**
   * Takes in what another node knows, and gives back who that is. The word of one node is not
   * enough for a death: what it holds to be dead is suspect, and may object.
   */
  learn(body: Uint8Array): Member | undefined {
    const { roster, learn, learnFact, onMalformed } = this.#parts;
    let state: State;
    try {
      state = readState(body);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      onMalformed();
      return undefined;
    }
    const accuser = state.records[0]?.id ?? '';
    for (const record of state.records) {
      const known = roster.get(record.id);
      const doubtful = record.state === 'dead' && known !== undefined && isPresent(known);
      learn(doubtful ? { ...record, state: 'suspect', accuser } : record);
    }
    for (const fact of state.facts) learnFact(fact);
    return roster.get(accuser);
  }

  /** A few of those who know everything tell it to somebody who has just come. */
  welcome(member: Member): void {
    const { roster, random } = this.#parts;
    if (random.below(roster.presentCount) < WELCOMERS) this.#exchangeWith(member);
  }

  #exchange(): void {
    const { roster, random } = this.#parts;
    const [member] = someOf(roster.others(), 1, random);
    if (member !== undefined) this.#exchangeWith(member);
  }

  #exchangeWith(member: Member): void {
    const { links } = this.#parts;
    links.request(member.id, LINK_TOPICS.members, this.state(), TIMEOUT_MS, (answer) => {
      if (answer !== undefined) this.learn(answer);
    });
  }
}
