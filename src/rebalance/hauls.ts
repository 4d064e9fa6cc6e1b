/**
 * What a new owner still has to get, and from whom. It goes through all that an old owner has and
 * takes what belongs to its incoming partitions and is missing or older here (a *haul*); one haul
 * serves all partitions that the old owner has for it, so the old owner's keys are read once.
 *
 * Problem: when does the new owner have everything? One old owner is not enough: a change that a
 * majority has acknowledged may still be missing there. So every old owner is hauled from, after it
 * has learned where its changes go from now on; what was hauled already is compared and not moved
 * again. Owners that are away are not waited for once a majority was hauled from: what they have
 * alone comes when they are back, as after any absence. Those that are away and were taken out of
 * the cluster are not waited for at all.
 *
 * Whoever is lost before it was hauled from may have known nothing of the move, and told another
 * owner of a change after that one was hauled from: a majority had it, and no haul has met it. So
 * hauls from the others count only if they began after it was seen to be lost. And an old owner
 * that the new one can't reach may go on to change things with others that can, and learn nothing
 * of the move from them: they say that they know more, and do not count for it then
 * (`net/peers/fences.ts`), so it reaches no quorum; what it made is left to repair.
 *
 * Pure: moves and what happened to them in, whom to haul from out.
 */
import type { Move, Stretch } from './moves.js';

/**
 * How an old owner is: it can be hauled from, has not learned the configuration yet or has not got
 * back what it lost, can't be reached, or can't be reached and is no member any more.
 */
export type SourceState = 'ready' | 'behind' | 'away' | 'gone';

/** How far a new owner is. */
export interface Progress {
  /** Partitions. */
  readonly total: number;
  readonly done: number;
  /** Partitions that nobody is there for to haul from. */
  readonly stuck: number;
  /** What was moved, in bytes and in items. */
  readonly bytes: number;
  readonly items: number;
}

/** A haul under way. */
export interface Haul {
  readonly source: string;
  /** What it is to cover. */
  readonly stretches: readonly Stretch[];
  /** How many old owners had been lost when it began. */
  readonly losses: number;
}

/** A partition is here, can be hauled, or neither. */
type Standing = 'done' | 'open' | 'stuck';

function nameOf(stretch: Stretch): string {
  if (stretch.kind === 'slot') return String(stretch.slot);
  return `${stretch.from.join('.')}-${stretch.to?.join('.') ?? ''}`;
}

/** The incoming partitions of one node; see the top of this file. */
export class Hauls {
  readonly #moves: ReadonlyMap<string, Move>;
  readonly #sources: ReadonlySet<string>;
  /** By the ids of old owners, the names of what was hauled from them. */
  readonly #hauled = new Map<string, Set<string>>();
  /** The ids of old owners that are away or gone. */
  readonly #lost = new Set<string>();
  /** How often one was lost. */
  #losses = 0;
  /** By the names of partitions, which of the losses hauls have to be younger than. */
  readonly #lostAt = new Map<string, number>();
  #bytes = 0;
  #items = 0;

  /** `moves` are those to this node. What `former` hauls brought need not be hauled again. */
  constructor(moves: readonly Move[], former?: Hauls) {
    this.#moves = new Map(moves.map((move) => [nameOf(move.stretch), move]));
    this.#sources = new Set(moves.flatMap(({ sources }) => sources));
    if (former === undefined) return;
    this.#bytes = former.#bytes;
    this.#items = former.#items;
    this.#losses = former.#losses;
    for (const source of former.#lost) if (this.#sources.has(source)) this.#lost.add(source);
    for (const [source, names] of former.#hauled) {
      this.#hauled.set(source, new Set([...names].filter((name) => this.#moves.has(name))));
    }
  }

  /** The haul to begin now, if there is one: from whom most is missing. */
  next(stateOf: (source: string) => SourceState): Haul | undefined {
    this.#observe(stateOf);
    const losses = this.#losses;
    let best: Haul | undefined;
    for (const source of this.#sources) {
      if (stateOf(source) !== 'ready') continue;
      const stretches = this.#missingFrom(source);
      if (stretches.length > (best?.stretches.length ?? 0)) best = { source, stretches, losses };
    }
    return best;
  }

  /** Lets go of what was hauled before an old owner was lost that was not hauled from. */
  #observe(stateOf: (source: string) => SourceState): void {
    for (const source of this.#sources) {
      const state = stateOf(source);
      if (state === 'ready' || state === 'behind') this.#lost.delete(source);
      else if (!this.#lost.has(source)) {
        this.#lost.add(source);
        this.#losses++;
        this.#forgetBeside(source);
      }
    }
  }

  #forgetBeside(source: string): void {
    for (const [name, { sources }] of this.#moves) {
      if (!sources.includes(source) || this.#hauled.get(source)?.has(name) === true) continue;
      this.#lostAt.set(name, this.#losses);
      for (const other of sources) this.#hauled.get(other)?.delete(name);
    }
  }

  #missingFrom(source: string): Stretch[] {
    const hauled = this.#hauled.get(source);
    const missing = [...this.#moves].filter(
      ([name, { sources }]) => sources.includes(source) && hauled?.has(name) !== true,
    );
    return missing.map(([, { stretch }]) => stretch);
  }

  /** Some of a haul came over. */
  moved(items: number, bytes: number): void {
    this.#items += items;
    this.#bytes += bytes;
  }

  /** A haul has covered all that it was to cover. */
  completed({ source, stretches, losses }: Haul): void {
    const hauled = this.#hauled.get(source) ?? new Set();
    for (const name of stretches.map(nameOf)) {
      if ((this.#lostAt.get(name) ?? 0) <= losses) hauled.add(name);
    }
    this.#hauled.set(source, hauled);
  }

  /** How a partition stands, as far as can be known. */
  #standingOf(name: string, { sources }: Move, states: ReadonlyMap<string, SourceState>): Standing {
    let [hauled, away, mayCome, mayHaul] = [0, 0, false, false];
    for (const source of sources) {
      if (this.#hauled.get(source)?.has(name) === true) {
        hauled++;
        continue;
      }
      const state = states.get(source);
      if (state === 'away') away++;
      if (state === 'ready') mayHaul = true;
      if (state === 'ready' || state === 'behind') mayCome = true;
    }
    // Whoever is away may be the only one who knows what a majority has acknowledged.
    if (!mayCome && (away === 0 || 2 * hauled > sources.length)) return 'done';
    return mayHaul ? 'open' : 'stuck';
  }

  /** How far this node is. */
  progress(stateOf: (source: string) => SourceState): Progress {
    this.#observe(stateOf);
    let [done, stuck] = [0, 0];
    const states = new Map([...this.#sources].map((source) => [source, stateOf(source)]));
    for (const [name, move] of this.#moves) {
      const standing = this.#standingOf(name, move, states);
      if (standing === 'done') done++;
      else if (standing === 'stuck') stuck++;
    }
    return { total: this.#moves.size, done, stuck, bytes: this.#bytes, items: this.#items };
  }
}
