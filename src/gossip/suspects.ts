import type { Clock } from '../base/clock.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Member } from './member.js';
import type { Roster } from './roster.js';
import { Suspicion, termFor } from './suspicion.js';

/** How often an accuser tells the suspect, in milliseconds. */
const REMIND_EVERY_MS = 300;

/** What is needed to keep track of suspects. */
export interface SuspectsParts {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The time to object is over. */
  readonly onEnd: (member: Member) => void;
  /** Tells a suspect what is said of it. */
  readonly remind: (member: Member) => void;
}

/** The suspicions that run, and whom this node accuses itself. */
export class Suspects {
  readonly #parts: SuspectsParts;
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #reminders = new Map<string, Timer>();

  constructor(parts: SuspectsParts) {
    this.#parts = parts;
  }

  /** A member has become suspect. */
  begin(member: Member): void {
    const { roster, clock, timers, onEnd } = this.#parts;
    this.end(member.id);
    const term = termFor(roster.presentCount);
    const parts = { term, clock, timers, onEnd: () => onEnd(member) };
    this.#suspicions.set(member.id, new Suspicion(parts, member.accuser));
  }

  /** One more accuser; whether that is news. */
  confirm(id: string, accuser: string): boolean {
    return this.#suspicions.get(id)?.confirm(accuser) ?? false;
  }

  /** A member is not suspect any more. */
  end(id: string): void {
    this.#suspicions.get(id)?.cancel();
    this.#suspicions.delete(id);
  }

  /** As long as this node accuses it, the suspect hears of it from this node directly. */
  remind(id: string, boot: string): void {
    const { roster, timers, remind } = this.#parts;
    const member = roster.get(id);
    if (member?.state !== 'suspect' || member.boot !== boot || this.#reminders.has(id)) return;
    remind(member);
    const timer = timers.after(REMIND_EVERY_MS, () => {
      this.#reminders.delete(id);
      this.remind(id, boot);
    });
    this.#reminders.set(id, timer);
  }

  /** Ends everything. */
  stop(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.cancel();
    for (const timer of this.#reminders.values()) timer.cancel();
    this.#suspicions.clear();
    this.#reminders.clear();
  }
}
