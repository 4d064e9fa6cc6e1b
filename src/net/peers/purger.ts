/**
 * Purges what this node does not own any more, once moves are settled: keys that it has kept from
 * when it was an owner would only take memory, and might come back as old as they are when it
 * becomes one again.
 *
 *   own keys, page by page ─▶ not mine ─▶ an owner: has it that, or newer? ─▶ drop it here
 *                                            └ no, and not forgotten ─▶ give it that first
 *
 * A former owner that was away while partitions moved may be the only one that knows of a change,
 * so nothing goes before an owner has it. Who can't reach an owner keeps the key and tries again.
 * It begins a while after the moves: others may still believe in an older configuration.
 */
import type { Clock } from '../../base/clock.js';
import { slotOf, slotsWhere } from '../../base/slot.js';
import type { Timers } from '../../base/timers.js';
import { STATUS } from '../../protocol/status.js';
import type { Member } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Log } from '../log.js';
import type { Settle } from './inquirer.js';
import { type Ask, entriesOf, type Page, type Versioned, walk } from './pages.js';
import { gather, lacks } from './repair.js';
import { isMerged, purgeOf, question, repairOf, saidBy } from './said.js';

/** What purging works with. */
export interface PurgerParts {
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** Asks a member; settled once, later. */
  readonly ask: (member: Member, request: Uint8Array, settle: Settle) => void;
  /** How long after a configuration it begins; a minute by default. */
  readonly afterMs?: number | undefined;
}

/** What purging has come to since the node started. */
export interface PurgeFigures {
  /** Items and tombstones that were dropped. */
  readonly purged: number;
  /** Those of them that an owner had to be given first. */
  readonly handedOver: number;
  /** Those that no owner could be reached for, so that they stayed. */
  readonly kept: number;
}

const AFTER_MS = 60_000;
const AGAIN_MS = 600_000;
const PAGE_KEYS = 256;
/** At most some 25 000 keys a second are looked at, a few thousand of them dropped. */
const LOOK_PAUSE_MS = 10;
const DROP_PAUSE_MS = 50;

type Fate = 'purged' | 'handedOver' | 'kept' | 'gone';

/** See the top of this file. */
export class Purger {
  readonly #parts: PurgerParts;
  readonly #afterMs: number;
  #figures = { purged: 0, handedOver: 0, kept: 0 };
  /** The configuration that was purged under, or waits for that. */
  #number = -1;
  #dueMs = 0;
  #running = false;
  #stopped = false;

  constructor(parts: PurgerParts) {
    this.#parts = parts;
    this.#afterMs = parts.afterMs ?? AFTER_MS;
  }

  /** What purging has come to. */
  get figures(): PurgeFigures {
    return this.#figures;
  }

  /** Begins when it is time. */
  tick(nowMs: number): void {
    const { configuration } = this.#parts.view;
    if (this.#running || this.#stopped || configuration === undefined) return;
    if (configuration.number !== this.#number) {
      this.#number = configuration.number;
      this.#dueMs = nowMs + this.#afterMs;
    }
    if (nowMs < this.#dueMs || !this.#mayPurge(configuration.number)) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#purge(configuration.number);
  }

  /** Whether this node is a member, and everything is where it belongs. */
  #mayPurge(number: number): boolean {
    const { view } = this.#parts;
    const { configuration, selfIndex } = view;
    const settled = configuration?.number === number && configuration.leaving === undefined;
    return settled && selfIndex >= 0 && !this.#stopped;
  }

  #purge(number: number): void {
    const { timers, askOwn, clock, log } = this.#parts;
    const before = this.#figures;
    const isMine = this.#ownership();
    if (isMine === undefined) return;
    this.#running = true;
    walk({
      ...{ timers, ask: askOwn, cursor: 0n, pageKeys: PAGE_KEYS },
      wanted: () => this.#mayPurge(number),
      onPage: (page, next) => this.#purgePage(page, isMine, number, next),
      done: (complete) => {
        this.#running = false;
        const { purged, kept } = this.#figures;
        const again = !complete || kept > before.kept;
        // Somebody with an older configuration may have brought something meanwhile.
        this.#dueMs = clock.monotonicMs() + (again ? this.#afterMs : AGAIN_MS);
        const count = purged - before.purged;
        if (count > 0) log.info({ items: count, complete: !again }, 'purged what others own');
      },
    });
  }

  /** Whether a key is this node's; nothing when all are. */
  #ownership(): ((key: Uint8Array) => boolean) | undefined {
    const { view } = this.#parts;
    if (view.configuration?.partitioner === 'range') return (key) => view.owns(key);
    const mine = slotsWhere((slot) =>
      view.groupsOfSlot(slot).some((group) => group.some(({ id }) => id === view.self)),
    );
    return mine.includes(0) ? (key) => mine[slotOf(key)] === 1 : undefined;
  }

  #purgePage(
    page: Page,
    isMine: (key: Uint8Array) => boolean,
    number: number,
    next: (pauseMs: number) => void,
  ): void {
    const others = entriesOf(page).filter(({ key }) => !isMine(key));
    const settleOne = (one: Versioned, settle: (fate: Fate) => void): void => {
      if (this.#mayPurge(number)) this.#settle(one, settle);
      else settle('gone');
    };
    gather(others, settleOne, (fates) => {
      const count = (...which: Fate[]): number => fates.filter((one) => which.includes(one)).length;
      const { purged, handedOver, kept } = this.#figures;
      this.#figures = {
        purged: purged + count('purged', 'handedOver'),
        handedOver: handedOver + count('handedOver'),
        kept: kept + count('kept'),
      };
      next(others.length > 0 ? DROP_PAUSE_MS : LOOK_PAUSE_MS);
    });
  }

  #settle({ key, version }: Versioned, settle: (fate: Fate) => void): void {
    const { view, ask } = this.#parts;
    const [owner] = view.route(key);
    if (owner === undefined || owner.id === view.self || !view.isAlive(owner.id)) settle('kept');
    else {
      ask(owner, question(key, false), (answer) => {
        const said = answer && saidBy('', answer);
        if (said === undefined) settle('kept');
        else if (lacks(said, version, false)) this.#handOver(owner, { key, version }, settle);
        else this.#drop({ key, version }, 'purged', settle);
      });
    }
  }

  #handOver(owner: Member, listed: Versioned, settle: (fate: Fate) => void): void {
    const { ask, askOwn, clock } = this.#parts;
    askOwn(question(listed.key, true), (answer) => {
      const said = answer && saidBy('', answer);
      if (said?.version === undefined) {
        settle('gone');
        return;
      }
      const { version } = said;
      ask(owner, repairOf(listed.key, said, clock.nowMs()), (merged) => {
        if (isMerged(merged)) this.#drop({ key: listed.key, version }, 'handedOver', settle);
        else settle('kept');
      });
    });
  }

  #drop({ key, version }: Versioned, fate: Fate, settle: (fate: Fate) => void): void {
    this.#parts.askOwn(purgeOf(key, version), (dropped) => {
      settle(dropped?.status === STATUS.OK ? fate : 'gone');
    });
  }

  /** Ends it at once. */
  stop(): void {
    this.#stopped = true;
  }
}
