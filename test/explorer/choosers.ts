/** Ways to choose a schedule: as it was printed, every one, or by chance. */
import type { Random } from '../../src/base/random.js';
import { type Chooser, type Machine, Pruned } from './machine.js';
import { Races } from './races.js';
import { type Decision, preemptionsOf, type Schedule } from './schedule.js';

/** Follows a schedule; where it says nothing the lane goes on, or the first that can. */
export class Follow implements Chooser {
  readonly #decisions: Map<number, Decision>;

  constructor(schedule: Schedule) {
    this.#decisions = new Map(schedule.map((decision) => [decision.moment, decision]));
  }

  atPoint(moment: number, lane: number, machine: Machine): Decision | undefined {
    const decision = this.#decisions.get(moment);
    if (decision === undefined) return undefined;
    const void_ = decision.manner === 'x' && !machine.canDie(lane);
    if (void_ || !machine.others(lane).includes(decision.lane)) throw new Pruned();
    return decision;
  }

  atStop(moment: number, lanes: readonly number[]): number {
    const wanted = this.#decisions.get(moment)?.lane ?? lanes[0] ?? 0;
    if (!lanes.includes(wanted)) throw new Pruned();
    return wanted;
  }
}

/** Follows a branch, and finds the branches that leave it after its last decision. */
export interface Branching extends Chooser {
  /** The branches that a run found worth trying. */
  branches(taken: Schedule): Schedule[];
}

/** Finds every branch: a change before each access that is in conflict. */
export class Exhaust implements Branching {
  readonly #branches: Schedule[] = [];
  readonly #follow: Follow;
  readonly #schedule: Schedule;
  readonly #last: number;
  readonly #bound: number;

  constructor(schedule: Schedule, bound: number) {
    this.#schedule = schedule;
    this.#follow = new Follow(schedule);
    this.#last = schedule.at(-1)?.moment ?? -1;
    this.#bound = bound;
  }

  atPoint(moment: number, lane: number, machine: Machine): Decision | undefined {
    if (moment <= this.#last) return this.#follow.atPoint(moment, lane, machine);
    if (preemptionsOf(this.#schedule) === this.#bound) return undefined;
    for (const other of machine.others(lane)) {
      this.#branch({ moment, manner: '>', lane: other });
      if (machine.canDie(lane)) this.#branch({ moment, manner: 'x', lane: other });
    }
    return undefined;
  }

  atStop(moment: number, lanes: readonly number[]): number {
    if (moment <= this.#last) return this.#follow.atStop(moment, lanes);
    for (const lane of lanes.slice(1)) this.#branch({ moment, manner: '-', lane });
    return lanes[0] ?? 0;
  }

  #branch(decision: Decision): void {
    this.#branches.push([...this.#schedule, decision]);
  }

  branches(): Schedule[] {
    return this.#branches;
  }
}

/** Finds the branches at which the run could have gone another way that matters. */
export class Reduce implements Branching {
  readonly #races: Races;
  readonly #follow: Follow;
  readonly #last: number;
  readonly #bound: number;
  readonly #mortal: number | undefined;
  readonly #choices: Decision[] = [];

  constructor(schedule: Schedule, bound: number, lanes: number, mortal: number | undefined) {
    this.#races = new Races(lanes);
    this.#follow = new Follow(schedule);
    this.#last = schedule.at(-1)?.moment ?? -1;
    this.#bound = bound;
    this.#mortal = mortal;
  }

  atPoint(moment: number, lane: number, machine: Machine): Decision | undefined {
    return this.#follow.atPoint(moment, lane, machine);
  }

  atStop(moment: number, lanes: readonly number[]): number {
    if (moment > this.#last) {
      for (const lane of lanes.slice(1)) this.#choices.push({ moment, manner: '-', lane });
    }
    return this.#follow.atStop(moment, lanes);
  }

  access(lane: number, moment: number, address: number, bytes: number, kind: number): void {
    this.#races.access(lane, moment, address, bytes, kind);
  }

  call(lane: number, phase: 'begins' | 'ends'): void {
    if (phase === 'begins') this.#races.begins(lane);
    else this.#races.ends(lane);
  }

  branches(taken: Schedule): Schedule[] {
    const decisions = [...this.#choices];
    for (const { moment, stopped, next } of this.#races.alternatives) {
      decisions.push({ moment, manner: '>', lane: next });
      if (stopped === this.#mortal) decisions.push({ moment, manner: 'x', lane: next });
    }
    return decisions
      .map((decision) => [...taken.filter(({ moment }) => moment < decision.moment), decision])
      .filter((schedule) => preemptionsOf(schedule) <= this.#bound);
  }
}

/** Draws priorities, and the points at which the lane that runs falls behind all others. */
export class Draw implements Chooser {
  /** Points there were in the run. */
  points = 0;
  readonly #order: number[];
  readonly #changes: Set<number>;
  readonly #deathAt: number;

  constructor(random: Random, lanes: number, points: number, mortal: boolean) {
    const draw = (): number => random.below(points + 1);
    this.#order = Array.from({ length: lanes }, (_, lane) => lane);
    for (let at = lanes - 1; at > 0; at--) this.#swap(at, random.below(at + 1));
    this.#changes = new Set(Array.from({ length: 1 + random.below(6) }, draw));
    this.#deathAt = mortal && random.below(2) === 0 ? draw() : Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const order = this.#order;
    [order[a], order[b]] = [order[b] as number, order[a] as number];
  }

  atPoint(moment: number, lane: number, machine: Machine): Decision | undefined {
    const point = this.points++;
    const dies = point >= this.#deathAt && machine.canDie(lane);
    if (!dies && !this.#changes.has(point)) return undefined;
    this.#order.splice(this.#order.indexOf(lane), 1);
    this.#order.push(lane);
    const next = this.#first(machine.others(lane));
    return next === undefined ? undefined : { moment, manner: dies ? 'x' : '>', lane: next };
  }

  atStop(_moment: number, lanes: readonly number[]): number {
    return this.#first(lanes) ?? 0;
  }

  #first(lanes: readonly number[]): number | undefined {
    return this.#order.find((lane) => lanes.includes(lane));
  }
}
