/**
 * The log of a node as its main thread sees it: opened, read back, and then written by a thread of
 * its own until the node closes.
 *
 *   opened ──recover──▶ recovered ──start──▶ running ⇄ full
 *                                               └──▶ failed           then closed
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Store } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { packageFile } from '../base/packageRoot.js';
import type { Random } from '../base/random.js';
import type { Timers } from '../base/timers.js';
import type { Fsync } from '../config/config.js';
import { Compactor, type LogThreadLink } from './compactor.js';
import type { Device } from './device.js';
import type { Jobs } from './jobs.js';
import { NO_KEYS } from './keys.js';
import { encodeManifest } from './manifest.js';
import { explained, type OpenedLog, openFolder } from './opening.js';
import type { TierPlace } from './place.js';
import { type Recovered, recover } from './recovery.js';
import { FAILED, refusalIn, Signals } from './signals.js';
import type { FromLog, LogThreadStart, ToLog } from './thread.js';

/** Where the log says what happens; never keys or values. */
export interface LogNews {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a data log works with. */
export interface DataLogParts {
  readonly folder: string;
  readonly fsync: Fsync;
  readonly fileBytes: number;
  /** What the log may have, in bytes, for values that memory evicted, if there is a tier. */
  readonly tierBytes?: number | undefined;
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly news: LogNews;
}

/** What a log that is written needs besides. */
export interface LogHelp {
  readonly jobs: Jobs;
  /** The lane of the jobs. */
  readonly lane: number;
  /** The lane by which the store is told where values are, if there is a tier. */
  readonly tierLane: number | undefined;
}

const THREAD_FILE = ['dist', 'workers', 'log.js'] as const;

/** See the top of this file. */
export class DataLog {
  readonly fsync: Fsync;
  readonly signals = Signals.create();
  readonly #parts: DataLogParts;
  readonly #opened: OpenedLog;
  #thread: { readonly worker: Worker; readonly commands: MessagePort } | undefined;
  #store: Store | undefined;
  #compactor: Compactor | undefined;
  #jobs: Jobs | undefined;
  readonly #questions = new Map<number, (answer: unknown) => void>();
  #nextId = 1;
  /** The thread has ended. */
  #over = false;
  #share = 0;
  /** Settles when the thread has ended. */
  #ended: Promise<void> = Promise.resolve();

  private constructor(parts: DataLogParts, opened: OpenedLog) {
    this.#parts = parts;
    this.#opened = opened;
    this.fsync = parts.fsync;
  }

  /** Opens the folder for this process. Throws `InputError`, and `LogDamage` for damage. */
  static open(parts: DataLogParts): DataLog {
    const opened = openFolder(parts, parts.folder);
    const { folder, news } = parts;
    if (opened.cut !== undefined) {
      news.warn({ folder, ...opened.cut }, 'cut off the torn tail of a log file');
    }
    for (const name of opened.removed) news.info({ folder, name }, 'removed a leftover file');
    return new DataLog(parts, opened);
  }

  /** Where values are read from that only the disk has, if there is a tier. */
  get tier(): TierPlace | undefined {
    const { tierBytes, folder } = this.#parts;
    return tierBytes === undefined ? undefined : { folder };
  }

  /** The keys that the log is encrypted with, the first to write with; none when it is not. */
  get secrets(): readonly Uint8Array[] {
    return (this.#parts.device.keys ?? NO_KEYS).secrets;
  }

  /** How much of the log is loaded, from 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /**
   * Loads the log into a store that `makeStore` makes, on the lanes that the node does not use yet.
   * Throws `LogDamage`.
   */
  async recover(
    makeStore: () => Store,
    jobs: Pick<Jobs, 'load'>,
    lanes: readonly number[],
  ): Promise<Recovered> {
    const { folder, clock, timers, news } = this.#parts;
    const recovered = await recover({
      opened: this.#opened,
      makeStore,
      lanes,
      tier: this.#parts.tierBytes !== undefined,
      load: (task) => jobs.load(task),
      clock,
      timers,
      onProgress: ({ share, records }) => {
        this.#share = share;
        news.info({ folder, percent: Math.round(share * 100), records }, 'loading');
      },
    });
    this.#share = 1;
    const { store: _, ...figures } = recovered;
    news.info({ folder, ...figures, tookMs: Math.round(figures.tookMs) }, 'loaded');
    if (recovered.refused > 0) {
      const { refused } = recovered;
      news.warn({ refused }, 'records that are larger than max-value or the memory allow');
    }
    return recovered;
  }

  /**
   * Has every change of the store written from now on, and compacts what is written. The lanes are
   * used by nobody else: one for jobs, and with a tier one for the log's thread.
   */
  async start(store: Store, { jobs, lane, tierLane }: LogHelp): Promise<void> {
    const { folder, fsync, fileBytes } = this.#parts;
    this.#jobs = jobs;
    this.#store = store;
    const { port1, port2 } = new MessageChannel();
    const start: LogThreadStart = {
      store: store.handle,
      signals: this.signals.buffer,
      folder,
      manifest: encodeManifest(this.#opened.manifest),
      fsync,
      fileBytes,
      secrets: this.secrets,
      earlierBytes: this.#opened.files.reduce((sum, { bytes }) => sum + bytes, 0),
      tierLane,
      commands: port2,
    };
    const worker = new Worker(packageFile(...THREAD_FILE), {
      workerData: start,
      transferList: [port2],
      name: 'orlop-log',
      execArgv: [],
    });
    this.#thread = { worker, commands: port1 };
    await this.#watch(worker);
    store.publish(true);
    const { signals } = this;
    const log: LogThreadLink = {
      divide: () => this.#ask((id) => ({ kind: 'divide', id })),
      install: (change) => this.#ask((id) => ({ kind: 'install', id, change })),
    };
    const { staleUpTo } = this.#opened;
    const parts = { ...this.#parts, signals, store, lane, jobs, log, staleUpTo };
    this.#compactor = new Compactor(parts);
    this.#compactor.start();
  }

  /** Asks the thread something; the answer is nothing if it ends before. */
  #ask<T>(command: (id: number) => ToLog): Promise<T> {
    const id = this.#nextId++;
    if (this.#over) return Promise.resolve(undefined as T);
    return new Promise((resolve) => {
      this.#questions.set(id, resolve as (answer: unknown) => void);
      this.#thread?.commands.postMessage(command(id));
      this.signals.nudge();
    });
  }

  #answer(id: number, answer: unknown): void {
    this.#questions.get(id)?.(answer);
    this.#questions.delete(id);
  }

  /** Resolves when the thread is ready; from then on what happens to it is told. */
  #watch(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromLog) => {
        if (message.kind === 'ready') resolve();
        else this.#tell(message);
      });
      worker.on('error', (error) => {
        reject(explained(error, this.#parts.folder));
        this.#fail(messageOf(error));
      });
      this.#ended = new Promise((ended) => {
        worker.on('exit', () => {
          this.#over = true;
          for (const id of this.#questions.keys()) this.#answer(id, undefined);
          ended();
        });
      });
    });
  }

  #tell(message: FromLog): void {
    const { news, folder } = this.#parts;
    if (message.kind === 'divided') {
      const { id, manifest, before, number } = message;
      this.#answer(id, manifest === undefined ? undefined : { manifest, before, number });
    } else if (message.kind === 'installed') this.#answer(message.id, message.done);
    else if (message.kind === 'failed') this.#fail(message.reason);
    else if (message.kind === 'full') {
      const { reason } = message;
      news.error({ folder, reason }, 'the disk is full: no writes are taken until it has room');
    } else if (message.kind === 'room') news.info({ folder }, 'the disk has room again');
    else if (message.kind === 'closed' && !message.inOrder) {
      news.error({ folder }, 'the log was closed without its last changes');
    }
  }

  #fail(reason: string): void {
    const { news, folder } = this.#parts;
    this.#store?.refuseChanges(refusalIn(FAILED));
    this.signals.state = FAILED;
    const message = 'the log failed: no writes are taken until the node is started anew';
    news.error({ folder, reason }, message);
  }

  /** Writes what was changed so far, ends the file, and gives the folder back. */
  async close(): Promise<void> {
    await this.#compactor?.stop();
    const command: ToLog = { kind: 'close' };
    this.#thread?.commands.postMessage(command);
    this.signals.nudge();
    await this.#ended;
    this.#thread?.commands.close();
    await this.#jobs?.close();
    this.#opened.lock.release();
  }
}
