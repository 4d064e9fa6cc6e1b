/**
 * Moves partitions from one layout to the next. Three parts, of which each node plays those that
 * fall to it:
 *
 *   a new owner     hauls from the old ones, one after the other (`hauls.ts`)
 *   an old owner    says which configuration it knows: from that on its changes go to both
 *   the steward     asks all new owners whether they have arrived, and then wishes to settle
 *
 *   number 8: leaving L, layout M       number 9: layout M
 *   ├── d hauls from a, b, c ──┤ settle ├──▶
 *        writes go to L and M
 *
 * Nothing here has to survive a crash. A new owner that starts again compares again, and what it
 * kept does not move a second time; an old owner that starts again is hauled from anew; and a
 * steward that is gone is followed by another that asks the same.
 */
import type { Clock } from '../base/clock.js';
import type { Links } from '../base/links.js';
import type { Timer, Timers } from '../base/timers.js';
import { ownershipOf } from '../ring/change.js';
import { type Configuration, memberOf } from '../ring/configuration.js';
import { FieldReader, FieldWriter, soundly } from '../ring/fields.js';
import type { ClusterView } from '../ring/view.js';
import { type Haul, Hauls, type Progress, type SourceState } from './hauls.js';
import { Meter } from './meter.js';
import { isWithin, type Move, movesBetween, type Stretch } from './moves.js';

/** How a haul ended, and where it can go on. */
export interface HaulEnd {
  readonly complete: boolean;
  readonly cursor: bigint;
}

/** What one page of a haul brought. */
export interface HaulPage {
  readonly cursor: bigint;
  readonly items: number;
  readonly bytes: number;
}

/** What a haul is told. */
export interface HaulOrder {
  readonly source: string;
  /** 0 for the beginning, or where one that was interrupted stopped. */
  readonly cursor: bigint;
  /** Whether a key is to be looked at. */
  readonly isWanted: (key: Uint8Array) => boolean;
  /** Called with each page; returns how long to pause before the next, in milliseconds. */
  readonly onPage: (page: HaulPage) => number;
  /** Whether to go on. */
  readonly goesOn: () => boolean;
  readonly done: (end: HaulEnd) => void;
}

/** What moving works with. */
export interface MoverParts {
  readonly view: ClusterView;
  /** The lowest number of the configurations that the threads of this node go by. */
  readonly known?: () => number;
  /** Of this process: 16 hex digits. */
  readonly boot: string;
  readonly links: Links;
  readonly topic: number;
  readonly timers: Timers;
  readonly clock: Clock;
  /** Goes through another node's keys, and takes over what is missing here. */
  readonly haul: (order: HaulOrder) => void;
  /** Whether this node has lost its memory, and may lack what it had acknowledged. */
  readonly isLacking: () => boolean;
  /** Whether this node looks after the configuration. */
  readonly isSteward: () => boolean;
  /** All that the configuration `number` moves has arrived. */
  readonly settle: (number: number) => void;
  /** A haul begins, or has ended. */
  readonly told: (what: 'begun' | 'hauled' | 'interrupted', haul: Haul) => void;
  /** Bytes that this node takes over in a second. */
  readonly bytesPerSecond: number;
}

/** How often a mover looks, in milliseconds. */
const LOOK_MS = 500;
/** How long to wait after a haul that was interrupted, in milliseconds. */
const PAUSE_MS = 2_000;
/** How long an answer is waited for, in milliseconds. */
const ANSWER_MS = 2_000;
const ARRIVED = 1 << 0;
const LACKING = 1 << 1;

/** What a node says of itself: which configuration it knows, and how far it is. */
export interface MoveReport extends Progress {
  /** Which run of the node says so: cursors hold for one. */
  readonly boot: string;
  readonly cluster: string;
  readonly number: number;
  readonly arrived: boolean;
  /** Nothing is to be hauled from it yet. */
  readonly lacking: boolean;
}

function encodeReport(report: MoveReport): Uint8Array {
  const writer = new FieldWriter();
  writer.hex64(report.boot);
  writer.hex64(report.cluster);
  writer.count(report.number);
  writer.u8((report.arrived ? ARRIVED : 0) | (report.lacking ? LACKING : 0));
  const { total, done, stuck, bytes, items } = report;
  for (const count of [total, done, stuck, bytes, items]) writer.count(count);
  return writer.done();
}

function decodeReport(body: Uint8Array): MoveReport | undefined {
  return soundly(() => {
    const reader = new FieldReader(body);
    const [boot, cluster] = [reader.hex64(), reader.hex64()];
    const [number, flags] = [reader.count(), reader.u8()];
    const [arrived, lacking] = [(flags & ARRIVED) !== 0, (flags & LACKING) !== 0];
    const [total, done, stuck] = [reader.count(), reader.count(), reader.count()];
    const [bytes, items] = [reader.count(), reader.count()];
    reader.end();
    return { boot, cluster, number, arrived, lacking, total, done, stuck, bytes, items };
  });
}

const planned = new WeakMap<Configuration, readonly Move[]>();

/** All moves that a configuration asks for, computed once for each. */
export function movesOf(configuration: Configuration): readonly Move[] {
  const { leaving, layout, partitioner } = configuration;
  if (leaving === undefined) return [];
  let moves = planned.get(configuration);
  if (moves === undefined) {
    moves = movesBetween(leaving, layout, partitioner);
    planned.set(configuration, moves);
  }
  return moves;
}

/** One node's part in moving; see the top of this file. */
export class Mover {
  readonly #parts: MoverParts;
  readonly #meter: Meter;
  #hauls = new Hauls([]);
  /** What the layout that is being left says of owners: hauls hold as long as it does. */
  #leaving = '';
  /** The ids of those who get something. */
  #targets: readonly string[] = [];
  #current: Haul | undefined;
  /** Where hauls are, by the ids and the boots of their sources; of the same partitions only. */
  readonly #cursors = new Map<string, bigint>();
  /** What others said last. */
  readonly #reports = new Map<string, MoveReport>();
  /** Until then nothing is hauled, on the monotonic clock. */
  #pausedMs = 0;
  #timer: Timer | undefined;
  #stopped = false;
  #items = 0;
  #bytes = 0;

  constructor(parts: MoverParts) {
    this.#parts = parts;
    this.#meter = new Meter(parts.bytesPerSecond, parts.clock);
    const { links, topic, view } = parts;
    links.serve(topic, (_, __, reply) => reply(encodeReport(this.report())));
    view.onConfiguration(() => this.#arrange());
    this.#arrange();
  }

  /** Begins to look. */
  start(): void {
    this.#timer = this.#parts.timers.every(LOOK_MS, () => this.#look());
  }

  /** Ends at once. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Bytes that this node takes over in a second. */
  get bytesPerSecond(): number {
    return this.#meter.bytesPerSecond;
  }

  /** Changes that, for what is moving, too. */
  setRate(bytesPerSecond: number): void {
    this.#meter.setRate(bytesPerSecond);
  }

  /** How far this node is. */
  report(): MoveReport {
    const { cluster = '0'.repeat(16), number: own = 0 } = this.#parts.view.configuration ?? {};
    const { boot, isLacking, known } = this.#parts;
    const number = Math.min(own, known?.() ?? own);
    const progress = this.#hauls.progress((source) => this.#stateOf(source));
    const arrived = progress.done === progress.total;
    return { boot, cluster, number, arrived, lacking: isLacking(), ...progress };
  }

  /** What came over to this node since it was started. */
  get moved(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#bytes };
  }

  /** How far all are, as far as this node has heard; nothing while nothing moves. */
  overall(): Progress | undefined {
    const { configuration, self } = this.#parts.view;
    if (configuration?.leaving === undefined) return undefined;
    const all = this.#targets.map((id) => (id === self ? this.report() : this.#reportOf(id)));
    const sum = (name: keyof Progress): number =>
      all.reduce((total, report) => total + (report?.[name] ?? 0), 0);
    const total = movesOf(configuration).length;
    const [done, stuck, bytes, items] = [sum('done'), sum('stuck'), sum('bytes'), sum('items')];
    return { total, done, stuck, bytes, items };
  }

  #arrange(): void {
    const { configuration, self } = this.#parts.view;
    this.#cursors.clear();
    if (configuration?.leaving === undefined) {
      this.#hauls = new Hauls([]);
      this.#targets = [];
      this.#leaving = '';
      return;
    }
    const moves = movesOf(configuration);
    const leaving = `${configuration.cluster} ${ownershipOf(configuration.leaving)}`;
    const former = leaving === this.#leaving ? this.#hauls : undefined;
    this.#leaving = leaving;
    this.#targets = [...new Set(moves.map(({ target }) => target))];
    this.#hauls = new Hauls(
      moves.filter(({ target }) => target === self),
      former,
    );
  }

  #look(): void {
    const { view, isSteward } = this.#parts;
    const { configuration, self } = view;
    if (configuration?.leaving === undefined) return;
    const asked = new Set(isSteward() ? this.#targets : []);
    if (this.#targets.includes(self)) {
      for (const { id } of configuration.leaving.members) asked.add(id);
    }
    asked.delete(self);
    for (const id of asked) if (view.isAlive(id)) this.#ask(id);
    this.#haul();
    if (isSteward()) this.#settle(configuration);
  }

  #ask(id: string): void {
    const { links, topic } = this.#parts;
    links.request(id, topic, new Uint8Array(0), ANSWER_MS, (answer) => {
      const report = answer && decodeReport(answer);
      if (report !== undefined) this.#reports.set(id, report);
    });
  }

  /** What another node said of this configuration, if it knows it. */
  #reportOf(id: string): MoveReport | undefined {
    const { configuration } = this.#parts.view;
    const report = this.#reports.get(id);
    const knows = report?.cluster === configuration?.cluster;
    return knows && report?.number === configuration?.number ? report : undefined;
  }

  #stateOf(source: string): SourceState {
    const { view } = this.#parts;
    // It may have what nobody is to have, and lacks what the others have.
    if (view.isLed && !view.isInGoodStanding(source)) return 'gone';
    // What it had acknowledged and lost is with others; what it lacks still is coming.
    if (view.isAlive(source)) return this.#reportOf(source)?.lacking === false ? 'ready' : 'behind';
    const { layout } = view.configuration ?? {};
    return layout && memberOf(layout, source) !== undefined ? 'away' : 'gone';
  }

  #haul(): void {
    if (this.#current !== undefined) return;
    if (this.#parts.clock.monotonicMs() < this.#pausedMs) return;
    const haul = this.#hauls.next((source) => this.#stateOf(source));
    if (haul === undefined) return;
    const { view, told } = this.#parts;
    const hauls = this.#hauls;
    const place = `${haul.source} ${this.#reportOf(haul.source)?.boot}`;
    this.#current = haul;
    told('begun', haul);
    this.#parts.haul({
      source: haul.source,
      cursor: this.#cursors.get(place) ?? 0n,
      isWanted: wantedBy(haul.stretches, (key) => view.partitionOf(key)),
      goesOn: () => !this.#stopped && this.#hauls === hauls && view.isAlive(haul.source),
      onPage: ({ cursor, items, bytes }) => {
        this.#cursors.set(place, cursor);
        hauls.moved(items, bytes);
        this.#items += items;
        this.#bytes += bytes;
        return this.#meter.pauseAfter(bytes);
      },
      done: (end) => this.#ended(haul, end, hauls),
    });
  }

  #ended(haul: Haul, { complete }: HaulEnd, hauls: Hauls): void {
    this.#current = undefined;
    if (this.#stopped || this.#hauls !== hauls) return;
    if (complete) hauls.completed(haul);
    else this.#pausedMs = this.#parts.clock.monotonicMs() + PAUSE_MS;
    this.#parts.told(complete ? 'hauled' : 'interrupted', haul);
  }

  #settle(configuration: Configuration): void {
    const { view } = this.#parts;
    const arrived = this.#targets.every((id) => {
      const report = id === view.self ? this.report() : this.#reportOf(id);
      return report?.arrived === true && view.isAlive(id);
    });
    if (arrived) this.#parts.settle(configuration.number);
  }
}

/** Whether a key lies in one of the stretches. */
function wantedBy(
  stretches: readonly Stretch[],
  partitionOf: (key: Uint8Array) => number,
): (key: Uint8Array) => boolean {
  const slots = new Set(stretches.map((one) => (one.kind === 'slot' ? one.slot : -1)));
  const ranges = stretches.filter((one) => one.kind === 'range');
  if (ranges.length === 0) return (key) => slots.has(partitionOf(key));
  return (key) => ranges.some((range) => isWithin(range, key));
}
