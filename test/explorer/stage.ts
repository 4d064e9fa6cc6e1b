/** A world with what was done in it before the race began, and what is looked at after. */
import { type Answer, FLAG, OP, type Request, textOf } from '../model/support/wire.js';
import { Actor, type Script } from './actor.js';
import { ArenaMap, type Entry } from './arenaMap.js';
import { History, type Operation } from './history.js';
import type { World } from './world.js';

/** Counters that scenarios look at. */
const COUNTED = [
  'EVICTED_POLICY',
  'EVICTED_CHAIN',
  'EVICTED_FORCED',
  'EXPIRED',
  'MOVED',
  'COMPACTED',
  'SEGMENTS_RECLAIMED',
  'TOMBSTONES_ADDED',
] as const;

/** Requests after which a stage is taken never to be set. */
const FILL_MAX = 3000;

/** How often a lane may have to wait while nobody else runs. */
const TURNS_MAX = 100;

export class Stage {
  readonly world: World;
  /** What was asked before the race, in order. */
  readonly prelude: readonly Operation[];
  readonly #history = new History();
  #before = new Map<string, number>();
  #ages: number[] = [];

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

  /** A word of the arena's header, by the name of the constant that says where it is. */
  header(name: string): number {
    return this.world.words[this.world.constant(name) >> 2] ?? 0;
  }

  /** The same of eight bytes. */
  long(name: string): bigint {
    return this.world.longs[this.world.constant(name) >> 3] ?? 0n;
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

  /**
   * Runs requests, which the history does not tell of, until one of them makes `happened` true;
   * that one is undone. A request like it begins the race at the brink.
   */
  fillUntil(lane: number, request: (n: number) => Request, happened: () => boolean): void {
    const actor = this.actor(lane, new History());
    for (let n = 0; n < FILL_MAX; n++) {
      this.world.remember();
      this.play(actor, actor.run(request(n)));
      if (!happened()) continue;
      this.world.restore();
      return;
    }
    throw new Error('what the stage waits for never happens');
  }

  /** The key's entry in the table, dead or alive, or undefined. */
  entryOf(key: string): Entry | undefined {
    return new ArenaMap(this.world).entries().entries.find(({ item }) => item.key === key);
  }

  /** The race begins here: what `evictionsSince` counts from, and what each run goes back to. */
  begin(): void {
    this.#before = new Map(COUNTED.map((name) => [name, this.counter(name)]));
    this.#ages = this.#segmentAges();
    this.world.remember();
  }

  /** What lanes have added to a counter in the race. */
  countedSince(name: (typeof COUNTED)[number]): number {
    return this.counter(name) - (this.#before.get(name) ?? 0);
  }

  /** Evictions of the race. */
  evictionsSince(): number {
    const causes = ['EVICTED_POLICY', 'EVICTED_CHAIN', 'EVICTED_FORCED'] as const;
    return causes.reduce((sum, cause) => sum + this.countedSince(cause), 0);
  }

  /** The stamp of each segment that holds items, else 0. */
  #segmentAges(): number[] {
    const map = new ArenaMap(this.world);
    return Array.from({ length: map.segmentCount }, (_, index) => {
      const { state, age } = map.segment(index);
      const filled = ['ACTIVE', 'SEALED'].map((name) => map.constant(`SEGMENT_${name}`));
      return filled.includes(state) ? age : 0;
    });
  }

  /** How many segments are in a state, by the name the core has for it. */
  segmentsIn(name: string): number {
    const map = new ArenaMap(this.world);
    const wanted = map.constant(`SEGMENT_${name}`);
    const segments = Array.from({ length: map.segmentCount }, (_, index) => map.segment(index));
    return segments.filter(({ state }) => state === wanted).length;
  }

  /** How many segments that held items hold others now. */
  segmentsReused(): number {
    const ages = this.#segmentAges();
    return this.#ages.filter((age, index) => {
      const now = ages[index] ?? 0;
      return age !== 0 && now !== 0 && now !== age;
    }).length;
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
