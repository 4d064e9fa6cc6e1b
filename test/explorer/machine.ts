/**
 * Runs one scenario once, under the schedule that a chooser decides on as it goes: all lanes in
 * this thread, one at a time, changing at accesses that are in conflict.
 */
import { Actor, type Script } from './actor.js';
import type { Conflicts } from './conflicts.js';
import { History, NEVER } from './history.js';
import type { Scenario } from './scenario.js';
import type { Decision, Schedule } from './schedule.js';
import { Trace } from './trace.js';
import type { World } from './world.js';

/** Accesses after which a run is taken to go on for ever. */
const MOMENTS_MAX = 100_000;
/** Times that lanes may have to wait in one run. */
const WAITS_MAX = 200;

/** Tells a lane that has died from one that stands where it stood. */
const DEAD = 0x0dead;

/** Decides where a run goes on. */
export interface Chooser {
  /** Before an access of `lane` that is in conflict: a change to another, or undefined. */
  atPoint(moment: number, lane: number, machine: Machine): Decision | undefined;
  /** When no lane is running: which of `lanes` goes on. */
  atStop(moment: number, lanes: readonly number[], machine: Machine): number;
  /** Told of each access that is in conflict when it is done; `moment` is when it was come to. */
  access?(lane: number, moment: number, address: number, bytes: number, kind: number): void;
  /** Told before the first access of each call, and when the call is over. */
  call?(lane: number, phase: 'begins' | 'ends'): void;
}

/** Thrown by a chooser when a schedule cannot be followed. */
export class Pruned extends Error {
  override readonly name = 'Pruned';
}

class Killed extends Error {
  override readonly name = 'Killed';
}

/** What a lane is at; a lane that ended can be taken over. */
interface Cast {
  readonly actor: Actor;
  script: Script;
  /** What the script waits for before it goes on. */
  until: (() => boolean) | undefined;
  state: 'running' | 'done' | 'dead';
}

/** How a run went. */
export interface Run {
  /** Every decision that was made. */
  readonly schedule: Schedule;
  readonly history: History;
  /** How many accesses and stops there were. */
  readonly moments: number;
  /** Lanes that died. */
  readonly deaths: readonly number[];
}

export class Machine {
  readonly world: World;
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly #conflicts: Conflicts;
  #history = new History();
  #cast: Cast[] = [];
  #chooser: Chooser | undefined;
  #schedule: Decision[] = [];
  #moment = 0;
  /** When each lane that is suspended came to the access it is suspended at. */
  #stoppedAt: number[] = [];
  #running = 0;
  #next = 0;
  #waits = 0;

  constructor(world: World, scenario: Scenario, conflicts: Conflicts) {
    this.world = world;
    this.scenario = scenario;
    this.trace = new Trace(world.lanes);
    this.#conflicts = conflicts;
  }

  /** Lanes other than `lane` that could go on. */
  others(lane: number): number[] {
    return this.#ready().filter((other) => other !== lane);
  }

  /** Whether `lane` may die where it stands. */
  canDie(lane: number): boolean {
    return this.scenario.mortal === lane && this.#cast[lane]?.state === 'running';
  }

  /** Plays the scenario from its beginning; throws what goes wrong in it. */
  play(chooser: Chooser): Run {
    this.#begin(chooser);
    this.world.onPoint = (lane, address, bytes, kind) => this.#point(lane, address, bytes, kind);
    try {
      this.#running = this.#choose();
      while (this.#running >= 0) this.#running = this.#advance(this.#cast[this.#running] as Cast);
    } finally {
      this.world.onPoint = () => undefined;
    }
    const deaths = this.#cast.filter(({ state }) => state === 'dead');
    return {
      schedule: this.#schedule,
      history: this.#history,
      moments: this.#moment,
      deaths: deaths.map(({ actor }) => actor.lane),
    };
  }

  /** The decisions of the run so far. */
  get schedule(): Schedule {
    return this.#schedule;
  }

  #begin(chooser: Chooser): void {
    this.world.restore();
    this.trace.reset();
    this.#chooser = chooser;
    this.#history = new History();
    this.#schedule = [];
    this.#moment = 0;
    this.#waits = 0;
    const hasEnded = (lane: number): boolean => this.#cast[lane]?.state !== 'running';
    this.#cast = this.scenario.actors.map((script, lane) => {
      const actor = new Actor(lane, this.world, this.#history);
      return { actor, script: script(actor, hasEnded), until: undefined, state: 'running' };
    });
  }

  #ready(): number[] {
    return this.#cast
      .filter(({ state, until }) => state === 'running' && (until === undefined || until()))
      .map(({ actor }) => actor.lane);
  }

  /** The lane that goes on when none is running, -1 when all have come to their end. */
  #choose(waiting?: number): number {
    const ready = this.#ready();
    const others = ready.filter((lane) => lane !== waiting);
    const lanes = others.length > 0 ? others : ready;
    const moment = this.#moment++;
    const first = lanes[0];
    if (first === undefined) {
      if (this.#cast.some(({ state }) => state === 'running'))
        throw new Error('lanes wait for ever');
      return -1;
    }
    const lane = lanes.length === 1 ? first : (this.#chooser?.atStop(moment, lanes, this) ?? first);
    if (lane !== first) this.#schedule.push({ moment, manner: '-', lane });
    return lane;
  }

  /** Runs a lane until another has to go on; returns which. */
  #advance(cast: Cast): number {
    const { actor } = cast;
    try {
      while (true) {
        cast.until = undefined;
        if (actor.fiber.busy && !actor.fiber.resume()) return this.#next;
        this.#chooser?.call?.(actor.lane, 'ends');
        const { value, done } = cast.script.next();
        if (done === true) {
          cast.state = 'done';
          return this.#choose();
        }
        if (value.kind === 'call') actor.fiber.begin(value.call);
        else if (value.kind === 'wait') return this.#wait(actor.lane);
        else if (!value.ready()) {
          cast.until = value.ready;
          return this.#choose();
        }
      }
    } catch (cause) {
      if (!(cause instanceof Killed)) throw cause;
      cast.state = 'dead';
      return this.#next;
    }
  }

  #wait(lane: number): number {
    this.#waits++;
    if (this.#waits > WAITS_MAX) throw new Error('lanes wait for each other and never get memory');
    return this.#choose(lane);
  }

  /** An access of the lane that is running, before it is done. */
  #point(lane: number, address: number, bytes: number, kind: number): void {
    const { fiber } = (this.#cast[lane] as Cast).actor;
    if (fiber.rewinding) {
      fiber.rewound();
      this.#access(lane, this.#stoppedAt[lane] ?? 0, address, bytes, kind);
      return;
    }
    const moment = this.#moment++;
    if (moment > MOMENTS_MAX) throw new Error('the run does not come to an end');
    if (!this.#conflicts.touch(lane, address, bytes, kind)) return;
    const decision = this.#chooser?.atPoint(moment, lane, this);
    if (decision === undefined) {
      this.#access(lane, moment, address, bytes, kind);
      return;
    }
    this.#stoppedAt[lane] = moment;
    this.#schedule.push(decision);
    this.#next = decision.lane;
    if (decision.manner === 'x') {
      this.trace.note(lane, DEAD);
      throw new Killed();
    }
    fiber.suspend();
  }

  /** Notes an access that is done now. */
  #access(lane: number, moment: number, address: number, bytes: number, kind: number): void {
    const history = this.#history;
    const { span } = (this.#cast[lane] as Cast).actor;
    history.time++;
    if (span !== undefined) {
      if (span.first === NEVER) {
        span.first = history.time;
        this.trace.note(lane, history.endedCalls());
        this.#chooser?.call?.(lane, 'begins');
      }
      span.last = history.time;
    }
    this.trace.access(lane, address, bytes, kind);
    this.#chooser?.access?.(lane, moment, address, bytes, kind);
  }
}
