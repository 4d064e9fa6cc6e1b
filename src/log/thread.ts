/**
 * The thread of the log does nothing but write: it blocks on the device while a round is written
 * and synced, and sleeps between rounds until somebody wakes it or it is time to look.
 *
 * Under `always` others wait for each round, and a round takes as long with one change as with
 * fifty. When one has ended, all who waited for it ask for the next thing at about the same time,
 * and a round that began with the first of them would let all others wait for two. So the thread
 * waits a moment, a fraction of what a sync takes, until about as much has come as usually. Who
 * writes alone waits for nobody.
 *
 * Where syncs are fast, a round costs the processor more than it costs time, and takes it from
 * those who serve: rounds that several share begin at some distance from each other, and between
 * two of them the thread sleeps once, and is not woken for each of those who come.
 */
import type { MessagePort } from 'node:worker_threads';
import { Store, type StoreHandle } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import { Mark } from '../base/mark.js';
import type { Random } from '../base/random.js';
import type { Fsync } from '../config/config.js';
import type { Device } from './device.js';
import { Locator } from './locator.js';
import { decodeManifest, encodeManifest } from './manifest.js';
import type { Replacement } from './replacement.js';
import { Signals } from './signals.js';
import { Writer, type WriterNews } from './writer.js';

/** What the thread is started with. */
export interface LogThreadStart {
  readonly store: StoreHandle;
  readonly signals: SharedArrayBuffer;
  readonly folder: string;
  /** The text of the manifest as it is on disk. */
  readonly manifest: string;
  readonly fsync: Fsync;
  readonly fileBytes: number;
  readonly earlierBytes: number;
  /** The keys to encrypt with; none when the log is not encrypted. */
  readonly secrets: readonly Uint8Array[];
  /** The lane by which the store is told where values are, if there is a tier. */
  readonly tierLane: number | undefined;
  readonly commands: MessagePort;
}

/** From the thread to the node. */
export type FromLog =
  | WriterNews
  | { readonly kind: 'ready' }
  /** The log is divided: files before `before` may be compacted into one of that number. */
  | {
      readonly kind: 'divided';
      readonly id: number;
      /** The text of the manifest; nothing when the log could not be divided. */
      readonly manifest: string | undefined;
      readonly before: number;
      readonly number: number;
    }
  | { readonly kind: 'installed'; readonly id: number; readonly done: boolean }
  /** It has ended; in order, or without its last changes. */
  | { readonly kind: 'closed'; readonly inOrder: boolean };

/** To the thread, which looks for it before each round. */
export type ToLog =
  | { readonly kind: 'divide'; readonly id: number }
  | { readonly kind: 'install'; readonly id: number; readonly change: Replacement }
  | { readonly kind: 'close' };

/** What the thread needs from outside. */
export interface LogThreadParts {
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (message: FromLog) => void;
  /** The next command, if there is one. */
  readonly receive: () => ToLog | undefined;
}

/** While there is something to do, and nobody waits for it. */
const BUSY_MS = 10;
/** The longest sleep: a change that nobody woke us for is read at the latest then. */
const IDLE_MS = 100;
/** Until a device that was full is tried again. */
const FULL_MS = 100;
/** Until a thread that was stopped in the middle of a change may have gone on. */
const OWING_MS = 0.2;

/** A round under `always` may wait for company for this share of what a sync takes … */
const PATIENCE_SHARE = 0.15;
/** … and at most this long. */
const PATIENCE_MS_MAX = 1;
/**
 * … or, if the last round had more than one record, until so long after that began: each takes a
 * tenth of a millisecond of a processor.
 */
const PACE_MS = 1.2;
/** It begins when this share of what a round usually takes is there. */
const COMPANY_SHARE = 0.8;
/** What is usual is the most of the last rounds, less this for each since then. */
const USUAL_DECAY = 0.95;
/** How often it looks whether that much is there; less often where that has not been so. */
const LOOK_MS = 0.2;
/** Nobody moves it: who waits at it sleeps. */
const bed = new Mark(new Int32Array(new SharedArrayBuffer(4)), 0);

/** Writes the log until it is told to close. */
export function runLog(start: LogThreadStart, parts: LogThreadParts): void {
  new LogThread(start, parts).run();
}

function openLocator(store: Store, lane: number | undefined, clock: Clock): Locator | undefined {
  if (lane === undefined) return undefined;
  const grants = store.constant('GRANTS_ALL');
  return new Locator({ lane: store.openLane(lane), grants, nowMs: () => clock.nowMs() });
}

class LogThread {
  readonly #parts: LogThreadParts;
  readonly #signals: Signals;
  readonly #writer: Writer;
  readonly #pending: () => number;
  readonly #always: boolean;
  #sleepMs = BUSY_MS;
  #usualBytes = 0;
  #syncMs = 0;
  /** The last round had more than one record. */
  #shared = false;
  #beganMs = 0;
  #lookMs = LOOK_MS;

  constructor(start: LogThreadStart, parts: LogThreadParts) {
    const { folder, fsync, fileBytes, earlierBytes } = start;
    const { device, clock, random, tell } = parts;
    const store = Store.attach(start.store);
    const feeds = Array.from({ length: store.lanes }, (_, lane) => store.openFeeds(lane)).flat();
    const signals = new Signals(start.signals);
    const manifest = decodeManifest(start.manifest);
    if (typeof manifest === 'string') throw new Error(manifest);
    this.#parts = parts;
    this.#signals = signals;
    this.#always = fsync === 'always';
    this.#pending = () => feeds.reduce((sum, feed) => sum + feed.pendingBytes, 0);
    const locator = openLocator(store, start.tierLane, clock);
    const where = { folder, feeds, signals, fsync, fileBytes, earlierBytes, locator };
    const refuse = (status: number): void => store.refuseChanges(status);
    this.#writer = new Writer({ ...where, device, clock, random, refuse, tell }, manifest);
  }

  run(): void {
    const { tell, receive } = this.#parts;
    tell({ kind: 'ready' });
    for (;;) {
      const { work } = this.#signals;
      const command = receive();
      if (command?.kind === 'close') {
        tell({ kind: 'closed', inOrder: this.#writer.close() });
        return;
      }
      if (command !== undefined) this.#obey(command);
      const sleepMs = this.#round();
      if (this.#shared && this.#keepPace()) continue;
      this.#signals.waitForWork(work, sleepMs);
      if (this.#always) this.#awaitCompany(this.#patienceMs());
    }
  }

  #obey(command: Exclude<ToLog, { readonly kind: 'close' }>): void {
    const { id } = command;
    const { tell } = this.#parts;
    if (command.kind === 'install') {
      tell({ kind: 'installed', id, done: this.#writer.install(command.change) });
      return;
    }
    const divided = this.#writer.divide();
    const manifest = divided ? encodeManifest(this.#writer.manifest) : undefined;
    const before = this.#writer.manifest.files.at(-1)?.number ?? 0;
    tell({ kind: 'divided', id, manifest, before, number: this.#writer.reserve() });
  }

  /** One round; how long to sleep after it, in milliseconds. */
  #round(): number {
    const { clock } = this.#parts;
    this.#beganMs = clock.monotonicMs();
    const before = this.#signals.figure('records');
    const taken = this.#writer.round();
    this.#shared = false;
    if (taken > 0) {
      this.#usualBytes = Math.max(taken, this.#usualBytes * USUAL_DECAY);
      this.#syncMs = clock.monotonicMs() - this.#beganMs;
    }
    if (this.#writer.failed || this.#writer.full) return FULL_MS;
    if (this.#writer.owes) return OWING_MS;
    this.#shared = this.#always && this.#signals.figure('records') - before > 1;
    this.#sleepMs = taken > 0 ? BUSY_MS : Math.min(IDLE_MS, this.#sleepMs * 2);
    return this.#sleepMs;
  }

  /** Sleeps until the next round may begin; whether there is anything for it. */
  #keepPace(): boolean {
    const paceMs = PACE_MS - (this.#parts.clock.monotonicMs() - this.#beganMs);
    const early = this.#awaitCompany(Math.max(paceMs, this.#patienceMs()));
    this.#lookMs = early ? LOOK_MS : Math.min(PACE_MS, 2 * this.#lookMs);
    return this.#pending() > 0;
  }

  #patienceMs(): number {
    return Math.min(PATIENCE_MS_MAX, this.#syncMs * PATIENCE_SHARE);
  }

  /** Sleeps so long, or until about as much is there as usually; whether that was so. */
  #awaitCompany(limitMs: number): boolean {
    const { clock } = this.#parts;
    const enough = this.#usualBytes * COMPANY_SHARE;
    const endMs = clock.monotonicMs() + limitMs;
    for (let leftMs = limitMs; this.#pending() < enough; ) {
      if (leftMs <= 0) return false;
      bed.wait(0, Math.min(this.#lookMs, leftMs));
      leftMs = endMs - clock.monotonicMs();
    }
    return true;
  }
}
