/**
 * A simulated node that holds data: the release core, and over it the shipped gather loop,
 * switchboard, claims, senders and hints, over links of the simulator. Who its members are is
 * given and does not change.
 */
import { Store } from '../../src/arena/store.js';
import type { StoreLane } from '../../src/arena/storeLane.js';
import { LINK_TOPICS } from '../../src/base/links.js';
import type { Timer } from '../../src/base/timers.js';
import { haulBy } from '../../src/cluster/hauling.js';
import { Board } from '../../src/net/board.js';
import { Gather } from '../../src/net/gather.js';
import { Party } from '../../src/net/party.js';
import { Forwarder } from '../../src/net/peers/forwarder.js';
import { Peers } from '../../src/net/peers/peers.js';
import { NO_PASS } from '../../src/net/peers/secret.js';
import { PartySession } from '../../src/net/peers/session.js';
import { Switchboard } from '../../src/net/peers/switchboard.js';
import { Stopwatch, verbTotals } from '../../src/net/stopwatch.js';
import { AnswerReader } from '../../src/protocol/answerReader.js';
import { FrameWriter } from '../../src/protocol/frameWriter.js';
import { encodeRequest, type Request } from '../../src/protocol/request.js';
import { FLAG_PEEK, FLAG_WITH_META, OP_GET } from '../../src/protocol/wire.js';
import { Mover, type MoverParts } from '../../src/rebalance/mover.js';
import { Reach } from '../../src/replication/reach.js';
import type { SessionToken } from '../../src/replication/session.js';
import type { Configuration } from '../../src/ring/configuration.js';
import { ClusterView } from '../../src/ring/view.js';
import type { Host, Running } from './host.js';
import { Exchange } from './links.js';

const MIB = 1024 * 1024;
const KIB = 1024;
/** In between items have expired that are still there. */
const SWEEP_EVERY_MS = 5_000;
/** The boot of every member, before and after it lost its memory. */
export const BOOT = '0'.repeat(16);
/** Little, so that what a peer does not take becomes hints in many seeds. */
const LIMITS = { window: 8 * KIB, capacity: 32 * KIB };
const QUIET = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };

/** Somebody who gets answers. */
class Guest extends Party {
  readonly #told: (answers: Uint8Array) => void;

  constructor(grants: number, told: (answers: Uint8Array) => void) {
    super();
    this.grants = grants;
    this.#told = told;
  }

  override deliver(answers: Uint8Array): boolean {
    this.#told(Uint8Array.from(answers));
    return false;
  }

  override ease(): void {
    // It reads whatever it is told.
  }

  override overflow(): void {
    throw new Error('a guest of the simulator asks too much');
  }
}

/** What a node has of a key. */
export interface Holding {
  readonly status: number;
  readonly version: bigint;
  /** Its value as text. */
  readonly value: string;
}

function freshStore({ random }: Host): Store {
  return Store.create({
    ...{ memoryBytes: 8 * MIB, maxValueBytes: 64 * KIB, lanes: 2, feedBytes: 256 * KIB },
    ...{ build: 'release', random },
  });
}

/** A node of a world, with its data. */
export class DataNode implements Running {
  readonly store: Store;
  /** The cluster as this node knows it. */
  readonly view = new ClusterView();
  readonly #host: Host;
  readonly #observer: StoreLane;
  readonly #gather: Gather;
  readonly #peers: Peers;
  readonly #reach: Reach;
  readonly #switchboard: Switchboard;
  readonly #guests = new Map<string, Guest>();
  readonly #client: Guest;
  readonly #pending = new Map<number, (answer: AnswerReader) => void>();
  readonly #sweeping: Timer;
  readonly #exchange: Exchange;
  #nextId = 1;

  /**
   * With what a node had that crashed, as its log would bring it back, or with nothing; then it may
   * be lacking what it had.
   */
  constructor(
    host: Host,
    configuration: Configuration,
    maxSkewMs?: number,
    repairs = false,
    store = freshStore(host),
    isLacking = false,
  ) {
    this.#host = host;
    this.store = store;
    const { clock, timers, random } = host;
    const lane = this.store.openLane(0);
    this.#observer = this.store.openLane(1);
    const { view } = this;
    const reach = Reach.create(2, undefined, maxSkewMs);
    reach.setLacking(isLacking);
    this.#reach = reach;
    view.identify(host.id, BOOT);
    const tally = Board.create(2).tally(0);
    const stopwatch = new Stopwatch(verbTotals(this.store, lane), tally, clock);
    const onFailure = (error: unknown): void => {
      throw error;
    };
    this.#gather = new Gather({
      ...{ lane, clock, timers, tally, stopwatch, log: undefined, onFailure },
      ...{ maxPipelinedBytes: 64 * MIB, peers: { reach, view } },
    });
    this.#exchange = new Exchange(host, (peer, frame, answer) => this.#serve(peer, frame, answer));
    const makeLink = this.#exchange.link.bind(this.#exchange);
    const shared = { clock, timers, random, pass: NO_PASS, makeLink };
    const forwarder = new Forwarder({ ...shared, self: () => host.id });
    this.#switchboard = new Switchboard({
      ...{ view, reach, clock, timers, maxWaitingBytes: 64 * MIB, forwarder },
      ...{ grants: this.store.constant('GRANTS_PEER') },
      join: (party) => this.#gather.join(party),
      submit: (party, frame) => this.#gather.submit(party, frame),
      deliver: (party, answers) => this.#gather.answer(party, answers),
    });
    this.#gather.admit = (party, frame) => this.#switchboard.admit(party, frame);
    this.#peers = new Peers({
      ...shared,
      ...{ store: this.store, view, reach, log: QUIET, limits: LIMITS },
      forwarder: () => forwarder,
      askOwn: (request, settle) => this.#switchboard.inquire(request, settle),
    });
    const { members } = configuration.layout;
    const addressOf = (id: string): string => members.find((one) => one.id === id)?.host ?? '';
    if (repairs) this.#peers.repairs.serve(this.#exchange.questions(addressOf));
    this.#sweeping = timers.every(SWEEP_EVERY_MS, () => {
      lane.sweep(clock.nowMs(), lane.sweepLines());
    });
    this.#client = new Guest(this.store.constant('GRANTS_CLIENT'), (all) => this.#told(all));
    this.#gather.join(this.#client);
    view.learn(configuration);
  }

  #serve(peer: string, frame: Uint8Array, answer: (answers: Uint8Array) => void): void {
    let guest = this.#guests.get(peer);
    if (guest === undefined) {
      guest = new Guest(this.store.constant('GRANTS_PEER'), answer);
      guest.isPeer = true;
      this.#guests.set(peer, guest);
      this.#gather.join(guest);
    }
    this.#gather.ask(guest, frame);
  }

  #told(answers: Uint8Array): void {
    const reader = new AnswerReader();
    reader.reset(answers);
    while (reader.next()) {
      const told = this.#pending.get(reader.id);
      this.#pending.delete(reader.id);
      told?.(reader);
    }
  }

  /** Asks as a client of this node does. */
  ask(request: Omit<Request, 'id'>, told: (answer: AnswerReader) => void): void {
    const writer = new FrameWriter(256);
    const id = this.#nextId++;
    this.#pending.set(id, told);
    encodeRequest(writer, { ...request, id });
    this.#gather.ask(this.#client, writer.frame());
  }

  /**
   * Asks as a client does that has a session; `told` is also given the token to go on with. Not
   * called when the connection would have been lost.
   */
  askInSession(
    token: SessionToken,
    request: Omit<Request, 'id'>,
    told: (answer: AnswerReader, token: SessionToken) => void,
  ): void {
    const session = new PartySession(1, token);
    const { sessions } = this.#switchboard;
    const guest = new Guest(this.store.constant('GRANTS_CLIENT'), (answers) => {
      this.#gather.leave(guest);
      const reader = new AnswerReader();
      reader.reset(sessions.signed(session, answers).slice());
      reader.next();
      told(reader, session.token);
    });
    guest.session = session;
    this.#gather.join(guest);
    const writer = new FrameWriter(256);
    encodeRequest(writer, { ...request, id: 1 });
    this.#gather.ask(guest, writer.frame());
  }

  /** What this node has of a key, seen from outside of time. */
  holds(key: string): Holding {
    const writer = new FrameWriter(256);
    encodeRequest(writer, { id: 0, opcode: OP_GET, flags: FLAG_PEEK | FLAG_WITH_META, key });
    const lane = this.#observer;
    const nowMs = this.#host.clock.nowMs();
    const grants = this.store.constant('GRANTS_ALL');
    if (!lane.push(1, grants, nowMs, writer.frame())) throw new Error('the inbox is full');
    lane.execute(nowMs);
    if (!lane.next()) throw new Error('the core does not answer');
    const reader = new AnswerReader();
    reader.reset(lane.memory, lane.messageAt, lane.messageLength);
    reader.next();
    const value = Buffer.from(reader.body()).toString('latin1');
    return { status: reader.status, version: reader.version() ?? 0n, value };
  }

  /** What moves partitions to this node, and tells others how far that is. */
  movedBy(
    addressOf: (id: string) => string,
    parts: Pick<MoverParts, 'isSteward' | 'settle'>,
  ): Mover {
    const { clock, timers } = this.#host;
    return new Mover({
      ...{ ...parts, view: this.view, clock, timers, links: this.#exchange.questions(addressOf) },
      ...{ topic: LINK_TOPICS.rebalance, boot: '0'.repeat(16), haul: haulBy(this.#peers) },
      isLacking: () => this.isLacking,
      told: () => undefined,
      bytesPerSecond: 32 * MIB,
    });
  }

  /** Whether a peer has what was made here before the configuration `number` was known. */
  hasDelivered(id: string, number: number): boolean {
    return this.#peers.leadership.hasDelivered(id, number);
  }

  /** Whether it has lost its memory, and does not count as an owner yet. */
  get isLacking(): boolean {
    return this.#reach.isLacking;
  }

  /** Changes that peers have not acknowledged. */
  get lag(): number {
    return this.#peers.lags().reduce((sum, { records }) => sum + records, 0);
  }

  /** Bytes of changes that were kept for peers who did not take them. */
  get hintBytes(): number {
    return this.#peers.hintBytes;
  }

  stop(): void {
    this.#sweeping.cancel();
    this.#peers.stop();
    this.#switchboard.stop();
  }
}
