/**
 * Absence: what a node does that was away for longer than tombstones live. What was deleted
 * meanwhile has no tombstone any more, so for all that comparisons tell it might as well be missing
 * elsewhere, and this node would serve it and give it back to the others.
 *
 *   in touch (more than half of the members reached) ─▶ noted, in the data folder every ten minutes
 *   in touch again, 24 hours and more later ─▶ asks the others since when they have been
 *        ├ nobody of a majority was so much later ─▶ all were away: nothing was missed
 *        └ some were ─▶ own keys, page by page ─▶ older than 24 hours, and all of those owners who
 *                       were in touch have nothing of it ─▶ dropped, as what is not owned is
 *
 * To drop everything at once would be shorter, and lose what only this node has: where all owners
 * of a key were away, or what it was told in the last 24 hours. What others have newer comes from
 * comparisons, as ever. Until this is over the node says so to who wants to compare itself with
 * it, who then tries again later; and it stays unsure as long as it can't ask a majority.
 */
import type { Clock } from '../../base/clock.js';
import type { Timers } from '../../base/timers.js';
import { STATUS } from '../../protocol/status.js';
import { TOMBSTONE_MS } from '../../replication/change.js';
import { membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Log } from '../log.js';
import { timeOf } from './clocks.js';
import type { Settle } from './inquirer.js';
import { type Ask, entriesOf, type Listed, walk } from './pages.js';
import { gather } from './repair.js';
import { purgeOf, question, saidBy } from './said.js';

/** Where it is kept over restarts when a node was in touch last, in Unix milliseconds. */
export interface TouchPlace {
  /** 0 when that is not known. */
  readonly load: () => number;
  /** Throws when it can't be kept. */
  readonly save: (touchedMs: number) => void;
}

/** What absences are seen to with. */
export interface AbsenceParts {
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Nowhere by default: then a node that starts has nothing to discard either. */
  readonly place?: TouchPlace | undefined;
  /** Whether there is a connection to a peer. */
  readonly isConnected: (id: string) => boolean;
  /** Asks a peer when it was in touch last; settled once, later. */
  readonly askTouched: (id: string, settle: (touchedMs: number | undefined) => void) => void;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** Asks the store of a peer. */
  readonly ask: (id: string, request: Uint8Array, settle: Settle) => void;
}

/** What absences have come to since the node started. */
export interface AbsenceFigures {
  /** Absences that were longer than tombstones live, and keys that were dropped for it. */
  readonly absences: number;
  readonly dropped: number;
}

const SAVE_EVERY_MS = 600_000;
const LOOK_EVERY_MS = 1_000;
/** After an attempt that did not come to its end. */
const AGAIN_MS = 5_000;
const PAGE_KEYS = 256;
const PAUSE_MS = 2;

/** What became of a key; `open` when somebody did not answer. */
type Fate = 'kept' | 'dropped' | 'open';

/** See the top of this file. */
export class Absence {
  readonly #parts: AbsenceParts;
  /** When this node was in touch last and had missed nothing, Unix ms. */
  #touchedMs: number;
  #savedMs: number;
  #sure: boolean;
  #busy = false;
  #dueMs = 0;
  #figures = { absences: 0, dropped: 0 };
  #stopped = false;
  #complained = false;

  constructor(parts: AbsenceParts) {
    this.#parts = parts;
    this.#touchedMs = parts.place?.load() ?? parts.clock.nowMs();
    this.#savedMs = this.#touchedMs;
    this.#sure = this.#awayMs() <= TOMBSTONE_MS;
  }

  /** When this node was in touch last and had missed nothing, in Unix milliseconds. */
  get touchedMs(): number {
    return this.#touchedMs;
  }

  /** Whether this node may have what was deleted while it was away. */
  get isUnsure(): boolean {
    return !this.#sure;
  }

  /** What absences have come to. */
  get figures(): AbsenceFigures {
    return this.#figures;
  }

  /** Looks whether this node is in touch, once a second; `nowMs` is monotonic. */
  tick(nowMs: number): void {
    if (nowMs < this.#dueMs || this.#busy || this.#stopped) return;
    this.#dueMs = nowMs + LOOK_EVERY_MS;
    if (!this.#isInTouch()) return;
    if (this.#awayMs() > TOMBSTONE_MS) {
      this.#sure = false;
      this.#ask();
    } else this.#touch();
  }

  /** Ends what is under way, and keeps what is known. */
  stop(): void {
    if (this.#sure && !this.#stopped) this.#save();
    this.#stopped = true;
  }

  #awayMs(): number {
    return this.#parts.clock.nowMs() - this.#touchedMs;
  }

  #others(): string[] {
    const { view } = this.#parts;
    return membersOf(view.configuration).flatMap(({ id }) => (id === view.self ? [] : [id]));
  }

  /** Whether so many of the other members make a majority together with this node. */
  #isMajority(count: number): boolean {
    return 2 * (count + 1) > this.#others().length + 1;
  }

  #isInTouch(): boolean {
    const { view, isConnected } = this.#parts;
    return view.selfIndex >= 0 && this.#isMajority(this.#others().filter(isConnected).length);
  }

  /** Nothing was missed up to now. */
  #touch(): void {
    this.#sure = true;
    this.#touchedMs = this.#parts.clock.nowMs();
    // Also when a clock went back.
    if (Math.abs(this.#touchedMs - this.#savedMs) >= SAVE_EVERY_MS) this.#save();
  }

  #save(): void {
    const { place, log } = this.#parts;
    this.#savedMs = this.#touchedMs;
    try {
      place?.save(this.#touchedMs);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#complained) log.warn({ reason }, 'it is not kept when this node was in touch');
      this.#complained = true;
    }
  }

  /** Asks who was in touch while this node was not. */
  #ask(): void {
    this.#busy = true;
    const others = this.#others();
    gather(others, this.#parts.askTouched, (times) => {
      const heard = times.filter((time) => time !== undefined).length;
      const later = others.filter((_, n) => (times[n] ?? 0) - this.#touchedMs > TOMBSTONE_MS);
      if (this.#stopped || !this.#isMajority(heard)) this.#end(false);
      else if (later.length === 0) this.#end(true);
      else this.#discard(new Set(later));
    });
  }

  #end(complete: boolean): void {
    this.#busy = false;
    if (this.#stopped) return;
    if (complete) this.#touch();
    else this.#dueMs = this.#parts.clock.monotonicMs() + AGAIN_MS;
  }

  /** Drops what may have been deleted while others were in touch. */
  #discard(others: ReadonlySet<string>): void {
    const { timers, askOwn, clock, log } = this.#parts;
    const beforeMs = clock.nowMs() - TOMBSTONE_MS;
    const before = this.#figures.dropped;
    let open = 0;
    const sinceMs = this.#touchedMs;
    log.info({ sinceMs }, 'away for longer than tombstones live: asking of what is as old');
    walk({
      ...{ timers, ask: askOwn, cursor: 0n, pageKeys: PAGE_KEYS },
      wanted: () => !this.#stopped && this.#isInTouch(),
      onPage: (page, next) => {
        const old = entriesOf(page).filter(({ version }) => timeOf(version) < beforeMs);
        const each = (one: Listed, settle: (fate: Fate) => void): void =>
          this.#settle(one, others, settle);
        gather(old, each, (fates) => {
          open += fates.filter((fate) => fate === 'open').length;
          const dropped = fates.filter((fate) => fate === 'dropped').length;
          this.#figures = { ...this.#figures, dropped: this.#figures.dropped + dropped };
          next(PAUSE_MS);
        });
      },
      done: (whole) => {
        const complete = whole && open === 0;
        const dropped = this.#figures.dropped - before;
        if (complete) this.#figures = { ...this.#figures, absences: this.#figures.absences + 1 };
        log.info({ dropped, complete }, 'dropped what nobody else has any more');
        this.#end(complete);
      },
    });
  }

  #settle(
    { key, version }: Listed,
    others: ReadonlySet<string>,
    settle: (fate: Fate) => void,
  ): void {
    const { view, ask } = this.#parts;
    const owners = new Set(view.groupsOf(key).flatMap((group) => group.map(({ id }) => id)));
    const asked = [...owners].filter((id) => others.has(id));
    if (asked.length === 0) {
      settle('kept');
      return;
    }
    const askOne = (id: string, heard: (has: boolean | undefined) => void): void =>
      ask(id, question(key, false), (answer) => {
        const said = answer && saidBy(id, answer);
        heard(said && said.version !== undefined);
      });
    gather(asked, askOne, (have) => {
      if (have.includes(true)) settle('kept');
      else if (have.includes(undefined)) settle('open');
      else this.#drop(key, version, settle);
    });
  }

  /** As what is not owned is dropped: it is not known that it was deleted. */
  #drop(key: Uint8Array, version: bigint, settle: (fate: Fate) => void): void {
    this.#parts.askOwn(purgeOf(key, version), (dropped) => {
      if (dropped === undefined) settle('open');
      else settle(dropped.status === STATUS.OK ? 'dropped' : 'kept');
    });
  }
}
