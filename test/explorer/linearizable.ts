/**
 * Linearizability of one key: is there an order of the operations, in keeping with which was over
 * before which began, in which each answer is right? The search of Wing and Gong ("Testing and
 * verifying concurrent objects", 1993) with the memory of Lowe ("Testing for linearizability",
 * 2017): a set of operations done, in a state, is tried once.
 */

/** An operation for the search: what states it may lead to from a state, none if it cannot be. */
export interface Step<State> {
  /** When it began; operations that ended before came before. */
  readonly first: number;
  /** When it ended; infinity if it never did, and then it may have had no effect. */
  readonly last: number;
  /** The operation of the same lane that comes before, or -1. */
  readonly after: number;
  /** The states it may leave. */
  readonly apply: (state: State) => readonly State[];
}

/** More cannot be told apart by the bits of a number. */
const STEPS_MAX = 30;

class Search<State> {
  readonly #steps: readonly Step<State>[];
  readonly #idOf: (state: State) => string;
  readonly #tried = new Set<string>();
  /** The operations that must be done in the end. */
  readonly #must: number;

  constructor(steps: readonly Step<State>[], idOf: (state: State) => string) {
    if (steps.length > STEPS_MAX) throw new Error(`${steps.length} operations are too many`);
    this.#steps = steps;
    this.#idOf = idOf;
    this.#must = steps.reduce(
      (bits, { last }, index) => (last === Number.POSITIVE_INFINITY ? bits : bits | (1 << index)),
      0,
    );
  }

  /** Whether the operations that are not in `done` can follow from `state`. */
  canEnd(done: number, state: State): boolean {
    if ((done & this.#must) === this.#must) return true;
    const id = `${done} ${this.#idOf(state)}`;
    if (this.#tried.has(id)) return false;
    this.#tried.add(id);
    const bound = this.#firstEnd(done);
    return this.#steps.some((step, index) => {
      if ((done & (1 << index)) !== 0 || step.first > bound) return false;
      if (step.after >= 0 && (done & (1 << step.after)) === 0) return false;
      return step.apply(state).some((next) => this.canEnd(done | (1 << index), next));
    });
  }

  /** When the first of the operations not done yet ended: what began later cannot be next. */
  #firstEnd(done: number): number {
    let bound = Number.POSITIVE_INFINITY;
    this.#steps.forEach(({ last }, index) => {
      if ((done & (1 << index)) === 0 && last < bound) bound = last;
    });
    return bound;
  }
}

/** Whether there is an order of the operations in which all answers are right. */
export function isLinearizable<State>(
  steps: readonly Step<State>[],
  initial: State,
  idOf: (state: State) => string,
): boolean {
  return new Search(steps, idOf).canEnd(0, initial);
}
