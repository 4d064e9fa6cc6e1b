/**
 * When this node compares itself with which peer: when a connection has come up, when a peer is
 * back that was away, when a peer says that it could not keep everything for this node, when moves
 * are settled, once the clocks have come to what was left because it comes from ahead, and every
 * ten minutes. One at a time, and nobody is to notice.
 */
import type { Clock } from '../../base/clock.js';
import { LINK_TOPICS, type Links } from '../../base/links.js';
import type { Random } from '../../base/random.js';
import { slotsWhere } from '../../base/slot.js';
import type { Timers } from '../../base/timers.js';
import {
  decodeDigestAnswer,
  encodeDigestRequest,
  timeOfBytes,
} from '../../replication/digestMessage.js';
import type { Reach } from '../../replication/reach.js';
import type { Member } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Log } from '../log.js';
import { Absence, type TouchPlace } from './absence.js';
import { type ComparisonReport, compareWith } from './comparison.js';
import { DigestDesk } from './digestDesk.js';
import type { Forwarder } from './forwarder.js';
import type { Settle } from './inquirer.js';
import type { Ask } from './pages.js';
import { type Haul, type HaulReport, haulFrom, type RepairParts } from './repair.js';
import { type ShedEnd, type ShedOrder, shedOwn } from './shed.js';
import { Soundness } from './soundness.js';
import type { Shared } from './survey.js';
import { askGeneration } from './witness.js';

/** What repairs are made with. */
export interface RepairsParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Questions of the main thread to other nodes. */
  readonly forwarder: () => Pick<Forwarder, 'ask'> | undefined;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
  /** A peer that there is a connection to. */
  readonly connected: (id: string) => Member | undefined;
  /** Where it is kept when this node was in touch last; nowhere by default. */
  readonly touched?: TouchPlace | undefined;
}

/** What comparisons have come to since the node started. */
export interface RepairFigures {
  /** Comparisons that were completed, and how many of them found nothing that differs. */
  readonly runs: number;
  readonly equal: number;
  /** Slots that differed, keys that were looked at, items that were got. */
  readonly slots: number;
  readonly keys: number;
  readonly items: number;
  readonly itemBytes: number;
  /** Digests and lists on the wire, both ways. */
  readonly toldBytes: number;
}

/** How the last comparison with a peer ended. */
export interface LastRepair {
  readonly endedMs: number;
  readonly complete: boolean;
  readonly slots: number;
  readonly items: number;
}

/** Peers are compared with so often when nothing gives cause for it. */
const EVERY_MS = 600_000;
/** After a failed or a wished one, the next comparison begins at the earliest after so long. */
const PAUSE_MS = 1_000;
/** The same as long as others can't count on this node. */
const LACKING_PAUSE_MS = 100;
/** After one that left what comes from ahead; a clock that is wrong goes on for a while. */
const AHEAD_MIN_MS = 10_000;
/** How long a question to another node's store may take, and one to its desk. */
const QUESTION_MS = 5_000;
const DESK_MS = 2_000;

/** Compares this node with its peers; see the top of this file. */
export class Repairs {
  readonly #parts: RepairsParts;
  readonly #desk: DigestDesk;
  /** Sees to it that nothing is kept that was deleted while this node was away for long. */
  readonly absence: Absence;
  readonly #soundness: Soundness;
  /** When each peer is to be compared with, on the monotonic clock. */
  readonly #dueMs = new Map<string, number>();
  readonly #last = new Map<string, LastRepair>();
  #figures = { runs: 0, equal: 0, slots: 0, keys: 0, items: 0, itemBytes: 0, toldBytes: 0 };
  #links: Links | undefined;
  #running = false;
  #moving = false;
  #epoch = 0;
  #stopped = false;

  constructor(parts: RepairsParts) {
    this.#parts = parts;
    const { timers, clock, askOwn, view, log } = parts;
    this.absence = new Absence({
      ...{ view, clock, timers, log, askOwn, place: parts.touched },
      isConnected: (id) => parts.connected(id) !== undefined,
      askTouched: (id, settle) => this.askTouched(id, settle),
      ask: (id, request, settle) => this.ask(id, request, settle),
    });
    this.#desk = new DigestDesk({
      ...{ timers, clock, ask: askOwn },
      sharedWith: (peer, cluster, number) => {
        return this.absence.isUnsure ? undefined : this.#sharedWith(peer, cluster, number);
      },
      onAgain: (peer) => this.soon(peer),
      touchedMs: () => this.absence.touchedMs,
      isLacking: () => parts.reach.isLacking,
    });
    this.#soundness = new Soundness(parts);
    let away = new Set(view.away);
    view.onLiveness(() => {
      const now = new Set(view.away);
      for (const id of away) if (!now.has(id)) this.soon(id);
      away = now;
    });
  }

  /** Nodes are asked over these links, and answered. */
  serve(links: Links): void {
    this.#links = links;
    this.#desk.serve(links);
  }

  /** What comparisons have come to. */
  get figures(): RepairFigures {
    return this.#figures;
  }

  /** Whether this node has lost its memory, and does not count as an owner yet. */
  get isLacking(): boolean {
    return this.#parts.reach.isLacking;
  }

  /** How the last comparison with a peer ended, if there was one. */
  lastOf(id: string): LastRepair | undefined {
    return this.#last.get(id);
  }

  /** The members that there are, without this node. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of [...this.#dueMs.keys()]) if (!ids.has(id)) this.#dueMs.delete(id);
    const { view } = this.#parts;
    const isMoving = view.leaving !== undefined;
    const { epoch = 0 } = view.configuration ?? {};
    // Who led may have told one and not the other.
    const all = (this.#moving && !isMoving) || (view.isLed && epoch !== this.#epoch);
    this.#epoch = epoch;
    for (const id of ids) if (!this.#dueMs.has(id) || all) this.soon(id);
    this.#moving = isMoving;
  }

  /** There is cause to compare with a peer. */
  soon(id: string): void {
    this.#by(id, this.#parts.reach.isLacking ? LACKING_PAUSE_MS : PAUSE_MS);
  }

  /** A peer is to be compared with in so many milliseconds, or before. */
  #by(id: string, inMs: number): void {
    const dueMs = this.#parts.clock.monotonicMs() + inMs;
    this.#dueMs.set(id, Math.min(this.#dueMs.get(id) ?? dueMs, dueMs));
  }

  /** Has a peer compare itself with this node; `settle` is told whether it has heard that. */
  askAgain(id: string, settle: (heard: boolean) => void): void {
    const request = encodeDigestRequest({ kind: 'again' });
    const links = this.#links;
    if (links === undefined) settle(false);
    else {
      links.request(id, LINK_TOPICS.replication, request, DESK_MS, (answer) =>
        settle(answer !== undefined),
      );
    }
  }

  /** Asks a peer when it was in touch last, in Unix milliseconds; settled once, later. */
  askTouched(id: string, settle: (touchedMs: number | undefined) => void): void {
    const { timers, connected } = this.#parts;
    const links = this.#links;
    if (links === undefined || connected(id) === undefined) {
      timers.soon(() => settle(undefined));
      return;
    }
    const request = encodeDigestRequest({ kind: 'touched' });
    links.request(id, LINK_TOPICS.replication, request, DESK_MS, (answer) => {
      const said = decodeDigestAnswer(answer);
      settle(said?.kind === 'yes' ? timeOfBytes(said.body) : undefined);
    });
  }

  /** Begins the comparison whose turn it is. */
  tick(nowMs: number): void {
    this.absence.tick(nowMs);
    this.#soundness.tick(nowMs);
    if (this.#running || this.#links === undefined || this.#stopped) return;
    for (const [id, dueMs] of this.#dueMs) {
      this.#takeWish(id);
      if (nowMs < dueMs || this.#parts.connected(id) === undefined) continue;
      if (!this.#parts.view.mayTakeFrom(id)) continue;
      this.#dueMs.set(id, nowMs + EVERY_MS);
      this.#compare(id);
      return;
    }
  }

  /** A session waits for what a peer gave up telling this node. */
  #takeWish(id: string): void {
    const { reach } = this.#parts;
    const row = reach.rowOf(id);
    if (row !== undefined && reach.takeWanted(row)) this.soon(id);
  }

  /** Compares, and notes from which generation at the peer on nothing is lacking here. */
  #compare(id: string): void {
    const { reach, view } = this.#parts;
    const row = reach.rowOf(id);
    if (row === undefined) return;
    this.#running = true;
    const mark = { id, boot: reach.runOf(row), position: 0 };
    const question = { id: view.self, run: reach.run, mark };
    const ask = this.#repairParts(id).askPeer;
    askGeneration(question, QUESTION_MS, ask, (generation) => {
      const noted = (): void => {
        if (generation !== undefined) reach.setWhole(row, generation);
      };
      // A comparison may be over before `#begin` returns: the peer is gone meanwhile.
      if (!this.#begin(id, noted)) this.#running = false;
    });
  }

  /** Whether a comparison has begun. */
  #begin(id: string, done: () => void): boolean {
    const { view, clock, random } = this.#parts;
    const { cluster = '', number = 0 } = view.configuration ?? {};
    const isShared = this.#sharedWith(id, cluster, number);
    const links = this.#links;
    if (isShared === undefined || links === undefined) return false;
    compareWith(
      {
        ...this.#repairParts(id),
        maxSkewMs: this.#parts.reach.maxSkewMs,
        ...{ clock, random, cluster, number, isShared },
        tell: (request, settle) =>
          links.request(id, LINK_TOPICS.replication, request, DESK_MS, settle),
        wanted: () => !this.#stopped && this.#parts.connected(id) !== undefined,
      },
      (report) => {
        this.#running = false;
        if (report.complete && report.aheadMs === Number.POSITIVE_INFINITY) {
          done();
          this.#soundness.compared(id, report.sound);
        }
        this.#ended(id, report);
      },
    );
    return true;
  }

  #ended(id: string, report: ComparisonReport): void {
    const { complete, slots, keys, repaired, bytes, toldBytes } = report;
    const { figures } = this;
    this.#figures = {
      runs: figures.runs + (complete ? 1 : 0),
      equal: figures.equal + (complete && slots === 0 ? 1 : 0),
      ...{ slots: figures.slots + slots, keys: figures.keys + keys },
      ...{ items: figures.items + repaired, itemBytes: figures.itemBytes + bytes },
      toldBytes: figures.toldBytes + toldBytes,
    };
    const { clock, log } = this.#parts;
    this.#last.set(id, { endedMs: clock.monotonicMs(), complete, slots, items: repaired });
    if (!complete && !this.#stopped) this.soon(id);
    // Else nobody would look for what was left before the next turn, ten minutes later.
    const aheadMs = Math.max(report.aheadMs - clock.nowMs(), AHEAD_MIN_MS);
    if (aheadMs < EVERY_MS) this.#by(id, aheadMs);
    if (repaired > 0) log.info({ node: id, complete, slots, repaired }, 'repaired from a peer');
  }

  /** What this node and a peer both own; nothing when this is not the configuration known here. */
  #sharedWith(peer: string, cluster: string, number: number): Shared | undefined {
    const { view } = this.#parts;
    const { configuration, self } = view;
    if (configuration?.cluster !== cluster || configuration.number !== number) return undefined;
    // Owners to be are hauled to: who has the data already are those of the first group.
    const both = (group: readonly Member[] = []): boolean =>
      group.some(({ id }) => id === self) && group.some(({ id }) => id === peer);
    if (configuration.partitioner === 'range') {
      return (_, bytes, start, end) => both(view.groupsOf(bytes.subarray(start, end))[0]);
    }
    const shared = slotsWhere((slot) => both(view.groupsOfSlot(slot)[0]));
    return (slot) => shared[slot] === 1;
  }

  #repairParts(id: string): RepairParts {
    const { timers, clock, askOwn } = this.#parts;
    const askPeer: Ask = (request, settle) => this.ask(id, request, settle);
    return { timers, askOwn, askPeer, nowMs: () => clock.nowMs() };
  }

  /** Asks the store of a peer; settled once, later, with nothing if there is no connection. */
  ask(id: string, request: Uint8Array, settle: Settle): void {
    const { timers, clock, forwarder, connected } = this.#parts;
    const [roads, member] = [forwarder(), connected(id)];
    if (roads === undefined || member === undefined) timers.soon(() => settle(undefined));
    else roads.ask(member, request, clock.monotonicMs() + QUESTION_MS, settle);
  }

  /**
   * Gets from a peer what this node lacks of the keys that `haul` is about. Never throws; a peer
   * that is not there has nothing to give.
   */
  haul(id: string, haul: Haul, done: (report: HaulReport) => void): void {
    const wanted = (): boolean =>
      !this.#stopped && this.#parts.connected(id) !== undefined && haul.wanted();
    haulFrom(this.#repairParts(id), { ...haul, wanted }, done);
  }

  /** Outdoes what this node has and who leads the key has not; never throws. */
  shed(order: ShedOrder, done: (end: ShedEnd) => void): void {
    const { timers, clock, askOwn } = this.#parts;
    const askPeer = (id: string): Ask => this.#repairParts(id).askPeer;
    const goesOn = (): boolean => !this.#stopped && order.goesOn();
    shedOwn({ timers, askOwn, askPeer, nowMs: () => clock.nowMs() }, { ...order, goesOn }, done);
  }

  /** Ends what is under way. */
  stop(): void {
    this.#stopped = true;
    this.absence.stop();
    this.#desk.stop();
  }
}
