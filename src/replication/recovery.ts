/**
 * When a node that has lost its memory counts again as an owner for reads at `quorum`.
 *
 * Problem: a change was acknowledged by a majority of its owners, this node among them. Now this
 * node comes back with nothing. A read that asks it and an owner that was never told misses the
 * change, although a minority was lost. So it says nothing to such a read until it has compared
 * itself with so many of the others that one of them must have been in that majority: of n owners,
 * n minus a majority may not know the change, so one more than that is enough.
 *
 *   n = 3: both others     n = 5: three of four     n = 2: the other one
 *
 * Only an owner counts there that was sound itself when the comparison began. Two that have both
 * lost their memories would wait for each other; when this node has compared itself with *all*
 * other owners, sound or not, it has whatever there still is, and nothing is gained by waiting.
 * Owners that are no members any more and can't be reached are not waited for either.
 *
 * What is left open: an owner that is away for long keeps this node from counting, until it is
 * back, replaced or taken out. Then two of them are lost, which is more than is promised for.
 */

/** Whom a node has compared itself with since it lost its memory. */
export class Recovery {
  readonly #met = new Set<string>();
  readonly #sound = new Set<string>();

  /** A comparison was completed that began when the other one was sound, or was not. */
  compared(id: string, sound: boolean): void {
    this.#met.add(id);
    if (sound) this.#sound.add(id);
  }

  /**
   * Whether it has whatever majorities have acknowledged of the partitions that it owns with these
   * groups. `isGone` says of an owner that nobody expects it back.
   */
  isOver(
    self: string,
    groups: Iterable<readonly string[]>,
    isGone: (id: string) => boolean,
  ): boolean {
    for (const group of groups) {
      if (group.includes(self) && !this.#isEnough(self, group, isGone)) return false;
    }
    return true;
  }

  #isEnough(self: string, group: readonly string[], isGone: (id: string) => boolean): boolean {
    const majority = Math.floor(group.length / 2) + 1;
    const sound = group.filter((id) => this.#sound.has(id)).length;
    if (sound > group.length - majority) return true;
    return group.every((id) => id === self || this.#met.has(id) || isGone(id));
  }
}
