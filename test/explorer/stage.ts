/** A world with what was done in it before the race began, and what is looked at after. */
import { type Answer, FLAG, OP, type Request, textOf } from '../model/support/wire.js';
import { Actor, type Script } from './actor.js';
import { History, type Operation } from './history.js';
import type { World } from './world.js';

/** How often a lane may have to wait while nobody else runs. */
const TURNS_MAX = 100;

export class Stage {
  readonly world: World;
  /** What was asked before the race, in order. */
  readonly prelude: readonly Operation[];
  readonly #history = new History();
  #evictions = 0;

  constructor(world: World) {
    this.world = world;
    this.prelude = this.#history.operations;
  }

  /** The actor of a lane, outside of any race. */
  actor(lane: number, history = this.#history): Actor {
    return new Actor(lane, this.world, history);
  }

  /** Plays a script to its end with nobody else running; what it returns. */
  play<T>(actor: Actor, script: Script<T>): T {
    for (let turns = 0; turns < TURNS_MAX; ) {
      const { value, done } = script.next();
      if (done === true) return value;
      if (value.kind === 'call') {
        actor.fiber.begin(value.call);
        actor.fiber.resume();
      } else turns++;
    }
    throw new Error(`lane ${actor.lane} waits for ever with nobody else running`);
  }

  /** Runs requests on a lane, before the race. */
  run(lane: number, ...requests: Request[]): Answer[] {
    const actor = this.actor(lane);
    return this.play(actor, actor.run(...requests));
  }

  /** Reads keys on a lane after the race, into a history of their own. */
  read(lane: number, nowMs: number, keys: readonly string[]): Operation[] {
    const history = new History();
    const actor = this.actor(lane, history);
    actor.nowMs = nowMs;
    for (const key of keys) {
      this.play(actor, actor.run({ op: OP.GET, key, flags: FLAG.WITH_META }));
    }
    return history.operations;
  }

  /** The item of a key as a reader finds it, or undefined. */
  get(lane: number, nowMs: number, key: string): Answer | undefined {
    return this.read(lane, nowMs, [key])[0]?.answer;
  }

  /** The text of a key's value, undefined when there is none. */
  text(lane: number, nowMs: number, key: string): string | undefined {
    return textOf(this.get(lane, nowMs, key)?.value);
  }

  /** The sum of a counter over all lanes. */
  counter(name: string): number {
    const { world } = this;
    const index = world.constant(`COUNTER_${name}`);
    let sum = 0n;
    for (let lane = 0; lane < world.lanes; lane++) {
      sum += world.longs[((world.first.exports.countersAt(lane) >>> 0) >> 3) + index] ?? 0n;
    }
    return Number(BigInt.asIntN(64, sum));
  }

  /** Evictions of any cause. */
  evictions(): number {
    const causes = ['POLICY', 'CHAIN', 'FORCED'];
    return causes.reduce((sum, cause) => sum + this.counter(`EVICTED_${cause}`), 0);
  }

  /** The race begins here: what `evictionsSince` counts from, and what each run goes back to. */
  begin(): void {
    this.#evictions = this.evictions();
    this.world.remember();
  }

  /** Evictions of the race. */
  evictionsSince(): number {
    return this.evictions() - this.#evictions;
  }

  /** Seals every segment that a lane is filling, by taking it over while it lives. */
  seal(lane: number, by: number): void {
    const actor = this.actor(by);
    this.play(
      actor,
      actor.takeOver(lane, () => true),
    );
    this.world.fibers[lane]?.exports.attach(lane);
  }
}
