/**
 * The oracle stands outside of the nodes, and knows of each key what was sent and what was
 * acknowledged, under which version. Writers may be several, and a write that nobody acknowledged
 * may happen at any later time, so order says little; versions say it all:
 *
 *   acknowledged  v3 v7 v5      then whoever looks has to find v7 or something above it,
 *   unknown       'x'           which has to be one of the values that were sent
 */
import type { Level } from '../../src/client/index.js';

/** What was found of a key; without a version there was nothing. */
export interface Found {
  readonly version: bigint;
  readonly value: string | undefined;
}

/** Nothing. */
export const NOTHING: Found = { version: 0n, value: undefined };

interface Acknowledgement {
  readonly version: bigint;
  readonly level: Level;
  readonly atMs: number;
}

/** What is wrong with what was found. */
export type Verdict =
  | { readonly kind: 'right' }
  /** It lacks what was acknowledged at that time, on the clock of `performance.now`. */
  | { readonly kind: 'lost' | 'stale'; readonly atMs: number }
  | { readonly kind: 'invented' };

const RIGHT: Verdict = { kind: 'right' };

/** One key. */
export class History {
  readonly key: string;
  readonly #sent = new Set<string>();
  /** Values that were refused for certain, and by whom. */
  readonly #refused = new Map<string, string>();
  #acknowledged: Acknowledgement[] = [];

  constructor(key: string) {
    this.key = key;
  }

  /** A value is sent. */
  send(value: string): void {
    this.#sent.add(value);
  }

  /** It was refused for certain, in these words. */
  withdraw(value: string, why: string): void {
    this.#sent.delete(value);
    this.#refused.set(value, why);
  }

  /** Why nobody should see a value. */
  whyNot(value: string | undefined): string {
    const why = this.#refused.get(value ?? '');
    return why === undefined ? 'nobody wrote that' : `that was refused: ${why}`;
  }

  /** It was acknowledged. */
  acknowledge(version: bigint, level: Level): void {
    this.#acknowledged.push({ version, level, atMs: performance.now() });
    // What is below another that is at least as strong will never be asked for.
    if (this.#acknowledged.length > 64) this.#acknowledged = this.#strongest();
  }

  #strongest(): Acknowledgement[] {
    return (['one', 'quorum', 'all'] as const).flatMap((level) => {
      const those = this.#acknowledged.filter((one) => one.level === level);
      those.sort((a, b) => (a.version < b.version ? 1 : -1));
      return those.slice(0, 1);
    });
  }

  /** Whether anything was acknowledged. */
  get isKnown(): boolean {
    return this.#acknowledged.length > 0;
  }

  /** The highest version that was acknowledged at `quorum` or above. */
  get quorumVersion(): bigint {
    let highest = 0n;
    for (const { version, level } of this.#acknowledged) {
      if (level !== 'one' && version > highest) highest = version;
    }
    return highest;
  }

  /** Judges what is found when all is over. */
  judge({ version, value }: Found): Verdict {
    if (value !== undefined && !this.#sent.has(value)) return { kind: 'invented' };
    const lacking = this.#acknowledged.filter((one) => one.version > version);
    const [first] = lacking.sort((a, b) => a.atMs - b.atMs);
    if (first === undefined) return RIGHT;
    return { kind: value === undefined ? 'lost' : 'stale', atMs: first.atMs };
  }

  /** Judges what a read at `quorum` saw, which began when `least` was acknowledged. */
  judgeRead({ version, value }: Found, least: bigint): 'right' | 'stale' | 'invented' {
    if (value !== undefined && !this.#sent.has(value)) return 'invented';
    return version < least ? 'stale' : 'right';
  }
}

/** All keys. */
export class Histories {
  readonly #keys = new Map<string, History>();

  /** The history of a key. */
  of(key: string): History {
    let history = this.#keys.get(key);
    if (history === undefined) {
      history = new History(key);
      this.#keys.set(key, history);
    }
    return history;
  }

  /** The keys of which something was acknowledged. */
  get known(): History[] {
    return [...this.#keys.values()].filter(({ isKnown }) => isKnown);
  }
}
