/**
 * The composition root of a node: makes the store, the board, the stations and the listener from a
 * configuration, connects them, and takes them apart again in an order in which no answer is lost.
 *
 *   main thread   listener ─ station on lane 0 ─ sweeper ─ supervisor ─ reports
 *   I/O threads   app without a listen socket ─ station on lanes 1 … N
 */
import type { Store } from './arena/store.js';
import type { StoreLane } from './arena/storeLane.js';
import { type Clock, systemClock } from './base/clock.js';
import { messageOf } from './base/errors.js';
import { systemRandom } from './base/random.js';
import { sleep, systemTimers, type Timers } from './base/timers.js';
import { VERSION } from './base/version.js';
import { ClusterAdmin } from './cluster/admin.js';
import { familiesOfAll, type NodeFigures } from './cluster/figures.js';
import { haulBy, shedBy } from './cluster/hauling.js';
import { type ClusterNode, startCluster } from './cluster/node.js';
import { jsonReport } from './cluster/reports.js';
import { touchPlaceOf } from './cluster/touchFile.js';
import type { Config } from './config/config.js';
import { hostOf } from './config/host.js';
import { thisMachine } from './config/machine.js';
import { refuseOpenDoor } from './config/openDoor.js';
import { type DurableStore, makeStore } from './durableStore.js';
import type { DataLog } from './log/dataLog.js';
import { Board, DRAINING, SERVING } from './net/board.js';
import type { Inquiry, Report } from './net/http/door.js';
import { limitsOf } from './net/limits.js';
import type { Listener } from './net/listener.js';
import type { Log } from './net/log.js';
import type { NativeBinding } from './net/native/binding.js';
import { chooseBinding } from './net/native/chosenBinding.js';
import { NativeListener } from './net/native/nativeListener.js';
import { hintPlaceOf } from './net/peers/hintKeeper.js';
import { Peers } from './net/peers/peers.js';
import { makeShare, type PeersShare } from './net/peers/share.js';
import { Station } from './net/station.js';
import { Sweeper } from './net/sweeper.js';
import { LoopDelay } from './net/threads/loopDelay.js';
import { Supervisor } from './net/threads/supervisor.js';
import { TokenGate } from './net/token.js';
import { createLogger } from './observe/logger.js';
import { metricsPage, ownFamilies } from './observe/metrics.js';
import { type Sources, takeSnapshot } from './observe/snapshot.js';
import { statsDocument } from './observe/stats.js';
import { ClusterView } from './ring/view.js';

export type { Config } from './config/config.js';
export { configOf } from './config/load.js';

/** A node that serves. */
export interface Node {
  /** The port it listens on, also when any free one was asked for. */
  readonly port: number;
  /** The UDP port it gossips on; 0 when it does not. */
  readonly gossipPort: number;
  /** Settles when the node can't go on; it has then logged why, and should be closed. */
  readonly failure: Promise<Error>;
  /** Settles when the node has left its cluster, as it was told to; it should then be closed. */
  readonly departure: Promise<void>;
  /** Finishes what clients have asked, for at most `drainMs`, tells them, and frees everything. */
  close(): Promise<void>;
}

/** After the last close frame, so much time for it to be read before sockets are cut. */
const LINGER_MS = 150;
/** How often it is looked whether all threads know the cluster. */
const LEARN_MS = 2;
/**
 * Set to 1, it lets SIGUSR2 break the first I/O thread, or the main thread where there is none: a
 * rehearsal of what follows.
 */
const REHEARSAL = 'ORLOP_REHEARSE_FAILURE';

/** Starts a node. Throws `InputError` for what the user has to change. */
export async function startNode(config: Config): Promise<Node> {
  refuseOpenDoor(config);
  const terminal = process.stdout.isTTY === true;
  const log = await createLogger({ level: config.logLevel, format: config.logFormat, terminal });
  const binding = await chooseBinding(config, log);
  const threads = binding === undefined ? 0 : config.threads;
  const durable = await makeStore(config, threads, log);
  const node = new RunningNode(config, binding, log, durable);
  try {
    await node.start();
  } catch (error) {
    await node.abandon();
    throw error;
  }
  return node;
}

class RunningNode implements Node {
  readonly failure: Promise<Error>;
  readonly departure: Promise<void>;
  readonly #config: Config;
  readonly #binding: NativeBinding | undefined;
  readonly #log: Log;
  readonly #clock: Clock = systemClock;
  readonly #timers: Timers = systemTimers;
  readonly #threads: number;
  readonly #store: Store;
  readonly #dataLog: DataLog | undefined;
  /** Where to listen. */
  readonly #wantedPort: number;
  readonly #board: Board;
  readonly #lane: StoreLane;
  readonly #view = new ClusterView();
  readonly #station: Station;
  readonly #share: PeersShare | undefined;
  #peers: Peers | undefined;
  readonly #sweeper: Sweeper;
  readonly #sources: Sources;
  readonly #tokenDigest: Uint8Array | undefined;
  #fail: (error: Error) => void = () => {};
  #depart: () => void = () => {};
  #listener: Listener | undefined;
  #cluster: ClusterNode | undefined;
  #admin: ClusterAdmin | undefined;
  #supervisor: Supervisor | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    config: Config,
    binding: NativeBinding | undefined,
    log: Log,
    { store, log: dataLog, port }: DurableStore,
  ) {
    this.#config = config;
    this.#binding = binding;
    this.#log = log;
    this.#threads = binding === undefined ? 0 : config.threads;
    this.failure = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.departure = new Promise((resolve) => {
      this.#depart = resolve;
    });
    this.#warnOfMemory();
    this.#store = store;
    this.#dataLog = dataLog;
    this.#wantedPort = port;
    this.#board = Board.create(this.#threads + 1);
    this.#lane = this.#store.openLane(0);
    this.#tokenDigest = TokenGate.digest(config.authToken);
    this.#share = makeShare(config, store, systemRandom);
    this.#station = this.#makeStation();
    const onFailure = (error: unknown): void => this.#station.fail(error);
    this.#sweeper = new Sweeper(this.#lane, this.#clock, this.#timers, onFailure);
    this.#sources = this.#makeSources();
    new LoopDelay(this.#station.tally, this.#timers);
  }

  readonly #rehearse = (): void => {
    if (this.#threads > 0) this.#supervisor?.break(1);
    else this.#station.fail(new Error('broken on purpose, as a test asked'));
  };

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get gossipPort(): number {
    return this.#cluster?.gossipPort ?? 0;
  }

  /** Memory is taken as it is written to, so that too much of it shows only much later. */
  #warnOfMemory(): void {
    const { memoryBytes } = this.#config;
    const machineBytes = thisMachine().memoryBytes;
    if (memoryBytes <= machineBytes) return;
    this.#log.warn({ memoryBytes, machineBytes }, 'memory is more than this machine has');
  }

  #makeStation(): Station {
    return new Station({
      store: this.#store,
      lane: this.#lane,
      board: this.#board,
      limits: limitsOf(this.#config),
      tokenDigest: this.#tokenDigest,
      clock: this.#clock,
      timers: this.#timers,
      random: systemRandom,
      peers: this.#share,
      report: (inquiry) => this.#report(inquiry),
      cluster: this.#view,
      log: this.#dataLog,
      onFailure: (error) => this.#failed(error),
    });
  }

  #makeSources(): Sources {
    const { policy, memoryBytes, maxValueBytes } = this.#config;
    const listener = this.#binding === undefined ? 'portable' : 'native';
    const startedMs = this.#clock.nowMs();
    const threads = this.#threads;
    const cluster = (): ClusterNode | undefined => this.#cluster;
    const peers = (): Peers | undefined => this.#peers;
    const fixed = { version: VERSION, listener, threads, policy, memoryBytes, maxValueBytes };
    return {
      store: this.#store,
      board: this.#board,
      clock: this.#clock,
      log: this.#dataLog,
      facts: { ...fixed, startedMs },
      get cluster() {
        return cluster();
      },
      get peers() {
        return peers();
      },
      clocks: this.#share?.reach,
    };
  }

  async #report(inquiry: Inquiry): Promise<Report> {
    if (inquiry.name === 'metrics') {
      const node = inquiry.scope && this.#cluster;
      return metricsPage(await familiesOfAll(ownFamilies(this.#sources), node));
    }
    if (inquiry.name === 'stats') return jsonReport(200, statsDocument(this.#sources));
    if (this.#admin !== undefined) return this.#admin.handle(inquiry.request);
    const message = 'this node keeps to itself';
    return jsonReport(503, { error: 'UNAVAILABLE', message });
  }

  /** What other nodes are told of this one. */
  #figures(): NodeFigures {
    const { store, uptimeMs } = takeSnapshot(this.#sources);
    const keys = Math.max(0, store.items - store.tombstones);
    return { keys, memoryBytes: store.memory.usedBytes, uptimeMs };
  }

  /** The main thread can't go on: there is nobody to replace it. */
  #failed(error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#log.error({ reason: messageOf(error), stack }, 'the node failed');
    this.#board.state = DRAINING;
    this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
  }

  async start(): Promise<void> {
    this.#listener = await this.#listen();
    this.#sweeper.start();
    await this.#join();
    if (process.env[REHEARSAL] === '1') process.on('SIGUSR2', this.#rehearse);
    if (this.#belongs) await this.#ready();
    else {
      const unlisten = this.#view.onConfiguration(() => {
        if (!this.#belongs) return;
        unlisten();
        void this.#ready();
      });
    }
  }

  /** Whether it has found the cluster that it belongs to, or keeps to itself. */
  get #belongs(): boolean {
    return this.#cluster === undefined || this.#view.selfIndex >= 0;
  }

  /** Serves, once all its threads know the cluster. */
  async #ready(): Promise<void> {
    while (this.#cluster !== undefined && this.#board.knownNumber === 0) {
      await sleep(this.#timers, LEARN_MS);
    }
    if (this.#board.state === DRAINING) return;
    this.#board.state = SERVING;
    const { listener, threads } = this.#sources.facts;
    const arenas = this.#store.arenas.length;
    this.#log.info({ port: this.port, listener, threads, arenas }, 'ready');
  }

  /** Where others could interfere and there is no key, a node stays alone. */
  async #join(): Promise<void> {
    const share = this.#share;
    if (share !== undefined) {
      const [config, log, view] = [this.#config, this.#log, this.#view];
      this.#peers = this.#startPeers();
      const [peers, board] = [this.#peers, this.#board];
      const [haul, shed] = [haulBy(peers), shedBy(peers)];
      // Who can't keep what it agrees to gets into no cluster; a member goes on without a vote.
      const failed = (error: Error): void => {
        if (view.selfIndex < 0) this.#failed(error);
      };
      const node = await startCluster({
        ...{ config, port: this.port, log, view, haul, shed, failed },
        ...{ reach: share.reach, heat: share.heat },
        askOwn: (request, settle) => this.#station.inquire(request, settle),
        items: () => this.#store.stats().items,
        known: () => board.knownNumber,
        rekey: (keys) => share.pass.keys?.replace(keys),
        hasDelivered: (id, number) => peers?.leadership.hasDelivered(id, number) ?? true,
      });
      this.#cluster = node;
      this.#peers?.repairs.serve(node.gossip.links);
      const { rebalancePercent: thresholdPercent } = config.cluster;
      const parts = { node, timers: this.#timers, clock: this.#clock, peers, thresholdPercent };
      this.#admin = new ClusterAdmin({ ...parts, figures: () => this.#figures() });
      node.calls.serve('metrics', () => ownFamilies(this.#sources));
      void node.departure.done.then(() => this.#left());
    } else this.#log.info({}, 'without a cluster key this node gossips with nobody');
  }

  #left(): void {
    this.#log.info({}, 'this node has left its cluster');
    this.#depart();
  }

  #startPeers(): Peers | undefined {
    if (this.#share === undefined) return undefined;
    const { reach, pass } = this.#share;
    return new Peers({
      ...{ store: this.#store, view: this.#view, reach, pass },
      ...{ clock: this.#clock, timers: this.#timers, random: systemRandom, log: this.#log },
      forwarder: () => this.#station.forwarder,
      askOwn: (request, settle) => this.#station.inquire(request, settle),
      hints: hintPlaceOf(this.#config),
      touched: touchPlaceOf(this.#config),
    });
  }

  async #listen(): Promise<Listener> {
    const port = this.#wantedPort;
    const host = hostOf(this.#config);
    if (this.#binding === undefined) {
      const { PortableListener } = await import('./net/portable/portableListener.js');
      return PortableListener.open(this.#station, host, port);
    }
    const listener = new NativeListener(this.#binding, this.#station);
    // The threads come first, or early sockets would stay on the main thread for good.
    await this.#startThreads(listener);
    await listener.listen(host, port);
    return listener;
  }

  async #startThreads(source: NativeListener): Promise<void> {
    this.#supervisor = new Supervisor({
      source,
      store: this.#store.handle,
      peers: this.#share,
      board: this.#board,
      limits: this.#station.limits,
      tokenDigest: this.#tokenDigest,
      report: (inquiry) => this.#report(inquiry),
      timers: this.#timers,
      log: this.#log,
      cluster: this.#view,
      dataLog: this.#dataLog,
      takeOver: (lane) => this.#takeOver(lane),
    });
    await this.#supervisor.start(this.#threads);
  }

  #takeOver(lane: number): void {
    this.#station.guard(() => this.#lane.takeOver(lane, this.#clock.nowMs()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { drainMs } = this.#config;
    this.#log.info({ connections: this.#board.connections }, 'stopping');
    this.#board.state = DRAINING;
    this.#listener?.stop();
    await Promise.all([this.#station.drain(drainMs), this.#supervisor?.drain(drainMs)]);
    await this.#peers?.drain(drainMs);
    await this.#cluster?.leave();
    await sleep(this.#timers, LINGER_MS);
    await this.abandon();
    this.#log.info({}, 'stopped');
  }

  /** Frees everything without asking anybody. */
  async abandon(): Promise<void> {
    process.off('SIGUSR2', this.#rehearse);
    this.#sweeper.stop();
    this.#peers?.stop();
    this.#listener?.stop();
    await this.#cluster?.close();
    await this.#supervisor?.close();
    await this.#listener?.close();
    this.#station.stop();
    await this.#dataLog?.close();
  }
}
