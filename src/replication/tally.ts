/**
 * When a call has heard enough. Only the owners that the configuration names count, never a hint or
 * whoever stands in for one of them. While a partition moves, it has two groups of owners, and a
 * majority is one of each: whatever the old owners alone or the new ones alone decided is met.
 *
 * With majorities for writing and for reading, each read hears of each write that was acknowledged
 * before it began. That makes neither of them linearizable: docs/cluster.md says what is promised.
 */

/** How many owners have to answer. */
export type Level = 'one' | 'quorum' | 'all';

/** The ids of a partition's owners: one group, and while it moves also those that are left. */
export type Owners = readonly (readonly string[])[];

/** How a call stands: it may go on, has succeeded, or can't succeed any more. */
export type Verdict = 'open' | 'reached' | 'impossible';

function neededOf(group: readonly string[], level: Level): number {
  if (level === 'all') return group.length;
  return level === 'quorum' ? Math.floor(group.length / 2) + 1 : 1;
}

function verdictOf(yes: number, no: number, all: number, needed: number): Verdict {
  if (yes >= needed) return 'reached';
  return all - no < needed ? 'impossible' : 'open';
}

/** Whether those of the owners that `has` names are enough for a level. */
export function isReached(owners: Owners, level: Level, has: (id: string) => boolean): boolean {
  const groups = level === 'one' ? [owners.flat()] : owners;
  return groups.every((group) => {
    let yes = 0;
    for (const id of group) if (has(id)) yes++;
    return yes >= neededOf(group, level);
  });
}

/** The answers to one call. */
export class Tally {
  readonly #groups: Owners;
  readonly #level: Level;
  readonly #yes = new Set<string>();
  readonly #no = new Set<string>();

  /** `owners` has at least one group with at least one owner. */
  constructor(owners: Owners, level: Level) {
    this.#groups = level === 'one' ? [[...new Set(owners.flat())]] : owners;
    this.#level = level;
  }

  /** An owner has done what was asked; answers of others, and further ones, change nothing. */
  acknowledge(id: string): Verdict {
    this.#yes.add(id);
    this.#no.delete(id);
    return this.verdict;
  }

  /** An owner has refused, or is not reached. */
  fail(id: string): Verdict {
    if (!this.#yes.has(id)) this.#no.add(id);
    return this.verdict;
  }

  /** How the call stands. */
  get verdict(): Verdict {
    const verdicts = this.#groups.map((group) => {
      const yes = group.filter((id) => this.#yes.has(id)).length;
      const no = group.filter((id) => this.#no.has(id)).length;
      return verdictOf(yes, no, group.length, neededOf(group, this.#level));
    });
    if (verdicts.includes('impossible')) return 'impossible';
    return verdicts.includes('open') ? 'open' : 'reached';
  }

  /** Whether anybody has done it: then a call that does not reach its level ends as `unknown`. */
  get begun(): boolean {
    return this.#yes.size > 0;
  }
}
