/**
 * The oracle stands outside of the node and knows what each key may hold. A key has one writer,
 * which does one thing at a time, so what was done to it is a list of states:
 *
 *   checked │ confirmed │ confirmed │ sent, not answered
 *      0          1           2             3
 *
 * After a crash the key must be at one of them. At 2 or 3 all is well. At 0 or 1 something that was
 * confirmed is lost, and an older value is back. At none of them it holds what nobody wrote.
 */

/** A value, or nothing when the key is absent. */
export type State = string | undefined;

/** One thing that was done to a key. */
interface Deed {
  readonly state: State;
  /** When it was confirmed, on the clock of the test in milliseconds. */
  confirmedMs: number | undefined;
}

/** What was sent, and waits for its answer. */
export interface Sent {
  /** It was confirmed, now. */
  confirm(): void;
  /** It was certainly not done. */
  withdraw(): void;
}

/** What is wrong with a key after a crash. */
export type Verdict =
  | { readonly kind: 'right' }
  /** Confirmed changes are gone; the first of them was confirmed at that time. */
  | { readonly kind: 'lost' | 'stale'; readonly sinceMs: number }
  /** It holds what was never written, or what was overwritten before the last check. */
  | { readonly kind: 'invented' };

/** One key. */
export class KeyOracle {
  readonly key: string;
  #deeds: Deed[];

  /** A key that is absent, unless it is known to hold something. */
  constructor(key: string, state?: State) {
    this.key = key;
    this.#deeds = [{ state, confirmedMs: 0 }];
  }

  /** What the key holds when everything sent so far was done. */
  get state(): State {
    return this.#deeds.at(-1)?.state;
  }

  /** Something that leads to `state` is sent. */
  send(state: State): Sent {
    const deed: Deed = { state, confirmedMs: undefined };
    this.#deeds.push(deed);
    return {
      confirm: () => {
        deed.confirmedMs ??= performance.now();
      },
      withdraw: () => {
        this.#deeds = this.#deeds.filter((other) => other !== deed);
      },
    };
  }

  /** Judges what the key holds after a crash, and starts from there. */
  check(found: State): Verdict {
    const deeds = this.#deeds;
    this.#deeds = [{ state: found, confirmedMs: 0 }];
    for (let at = deeds.length - 1; at >= 0; at--) {
      if (deeds[at]?.state !== found) continue;
      const lost = deeds.slice(at + 1).find(({ confirmedMs }) => confirmedMs !== undefined);
      if (lost === undefined) return { kind: 'right' };
      const kind = found === undefined ? 'lost' : 'stale';
      return { kind, sinceMs: lost.confirmedMs ?? 0 };
    }
    return { kind: 'invented' };
  }
}

/** What checks found over all keys. */
export interface Tally {
  /** Confirmed changes. */
  acked: number;
  /** Keys whose confirmed value is gone, and keys that hold an older one. */
  lost: number;
  stale: number;
  /** Keys that hold what nobody wrote, and whatever else went wrong. */
  failed: number;
  faultsFired: number;
  /** Times that the node came back, and everything it held was looked at. */
  checks: number;
  /** The longest time before a crash of which confirmed changes were lost, in milliseconds. */
  lossMs: number;
  /** What went wrong, in words. */
  problems: string[];
}

/** Nothing found yet. */
export function emptyTally(): Tally {
  const figures = { acked: 0, lost: 0, stale: 0, failed: 0, faultsFired: 0 };
  return { ...figures, checks: 0, lossMs: 0, problems: [] };
}

/** Books that something went wrong that is neither a loss nor an old value. */
export function bookFailure(tally: Tally, problem: string): void {
  tally.failed++;
  tally.problems.push(problem);
}

/**
 * Books a verdict. A loss of what was confirmed at most `allowedMs` before the crash is allowed,
 * but measured.
 */
export function book(
  tally: Tally,
  key: string,
  verdict: Verdict,
  crashMs: number,
  allowedMs: number,
): void {
  if (verdict.kind === 'right') return;
  if (verdict.kind === 'invented') {
    bookFailure(tally, `${key} holds what nobody wrote`);
    return;
  }
  const lossMs = crashMs - verdict.sinceMs;
  tally.lossMs = Math.max(tally.lossMs, lossMs);
  if (allowedMs > 0 && lossMs <= allowedMs) return;
  tally[verdict.kind]++;
  tally.problems.push(`${key} lost what was confirmed ${Math.round(lossMs)} ms before the crash`);
}
