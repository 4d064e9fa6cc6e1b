/**
 * Looks for a schedule under which a scenario fails: all of them up to a number of preemptions, or
 * some drawn by chance.
 *
 * A preemption is a change of lane where the lane could have gone on. Most bugs of real programs
 * need one or two (Musuvathi and Qadeer, "Iterative context bounding", PLDI'07), and with few of
 * them there are few enough schedules to try them all. Beyond that, schedules are drawn: lanes get
 * priorities, which change at a few points drawn beforehand (Burckhardt et al., "A randomized
 * scheduler with probabilistic guarantees of finding bugs", ASPLOS'10).
 */
import type { Random } from '../../src/base/random.js';
import { type Branching, Draw, Exhaust, Follow, Reduce } from './choosers.js';
import { Conflicts } from './conflicts.js';
import { judgeRun } from './judge.js';
import { type Chooser, Machine, Pruned, type Run } from './machine.js';
import type { Scenario, Witness } from './scenario.js';
import { formatSchedule, type Schedule } from './schedule.js';
import { Stage } from './stage.js';
import { World } from './world.js';

/** A schedule under which a scenario fails. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly schedule: Schedule;

  constructor(scenario: Scenario, schedule: Schedule, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${scenario.name} fails under "${formatSchedule(schedule)}":\n${why}`, { cause });
    this.schedule = schedule;
  }
}

/** How much was tried. */
export interface Effort {
  /** Schedules that were played. */
  readonly schedules: number;
  /** How many different orders of accesses in conflict they came to. */
  readonly orders: number;
  /** Bytes that lanes were in conflict over. */
  readonly conflicts: number;
  /** Accesses to memory of the longest run. */
  readonly moments: number;
}

/** Plays the schedules of one scenario over one build of the core. */
export class Explorer {
  /** Fingerprints of the runs that were judged: equal runs need it once. */
  readonly #judged = new Set<number>();
  readonly #orders = new Set<number>();
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #conflicts: Conflicts;
  readonly #machine: Machine;
  readonly #missing: Map<string, Witness>;
  #schedules = 0;
  #moments = 0;

  constructor(module: WebAssembly.Module, scenario: Scenario) {
    const lanes = scenario.actors.length;
    const world = new World(module, { ...scenario.arena, lanes });
    this.#scenario = scenario;
    this.#missing = new Map(Object.entries(scenario.witnesses ?? {}));
    this.#stage = new Stage(world);
    scenario.setup?.(this.#stage);
    this.#stage.begin();
    this.#conflicts = new Conflicts(world.bytes.length);
    this.#machine = new Machine(world, scenario, this.#conflicts);
  }

  get effort(): Effort {
    return {
      schedules: this.#schedules,
      orders: this.#orders.size,
      conflicts: this.#conflicts.size,
      moments: this.#moments,
    };
  }

  /** The different orders that were seen, as fingerprints. */
  get orders(): ReadonlySet<number> {
    return this.#orders;
  }

  /**
   * Plays one schedule. False when it met a conflict that was not known: then it was not judged,
   * and what is chosen again may differ. Throws a `Failure` when something is wrong.
   */
  #play(chooser: Chooser): boolean {
    const known = this.#conflicts.size;
    this.#schedules++;
    try {
      const run = this.#machine.play(chooser);
      if (this.#conflicts.size > known) return false;
      this.#moments = Math.max(this.#moments, run.moments);
      this.#orders.add(this.#machine.trace.order);
      const { whole } = this.#machine.trace;
      if (this.#judged.has(whole)) return true;
      this.#judged.add(whole);
      this.#judge(run);
    } catch (cause) {
      if (this.#conflicts.size > known) return false;
      if (!(cause instanceof Pruned)) {
        throw new Failure(this.#scenario, this.#machine.schedule, cause);
      }
    }
    return true;
  }

  #judge(run: Run): void {
    for (const [what, happened] of this.#missing) {
      if (happened(this.#stage, run)) this.#missing.delete(what);
    }
    judgeRun(this.#stage, run, this.#scenario);
  }

  /** Throws when something never happened that a scenario is there to show. */
  finish(): void {
    const [what] = this.#missing.keys();
    if (what !== undefined) throw new Error(`${this.#scenario.name}: never seen that ${what}`);
  }

  /** Plays a schedule that was printed; throws what goes wrong. */
  replay(schedule: Schedule): void {
    while (!this.#play(new Follow(schedule)));
  }

  /** Plays every schedule with at most `bound` preemptions; without reduction if `whole`. */
  enumerate(bound: number, whole = false): void {
    while (!this.#enumerateOnce(bound, whole));
  }

  #enumerateOnce(bound: number, whole: boolean): boolean {
    this.#judged.clear();
    this.#orders.clear();
    const known = new Set(['']);
    const waiting: Schedule[] = [[]];
    for (let schedule = waiting.pop(); schedule !== undefined; schedule = waiting.pop()) {
      const chooser = this.#branching(schedule, bound, whole);
      if (!this.#play(chooser)) return false;
      for (const branch of chooser.branches(this.#machine.schedule)) {
        const text = formatSchedule(branch);
        if (known.has(text)) continue;
        known.add(text);
        waiting.push(branch);
      }
    }
    return true;
  }

  #branching(schedule: Schedule, bound: number, whole: boolean): Branching {
    if (whole) return new Exhaust(schedule, bound);
    return new Reduce(schedule, bound, this.#stage.world.lanes, this.#scenario.mortal);
  }

  /** Plays `count` schedules drawn by chance. */
  draw(random: Random, count: number): void {
    let points = 100;
    for (let done = 0; done < count; done++) {
      const { lanes } = this.#stage.world;
      const chooser = new Draw(random, lanes, points, this.#scenario.mortal !== undefined);
      this.#play(chooser);
      points = chooser.points;
    }
  }
}
