/**
 * Changes that are kept for owners who are away, and handed over when they are back. Of each key
 * only the newest change is kept: everything downstream is a merge by version, so the others would
 * change nothing. Hints are bounded in bytes and in age; what has to be let go is made up for by
 * repair, and `incomplete` says for whom. A hint is no owner: it never counts towards a level.
 * A journal, where there is one, keeps them for another run (`hintFile.ts`).
 */

/** A change that somebody lacks. */
export interface Hint {
  /** The key, as text that names it: for example its bytes in Latin-1. */
  readonly key: string;
  readonly version: bigint;
  readonly record: Uint8Array;
}

/** How much is kept, and for how long. */
export interface HintLimits {
  readonly bytes: number;
  readonly ageMs: number;
}

/** A change that is kept. */
export interface KeptHint extends Hint {
  /** Since when, on the monotonic clock. */
  readonly sinceMs: number;
}

/** What is told of each change that is kept or dropped, to keep it for another run. */
export interface HintJournal {
  keep(id: string, hint: Hint, sinceMs: number): void;
  drop(id: string, hint: Hint): void;
}

/** The hints of a node for all others. */
export class Hints {
  readonly #limits: HintLimits;
  /** By the id of who lacks them, and by key, the oldest first. */
  readonly #kept = new Map<string, Map<string, KeptHint>>();
  readonly #incomplete = new Set<string>();
  #bytes = 0;

  readonly #journal: HintJournal | undefined;

  constructor(limits: HintLimits, journal?: HintJournal | undefined) {
    this.#limits = limits;
    this.#journal = journal;
  }

  /** All changes that are kept, with who lacks them. */
  *all(): Iterable<readonly [id: string, kept: KeptHint]> {
    for (const [id, mine] of this.#kept) for (const kept of mine.values()) yield [id, kept];
  }

  /** Takes over what another run has kept, the oldest first. */
  restore(id: string, kept: KeptHint, nowMs: number): void {
    this.#put(id, kept, nowMs);
  }

  /** A node needs repair when it is back, for nobody knows what was kept for it. */
  lose(id: string): void {
    this.#incomplete.add(id);
  }

  /** Bytes of all records that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many changes are kept for a node. */
  countFor(id: string): number {
    return this.#kept.get(id)?.size ?? 0;
  }

  /** Bytes of the changes that are kept for a node. */
  bytesFor(id: string): number {
    let bytes = 0;
    for (const { record } of this.#kept.get(id)?.values() ?? []) bytes += record.length;
    return bytes;
  }

  /** For how long the oldest change for a node has been kept, in milliseconds; 0 for none. */
  ageMs(id: string, nowMs: number): number {
    const [oldest] = this.#kept.get(id)?.values() ?? [];
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.sinceMs);
  }

  /** Whether changes for a node were let go: it needs repair when it is back. */
  isIncomplete(id: string): boolean {
    return this.#incomplete.has(id);
  }

  /** A node was told to compare itself: what was let go of is made up for. */
  madeUpFor(id: string): void {
    this.#incomplete.delete(id);
  }

  /** Keeps a change for a node unless a newer one of its key is kept. */
  keep(id: string, hint: Hint, nowMs: number): void {
    if (!this.#put(id, { ...hint, sinceMs: nowMs }, nowMs)) return;
    this.#journal?.keep(id, hint, nowMs);
  }

  #put(id: string, hint: KeptHint, nowMs: number): boolean {
    const mine = this.#kept.get(id) ?? new Map<string, KeptHint>();
    this.#kept.set(id, mine);
    const known = mine.get(hint.key);
    if (known !== undefined && known.version >= hint.version) return false;
    this.#drop(mine, hint.key);
    mine.set(hint.key, hint);
    this.#bytes += hint.record.length;
    this.#letGo(nowMs);
    return mine.get(hint.key) === hint;
  }

  #drop(mine: Map<string, KeptHint>, key: string): void {
    const known = mine.get(key);
    if (known === undefined) return;
    mine.delete(key);
    this.#bytes -= known.record.length;
  }

  /** Lets go of what is too old, and then of the oldest until the rest fits. */
  #letGo(nowMs: number): void {
    for (const [id, mine] of this.#kept) {
      for (const [key, { sinceMs }] of mine) {
        if (nowMs - sinceMs < this.#limits.ageMs) break;
        this.#forget(id, mine, key);
      }
    }
    while (this.#bytes > this.#limits.bytes) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest: { id: string; mine: Map<string, KeptHint>; kept: KeptHint } | undefined;
    for (const [id, mine] of this.#kept) {
      const [kept] = mine.values();
      const older = oldest === undefined || (kept?.sinceMs ?? 0) < oldest.kept.sinceMs;
      if (kept !== undefined && older) oldest = { id, mine, kept };
    }
    if (oldest !== undefined) this.#forget(oldest.id, oldest.mine, oldest.kept.key);
  }

  #forget(id: string, mine: Map<string, KeptHint>, key: string): void {
    const known = mine.get(key);
    if (known !== undefined) this.#journal?.drop(id, known);
    this.#drop(mine, key);
    this.#incomplete.add(id);
  }

  /** The oldest hints for a node, at most so many bytes of them, but at least one. */
  next(id: string, maxBytes: number, nowMs: number): Hint[] {
    this.#letGo(nowMs);
    const taken: Hint[] = [];
    let bytes = 0;
    for (const hint of this.#kept.get(id)?.values() ?? []) {
      bytes += hint.record.length;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(hint);
    }
    return taken;
  }

  /** A node has merged these; a change of the same key that came meanwhile stays. */
  delivered(id: string, hints: readonly Hint[]): void {
    const mine = this.#kept.get(id);
    if (mine === undefined) return;
    for (const { key, version } of hints) {
      const known = mine.get(key);
      if (known?.version !== version) continue;
      this.#journal?.drop(id, known);
      this.#drop(mine, key);
    }
    if (mine.size === 0) this.#kept.delete(id);
  }

  /** A node was repaired, or is no owner any more: nothing is kept for it. */
  settle(id: string): void {
    const mine = this.#kept.get(id) ?? new Map<string, KeptHint>();
    for (const [key, known] of [...mine]) {
      this.#journal?.drop(id, known);
      this.#drop(mine, key);
    }
    this.#kept.delete(id);
    this.#incomplete.delete(id);
  }
}
