/**
 * The life of an I/O thread. It opens its lane and an app without a listen socket, says so, and
 * serves the sockets it is handed. When anything fails it must not simply end: a thread that ends
 * with open sockets of uWebSockets.js takes the whole process with it. So it stops executing,
 * reports, waits until the main thread hands it no more sockets, closes its app, and lets itself be
 * ended.
 */
import type { MessagePort } from 'node:worker_threads';
import { Store } from '../../arena/store.js';
import { systemClock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { systemRandom } from '../../base/random.js';
import { sleep, systemTimers } from '../../base/timers.js';
import { Signals } from '../../log/signals.js';
import { ClusterView } from '../../ring/view.js';
import { Board } from '../board.js';
import { CLOSE_THREAD_FAILED } from '../farewell.js';
import type { Inquiry, Report } from '../http/door.js';
import { isBinding, loadBinding, type NativeApp } from '../native/binding.js';
import { openApp } from '../native/nativeApp.js';
import { toldShare } from '../peers/share.js';
import { Station } from '../station.js';
import { takeNews } from './clusterNews.js';
import { LoopDelay } from './loopDelay.js';
import type { FromIoThread, IoThreadStart, ToIoThread } from './messages.js';

/**
 * Sockets that were handed over before the main thread stopped doing so arrive within this time.
 */
const ARRIVAL_MS = 20;

interface Question {
  readonly resolve: (report: Report) => void;
  readonly reject: (error: Error) => void;
}

/** One I/O thread, seen from inside. */
export class IoThread {
  readonly #port: MessagePort;
  readonly #station: Station;
  readonly #app: NativeApp;
  readonly #questions = new Map<number, Question>();
  readonly #cluster = new ClusterView();
  #nextQuestion = 1;
  #broken = false;

  private constructor(port: MessagePort, start: IoThreadStart, makeApp: MakeApp) {
    this.#port = port;
    const store = Store.attach(start.store);
    this.#station = new Station({
      ...start,
      store,
      lane: store.openLane(start.lane),
      board: new Board(start.board),
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      report: (inquiry) => this.#ask(inquiry),
      cluster: this.#cluster,
      peers: start.peers && toldShare(start.peers),
      log: start.log && { ...start.log, signals: new Signals(start.log.signals) },
      onFailure: (error) => this.#failed(error),
    });
    this.#app = makeApp(this.#station);
    new LoopDelay(this.#station.tally, systemTimers);
    port.on('message', (message: ToIoThread) => {
      this.#station.guard(() => this.#receive(message));
    });
    this.#tell({ kind: 'ready', descriptor: this.#app.getDescriptor() });
  }

  /** Starts serving on this thread; throws when the native module is missing. */
  static async start(port: MessagePort, start: IoThreadStart): Promise<IoThread> {
    const binding = await loadBinding();
    if (!isBinding(binding)) throw new Error(binding.reason);
    return new IoThread(port, start, (station) => openApp(binding, station));
  }

  /** Something was thrown that nobody caught. */
  fail(error: unknown): void {
    this.#station.fail(error);
  }

  #tell(message: FromIoThread): void {
    this.#port.postMessage(message);
  }

  #ask(inquiry: Inquiry): Promise<Report> {
    const id = this.#nextQuestion++;
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
      this.#tell({ kind: 'ask', id, inquiry });
    });
  }

  #receive(message: ToIoThread): void {
    if (message.kind === 'told') this.#take(message.id)?.resolve(message.report);
    else if (message.kind === 'untold') this.#take(message.id)?.reject(new Error(message.reason));
    else if (message.kind === 'cluster') takeNews(this.#cluster, message.news);
    else if (message.kind === 'keys') this.#station.replaceKeys(message.keys);
    else if (message.kind === 'drain') void this.#drain(message.drainMs);
    else if (message.kind === 'close') void this.#close();
    else throw new Error('broken on purpose, as a test asked');
  }

  #take(id: number): Question | undefined {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    return question;
  }

  #failed(error: unknown): void {
    this.#broken = true;
    const stack = error instanceof Error ? error.stack : undefined;
    this.#tell({ kind: 'failed', reason: messageOf(error), stack });
  }

  async #drain(drainMs: number): Promise<void> {
    await this.#station.drain(drainMs);
    this.#tell({ kind: 'drained' });
  }

  async #close(): Promise<void> {
    await sleep(systemTimers, ARRIVAL_MS);
    if (this.#broken) this.#station.endAll(CLOSE_THREAD_FAILED);
    this.#app.close();
    this.#tell({ kind: 'closed' });
  }
}

type MakeApp = (station: Station) => NativeApp;
