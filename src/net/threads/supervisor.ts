/**
 * Keeps the I/O threads of a node alive. A thread that fails is cut off from new sockets, closes
 * its own, and is ended; only after its `exit` event does the main thread take over what it held in
 * the store, and starts another on the same lane. The others serve all the while.
 *
 *   starting ─ready─▶ serving ─failed─▶ cut off ─closed─▶ ended ─exit─▶ taken over ─▶ starting
 *                        └────drain───▶ drained ─close─▶ closed ─▶ ended
 */
import { Worker } from 'node:worker_threads';
import type { StoreHandle } from '../../arena/store.js';
import { messageOf } from '../../base/errors.js';
import { packageFile } from '../../base/packageRoot.js';
import type { Timers } from '../../base/timers.js';
import type { ClusterView } from '../../ring/view.js';
import { type Board, FIGURE } from '../board.js';
import type { LogLink } from '../gather.js';
import type { Inquiry, Report, Reporter } from '../http/door.js';
import type { Limits } from '../limits.js';
import type { Log } from '../log.js';
import type { Descriptor } from '../native/binding.js';
import { type PeersShare, tellShare } from '../peers/share.js';
import { newsOf } from './clusterNews.js';
import type { FromIoThread, IoThreadStart, ToIoThread } from './messages.js';

/** Where threads that serve get their sockets from. */
export interface SocketSource {
  attach(descriptor: Descriptor): void;
  detach(descriptor: Descriptor): void;
}

/** What the supervisor works with. */
export interface SupervisorParts {
  readonly store: StoreHandle;
  readonly board: Board;
  readonly limits: Limits;
  readonly tokenDigest: Uint8Array | undefined;
  readonly source: SocketSource;
  /** What other nodes are dealt with by, where there may be some. */
  readonly peers: PeersShare | undefined;
  readonly report: Reporter;
  readonly timers: Timers;
  readonly log: Log;
  /** The cluster, which the threads are told of. */
  readonly cluster: ClusterView;
  /** The log that the store is written to, if there is one. */
  readonly dataLog: LogLink | undefined;
  /** Frees what the dead holder of a lane left in the store. */
  readonly takeOver: (lane: number) => void;
}

/**
 * What a thread may have for objects that are new. Nearly all of them are gone at once; by default
 * the engine takes up to 48 MiB for them, and keeps that.
 */
const YOUNG_MB = 12;
/** Where the compiled thread lies in the package. */
const THREAD_FILE = ['dist', 'workers', 'io.js'] as const;
/** The pause before a thread is started again; it doubles as long as threads do not even start. */
const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 5000;

interface Thread {
  readonly lane: number;
  readonly worker: Worker;
  descriptor: Descriptor | undefined;
  drained: boolean;
}

/** Supervises the I/O threads; see the top of this file. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #threads = new Map<number, Thread>();
  #starting = false;
  #stopping = false;
  /** Why a thread failed last. */
  #reason = 'its log says why';
  #pauseMs = FIRST_PAUSE_MS;
  #changed: (() => void)[] = [];

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { cluster, peers } = parts;
    const keys = peers?.pass.keys;
    keys?.onChange(() => this.#tellAll({ kind: 'keys', keys: keys.all }));
    cluster.onConfiguration(() => this.#tellAll({ kind: 'cluster', news: newsOf(cluster, true) }));
    cluster.onLiveness(() => this.#tellAll({ kind: 'cluster', news: newsOf(cluster, false) }));
  }

  /**
   * Starts threads on lanes 1 to `count`; resolves when all serve, throws when one does not start.
   */
  async start(count: number): Promise<void> {
    this.#starting = true;
    for (let lane = 1; lane <= count; lane++) this.#spawn(lane);
    await this.#until(() => this.#serving() === count || this.#threads.size < count);
    this.#starting = false;
    if (this.#threads.size < count) throw new Error(`an I/O thread did not start: ${this.#reason}`);
  }

  /** How many threads serve. */
  #serving(): number {
    let count = 0;
    for (const { descriptor } of this.#threads.values()) if (descriptor !== undefined) count++;
    return count;
  }

  #spawn(lane: number): void {
    const { store, board, limits, tokenDigest, dataLog } = this.#parts;
    const log = dataLog && {
      signals: dataLog.signals.buffer,
      fsync: dataLog.fsync,
      secrets: dataLog.secrets,
      tier: dataLog.tier,
    };
    const { peers: share } = this.#parts;
    const peers = share && tellShare(share);
    const shared = { store, board: board.buffer, limits, tokenDigest, log, peers };
    const start: IoThreadStart = { ...shared, lane };
    const worker = new Worker(packageFile(...THREAD_FILE), {
      workerData: start,
      name: `orlop-io-${lane}`,
      // A program's own flags, such as a loader or --eval, are not for our threads.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const thread: Thread = { lane, worker, descriptor: undefined, drained: false };
    this.#threads.set(lane, thread);
    worker.on('message', (message: FromIoThread) => this.#receive(thread, message));
    worker.on('error', (error) => this.#report(thread, messageOf(error), error.stack));
    worker.on('exit', () => this.#exited(thread));
  }

  #receive(thread: Thread, message: FromIoThread): void {
    if (message.kind === 'ready') this.#ready(thread, message.descriptor);
    else if (message.kind === 'ask') void this.#answer(thread, message.id, message.inquiry);
    else if (message.kind === 'failed') this.#failed(thread, message.reason, message.stack);
    else if (message.kind === 'drained') thread.drained = true;
    else void thread.worker.terminate();
    this.#notify();
  }

  #ready(thread: Thread, descriptor: Descriptor): void {
    thread.descriptor = descriptor;
    this.#tell(thread, { kind: 'cluster', news: newsOf(this.#parts.cluster, true) });
    this.#pauseMs = FIRST_PAUSE_MS;
    if (!this.#stopping) this.#parts.source.attach(descriptor);
    this.#parts.log.debug({ lane: thread.lane }, 'an I/O thread serves');
  }

  async #answer(thread: Thread, id: number, inquiry: Inquiry): Promise<void> {
    try {
      const report: Report = await this.#parts.report(inquiry);
      this.#tell(thread, { kind: 'told', id, report });
    } catch (error) {
      this.#tell(thread, { kind: 'untold', id, reason: messageOf(error) });
    }
  }

  #tell(thread: Thread, message: ToIoThread): void {
    thread.worker.postMessage(message);
  }

  #tellAll(message: ToIoThread): void {
    for (const thread of this.#threads.values()) this.#tell(thread, message);
  }

  #failed(thread: Thread, reason: string, stack: string | undefined): void {
    this.#report(thread, reason, stack);
    this.#cutOff(thread);
    this.#tell(thread, { kind: 'close' });
  }

  #report(thread: Thread, reason: string, stack: string | undefined): void {
    const { log } = this.#parts;
    this.#reason = reason;
    log.error({ lane: thread.lane, reason, stack }, 'an I/O thread failed and is replaced');
  }

  #cutOff(thread: Thread): void {
    if (thread.descriptor !== undefined) this.#parts.source.detach(thread.descriptor);
    thread.descriptor = undefined;
  }

  #exited(thread: Thread): void {
    this.#cutOff(thread);
    this.#threads.delete(thread.lane);
    this.#settle(thread.lane);
    this.#parts.takeOver(thread.lane);
    this.#notify();
    if (this.#stopping || this.#starting) return;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
    this.#parts.timers.after(pauseMs, () => {
      if (!this.#stopping) this.#spawn(thread.lane);
    });
  }

  /** The connections that a dead thread could not count out any more. */
  #settle(lane: number): void {
    const tally = this.#parts.board.tally(lane);
    const opened = tally[FIGURE.opened] ?? 0;
    const left = opened - (tally[FIGURE.closed] ?? 0);
    if (left > 0) this.#parts.board.release(left);
    tally[FIGURE.closed] = opened;
  }

  /**
   * Lets every thread finish, for at most `drainMs`, and tell its clients that the node goes away.
   */
  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    this.#tellAll({ kind: 'drain', drainMs });
    await this.#until(() => [...this.#threads.values()].every(({ drained }) => drained));
  }

  /** Ends every thread. */
  async close(): Promise<void> {
    this.#stopping = true;
    for (const thread of this.#threads.values()) {
      this.#cutOff(thread);
      this.#tell(thread, { kind: 'close' });
    }
    await this.#until(() => this.#threads.size === 0);
  }

  /** Makes the thread on `lane` fail, as a test of what follows. */
  break(lane: number): void {
    const thread = this.#threads.get(lane);
    if (thread !== undefined) this.#tell(thread, { kind: 'break' });
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#changed.push(resolve);
      });
    }
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }
}
