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
  /** When it was sent, on the clock of the test in milliseconds. */
  readonly sentMs: number;
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

/** What a key is found to be after a crash. */
export interface Verdict {
  /**
   * `right`; confirmed changes are gone, and with them the key (`lost`), or an older value is there
   * (`stale`); or it holds what was never written, or was overwritten before the last check.
   */
  readonly kind: 'right' | 'lost' | 'stale' | 'invented';
  /** When the first confirmed change was confirmed that is gone. */
  readonly lostMs?: number | undefined;
  /** When the value that is there was sent. */
  readonly foundMs?: number | undefined;
}

/** One key. */
export class KeyOracle {
  readonly key: string;
  #deeds: Deed[];

  /** A key that is absent, unless it is known to hold something. */
  constructor(key: string, state?: State) {
    this.key = key;
    this.#deeds = [{ state, sentMs: 0, confirmedMs: 0 }];
  }

  /** What the key holds when everything sent so far was done. */
  get state(): State {
    return this.#deeds.at(-1)?.state;
  }

  /** Something that leads to `state` is sent. */
  send(state: State): Sent {
    const deed: Deed = { state, sentMs: performance.now(), confirmedMs: undefined };
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

  /**
   * Judges what the key holds after a crash, and starts from there. A key that the memory may have
   * evicted may be absent, and be there again after the next start, as it was when it was evicted.
   */
  check(found: State, mayForget = false): Verdict {
    const deeds = this.#deeds;
    if (mayForget && found === undefined) {
      this.#deeds = deeds.slice(
        deeds.findLastIndex(({ confirmedMs }) => confirmedMs !== undefined),
      );
      return { kind: 'right' };
    }
    this.#deeds = [{ state: found, sentMs: 0, confirmedMs: 0 }];
    const at = deeds.findLastIndex(({ state }) => state === found);
    if (at < 0) return { kind: 'invented' };
    const lost = deeds.slice(at + 1).find(({ confirmedMs }) => confirmedMs !== undefined);
    // Values are unique; that a key is absent may be the work of any of its deletes.
    const foundMs = found === undefined ? undefined : deeds[at]?.sentMs;
    if (lost === undefined) return { kind: 'right', foundMs };
    return { kind: found === undefined ? 'lost' : 'stale', lostMs: lost.confirmedMs, foundMs };
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
  const lossMs = crashMs - (verdict.lostMs ?? 0);
  tally.lossMs = Math.max(tally.lossMs, lossMs);
  if (allowedMs > 0 && lossMs <= allowedMs) return;
  tally[verdict.kind]++;
  tally.problems.push(`${key} lost what was confirmed ${Math.round(lossMs)} ms before the crash`);
}

/**
 * Books what is there although it was sent after something was confirmed that is gone: what comes
 * back must be all that was done up to some moment, and nothing of what was done later. So it is as
 * long as one thread of the node does everything.
 */
export function bookOrder(
  tally: Tally,
  verdicts: readonly (Verdict & { readonly key: string })[],
): void {
  const lostMs = Math.min(...verdicts.map((verdict) => verdict.lostMs ?? Number.POSITIVE_INFINITY));
  for (const { key, foundMs = 0 } of verdicts) {
    if (foundMs <= lostMs) continue;
    const laterMs = Math.round(foundMs - lostMs);
    bookFailure(tally, `${key} has what was sent ${laterMs} ms after a change that is lost`);
  }
}
