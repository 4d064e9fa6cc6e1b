/**
 * A station is everything one thread needs to serve, except the sockets themselves: the gather loop
 * over its lane, its conversations, its HTTP door and its vigil. Listeners bring the sockets.
 */
import type { Store } from '../arena/store.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import { type Random, seededRandom } from '../base/random.js';
import { sleep, type Timer, type Timers } from '../base/timers.js';
import { systemAsyncDevice } from '../log/asyncDevice.js';
import { KeyRing } from '../log/keys.js';
import { RecordReader } from '../log/recordReader.js';
import { CLOSE_GOING_AWAY, CLOSE_TOO_MANY } from '../protocol/wire.js';
import type { ClusterView } from '../ring/view.js';
import { addTo, type Board, DRAINING, FIGURE, type Figure, type Tally } from './board.js';
import { Conversation, type ConversationParts } from './conversation.js';
import { reasonOf } from './farewell.js';
import { Gather, type LogLink, type TierLink } from './gather.js';
import { Greeter } from './greeting.js';
import { Door, type Reporter } from './http/door.js';
import type { Limits } from './limits.js';
import { originMayEnter } from './origin.js';
import { Party } from './party.js';
import { Forwarder } from './peers/forwarder.js';
import { HeatWriter } from './peers/heat.js';
import type { Settle } from './peers/inquirer.js';
import { ListenerSeal } from './peers/linkSeal.js';
import { PeerGate } from './peers/secret.js';
import type { PeersShare } from './peers/share.js';
import { Switchboard } from './peers/switchboard.js';
import { Stopwatch, verbTotals } from './stopwatch.js';
import { TokenGate } from './token.js';
import { TopologyDesk } from './topologyDesk.js';
import { tickMs, Vigil } from './vigil.js';
import type { Wire } from './wire.js';

/** What a station is made from. */
export interface StationParts {
  readonly store: Store;
  readonly lane: StoreLane;
  readonly board: Board;
  readonly limits: Limits;
  /** The digest of the token, when there is one; see `TokenGate`. */
  readonly tokenDigest: Uint8Array | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly report: Reporter;
  /** The cluster as this thread knows it. */
  readonly cluster: ClusterView;
  /** The log that the store is written to, if there is one. */
  readonly log: LogLink | undefined;
  /** What other nodes are dealt with by, where there may be some. */
  readonly peers: PeersShare | undefined;
  /** Something broke that leaves this thread unable to serve. Called once. */
  readonly onFailure: (error: unknown) => void;
}

type Tell = (message: Uint8Array) => void;

/** How often a draining station looks whether it is done. */
const DRAIN_LOOK_MS = 10;
/** How soon it is looked again whether what was let in before is carried out. */
const LEARN_MS = 2;
/** Log files that nothing was read from for so long are closed. */
const TIDY_MS = 10_000;

/** What one thread serves with; see the top of this file. */
export class Station {
  readonly door: Door;
  readonly limits: Limits;
  readonly lane: StoreLane;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly #parts: StationParts;
  readonly #gather: Gather;
  readonly #shared: ConversationParts;
  readonly #vigil: Vigil;
  readonly #gate: TokenGate;
  readonly #switchboard: Switchboard | undefined;
  readonly #watch: Timer;
  #failed = false;

  constructor(parts: StationParts) {
    const { store, lane, board, limits, clock, timers } = parts;
    this.#parts = parts;
    this.lane = lane;
    this.limits = limits;
    this.clock = clock;
    this.timers = timers;
    this.tally = board.tally(lane.index);
    this.#gate = new TokenGate(parts.tokenDigest);
    this.#gather = this.#makeGather();
    const grants = store.constant('GRANTS_CLIENT');
    const { tally } = this;
    const gather = this.#gather;
    const { cluster, peers } = parts;
    const peerGate = new PeerGate(peers?.pass);
    this.#switchboard = peers && this.#makeSwitchboard(peers);
    const greeter = new Greeter(this.#gate, peerGate, limits, cluster, peers?.reach.run);
    const topology = new TopologyDesk(cluster);
    const peerGrants = store.constant('GRANTS_PEER');
    const sessions = this.#switchboard?.sessions;
    const { report, log, random } = parts;
    const keys = peers?.pass.keys;
    const makeSeal =
      keys && ((tell: Tell): ListenerSeal => new ListenerSeal({ keys, random, tell }));
    const desks = { gather, greeter, topology, sessions, makeSeal };
    this.#shared = { ...desks, limits, tally, grants, peerGrants };
    keys?.onChange(() => this.#rekey());
    const ownGrants = store.constant('GRANTS_ALL');
    const tools = { clock, timers, random, report, log, reach: peers?.reach };
    this.door = new Door({ ...this.#shared, ...tools, ownGrants, gate: this.#gate, board });
    cluster.onConfiguration(() => this.#learned());
    this.#vigil = new Vigil(clock, limits.frameTimeoutMs);
    this.#watch = timers.every(tickMs(limits.frameTimeoutMs), () => this.guard(this.#tick));
    this.#watch.unref();
  }

  /** Whoever connected with a key that is none any more has to come again. */
  #rekey(): void {
    for (const party of [...this.#gather.parties]) {
      if (party instanceof Conversation) party.rekey();
    }
  }

  /** Takes other keys of the cluster on. */
  replaceKeys(keys: readonly Uint8Array[]): void {
    this.#parts.peers?.pass.keys?.replace(keys);
  }

  /** What was let in under the configuration before is carried out before anybody is told. */
  #learned(): void {
    const { cluster } = this.#parts;
    if (this.#gather.idle) this.tally[FIGURE.knownNumber] = cluster.configuration?.number ?? 0;
    else this.timers.after(LEARN_MS, () => this.#learned()).unref();
  }

  readonly #tick = (): void => this.#vigil.tick(this.#gather.parties);

  #makeGather(): Gather {
    const { store, lane, clock, timers, limits, log } = this.#parts;
    const { tally } = this;
    const stopwatch = new Stopwatch(verbTotals(store, lane), tally, clock);
    const { maxPipelinedBytes } = limits;
    const onFailure = (error: unknown): void => this.fail(error);
    const shared = { lane, clock, timers, tally, stopwatch, maxPipelinedBytes };
    const tier = this.#makeTier();
    const { peers, cluster } = this.#parts;
    const link = peers && { reach: peers.reach, view: cluster };
    return new Gather({ ...shared, log, tier, peers: link, onFailure });
  }

  #makeSwitchboard({ reach, heat, pass }: PeersShare): Switchboard {
    const { cluster: view, store, clock, timers, random, limits } = this.#parts;
    const gather = this.#gather;
    const self = (): string => view.self;
    const switchboard = new Switchboard({
      ...{ view, reach, clock, timers },
      heat: new HeatWriter(heat, this.lane.index, seededRandom(random.below(2 ** 32))),
      maxWaitingBytes: limits.maxPipelinedBytes,
      forwarder: new Forwarder({ self, pass, clock, timers, random }),
      grants: store.constant('GRANTS_PEER'),
      join: (party) => gather.join(party),
      submit: (party, frame) => gather.submit(party, frame),
      deliver: (party, answers) => gather.answer(party, answers),
    });
    gather.admit = (party, frame) => switchboard.admit(party, frame);
    return switchboard;
  }

  /** What this thread asks other nodes with, where there may be some. */
  get forwarder(): Forwarder | undefined {
    return this.#switchboard?.forwarder;
  }

  /** Has this thread's lane asked something; settled once, later. */
  inquire(request: Uint8Array, settle: Settle): void {
    this.#switchboard?.inquire(request, settle);
  }

  /** What this thread reads values with that only the disk has. */
  #makeTier(): TierLink | undefined {
    const { store, log, timers } = this.#parts;
    if (log?.tier === undefined) return undefined;
    const { folder } = log.tier;
    const keys = new KeyRing(log.secrets);
    const reader = new RecordReader({ device: systemAsyncDevice, folder, keys });
    timers.every(TIDY_MS, () => reader.tidy()).unref();
    return { reader, grants: store.constant('GRANTS_ALL') };
  }

  /** Whether a page from `origin` may connect; with a token, the token decides. */
  admitsOrigin(origin: string, host: string): boolean {
    return this.#gate.closed || originMayEnter(origin, host);
  }

  /** A new socket; nothing, and it is closed, when there is no room or no time left for it. */
  open(wire: Wire): Conversation | undefined {
    const { board, limits, clock } = this.#parts;
    if (board.state === DRAINING || this.#failed) {
      wire.end(CLOSE_GOING_AWAY, reasonOf(CLOSE_GOING_AWAY));
      return undefined;
    }
    if (!board.admit(limits.maxConnections)) {
      this.#count('turnedAway');
      wire.end(CLOSE_TOO_MANY, reasonOf(CLOSE_TOO_MANY));
      return undefined;
    }
    this.#count('opened');
    const conversation = new Conversation(this.#shared, wire, clock.monotonicMs());
    this.#gather.join(conversation);
    return conversation;
  }

  /** The socket of a conversation is closed; called once for each. */
  close(conversation: Conversation): void {
    conversation.closed();
    this.#count('closed');
    this.#parts.board.release(1);
  }

  #count(figure: Figure): void {
    addTo(this.tally, FIGURE[figure]);
  }

  /** Runs `work`, for example a socket's event; what it throws is a failure of this thread. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Reports, once, that this thread can serve no longer. */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#watch.cancel();
    this.#parts.onFailure(error);
  }

  /**
   * Waits until everything asked is answered and read, for at most `drainMs`, and then tells every
   * client that the node goes away.
   */
  async drain(drainMs: number): Promise<void> {
    const { clock, timers } = this.#parts;
    const endMs = clock.monotonicMs() + drainMs;
    while (!this.#quiet() && clock.monotonicMs() < endMs) await sleep(timers, DRAIN_LOOK_MS);
    this.endAll(CLOSE_GOING_AWAY);
  }

  #quiet(): boolean {
    const done = this.#gather.done && (this.#switchboard?.idle ?? true);
    return this.#failed || (done && this.#gather.parties.every(isQuiet));
  }

  /** Looks after nobody any more. */
  stop(): void {
    this.#watch.cancel();
    this.#switchboard?.stop();
  }

  /** Ends every conversation with a close code. */
  endAll(closeCode: number): void {
    this.stop();
    for (const party of [...this.#gather.parties]) {
      if (party instanceof Conversation) party.end(closeCode);
    }
  }
}

/** Whether a party has nothing waiting; an HTTP request is quiet when it is gone. */
function isQuiet(party: unknown): boolean {
  if (party === undefined) return true;
  if (party instanceof Party && party.isNode) return true;
  if (!(party instanceof Conversation)) return false;
  if (party.queue.length > 0) return false;
  return (party.wire?.getBufferedAmount() ?? 0) === 0;
}
