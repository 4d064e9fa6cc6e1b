/** A scenario: how an arena is set up, what each lane then does, and what must hold at the end. */
import type { ArenaOptions } from '../../src/arena/arena.js';
import type { Request } from '../model/support/wire.js';
import type { Actor, Script } from './actor.js';
import type { Run } from './machine.js';
import type { Stage } from './stage.js';

/** What a lane does; `hasEnded` says whether another lane is done or dead. */
export type Part = (actor: Actor, hasEnded: (lane: number) => boolean) => Script;

/** Whether something happened in a run, looked at when it is over. */
export type Witness = (stage: Stage, run: Run) => boolean;

export interface Scenario {
  readonly name: string;
  /** What the arena is made with, beside one lane for each actor. */
  readonly arena?: Partial<ArenaOptions>;
  /** Brings the arena to where the race begins. */
  readonly setup?: (stage: Stage) => void;
  /** What the lanes do, lane by lane. */
  readonly actors: readonly Part[];
  /**
   * How many preemptions a search tries at the most; 2. Scenarios in which lanes meet in hundreds
   * of places make do with 1, and with the schedules that are drawn.
   */
  readonly bound?: number;
  /** The lane that may die at any moment; another must take it over. */
  readonly mortal?: number;
  /** Whether items may be evicted that nobody counts, as the lane that evicts them may die. */
  readonly evicts?: boolean;
  /** Keys that are never evicted. */
  readonly keeps?: readonly string[];
  /**
   * How often a clear may take effect again while it runs: it is raised each time the clock of
   * another lane moves past it. 0 by default.
   */
  readonly clearsAgain?: number;
  /** Throws when something that is particular to the scenario does not hold. */
  readonly check?: (stage: Stage, run: Run) => void;
  /** What must have happened in at least one run, or the scenario shows nothing. */
  readonly witnesses?: Readonly<Record<string, Witness>>;
}

/** A part that sends requests one by one, each as a frame of its own. */
export function sends(...requests: readonly Request[]): Part {
  return function* (actor) {
    for (const request of requests) yield* actor.run(request);
  };
}

/** A part that sends requests as one frame. */
export function sendsAtOnce(...requests: readonly Request[]): Part {
  return function* (actor) {
    yield* actor.run(...requests);
  };
}

/** A part that sends requests one by one for keys that the stage has chosen. */
export function sendsFor(choose: (keys: readonly string[]) => readonly Request[]): Part {
  return function* (actor) {
    for (const request of choose(actor.keys)) yield* actor.run(request);
  };
}
