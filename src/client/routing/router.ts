/**
 * Leads calls to the nodes. As long as no configuration is known there is one connection, `home`,
 * to one of the addresses that the program gave, and every call goes there: a node that keeps to
 * itself costs nothing more than that. A node of a cluster tells its configuration right after the
 * greeting, and calls wait for it; from then on each key has its owners, each node its connection,
 * and `home` becomes the connection to the node that it leads to. When all nodes are away, one
 * connection more looks for the cluster at the addresses that the program gave.
 */
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Timer, Timers } from '../../base/timers.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import {
  ClosedError,
  DisconnectedError,
  InvalidArgumentError,
  OrlopError,
} from '../../protocol/errors.js';
import type { Greeting } from '../../protocol/hello.js';
import { STATUS } from '../../protocol/status.js';
import type { Key } from '../../protocol/verbs.js';
import type { Configuration, Member } from '../../ring/configuration.js';
import { BatchCall } from '../batchCall.js';
import type { Call } from '../call.js';
import { type EventListener, guarded } from '../events.js';
import type { Settings } from '../options.js';
import type { Runtime } from '../runtime.js';
import type { ClientSession } from '../session.js';
import { SingleCall } from '../singleCall.js';
import { Convoy } from './convoy.js';
import { Journey } from './journey.js';
import { type Parked, Parking } from './parking.js';
import { Peer, type PeerOwner, RANK } from './peer.js';
import { type Intent, Topology } from './topology.js';
import { decodeTopology, FOLLOW_ID, followRequest } from './topologyFrames.js';

/** How often calls are looked at that are under way, in milliseconds. */
const LOOK_MS = 25;
/** A look that comes later than this finds that we stood still, not the nodes. */
const LATE_MS = 100;
/** How long calls may still take at a node that is no longer a member, in milliseconds. */
const FAREWELL_MS = 5000;

/** What a call on its way through the cluster asks. */
export interface Guide {
  /** How long a node may be silent before another one is asked, in milliseconds. */
  readonly patienceMs: number;
  /** The program has closed the client. */
  readonly closed: boolean;
  nowMs(): number;
  /** The node to ask next about a key, or about none; nobody when no further one is worth it. */
  pick(key: Key | undefined, intent: Intent, tried: readonly Peer[]): Peer | undefined;
  /** Lets a call wait until a node can be asked again. */
  park(parked: Parked): void;
}

/** All nodes of a client. */
export class Router implements Guide, PeerOwner {
  readonly #settings: Settings;
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #tell: EventListener;
  readonly #seeds: readonly string[];
  readonly #topology: Topology;
  readonly #parking: Parking;
  readonly #session: ClientSession | undefined;
  readonly #peers = new Map<string, Peer>();
  /** The connection to an address of the program that is no known node's. */
  #home: Peer | undefined;
  #single: Peer | undefined;
  #greeted = false;
  #looking = false;
  #lookedMs = 0;
  #lookTimer: Timer | undefined;
  #closing: Promise<void> | undefined;

  /** Begins to connect to one of the URLs. */
  constructor(
    urls: readonly string[],
    settings: Settings,
    runtime: Runtime,
    session?: ClientSession | undefined,
  ) {
    this.#session = session;
    this.#seeds = urls;
    this.#runtime = runtime;
    this.#clock = runtime.clock;
    this.#timers = runtime.timers;
    this.#tell = guarded(settings.onEvent);
    // Each connection says that it is closed; the program closed one client.
    const onEvent: EventListener = (event) => void (event.type !== 'closed' && this.#tell(event));
    this.#settings = { ...settings, onEvent };
    this.#topology = new Topology(settings.zone);
    this.#parking = new Parking(settings);
    this.#home = new Peer(this, urls, this.#settings, runtime, { session });
    this.#single = this.#home;
    this.#home.dispatcher;
  }

  get patienceMs(): number {
    return this.#settings.hedgeMs;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Whether any node is connected. */
  get connected(): boolean {
    return this.#all().some(({ up }) => up);
  }

  /** The configuration of the cluster, once one is known. */
  get configuration(): Configuration | undefined {
    return this.#topology.configuration;
  }

  /** The one connection, as long as nothing is known of a cluster. */
  get single(): Peer | undefined {
    return this.#single;
  }

  #all(): Peer[] {
    const peers = [...this.#peers.values()];
    if (this.#home !== undefined) peers.push(this.#home);
    return peers;
  }

  /** Takes a call on; whatever happens, it is ended in time and nothing is thrown. */
  submit(call: Call, nowMs: number): void {
    const single = this.#single;
    if (single !== undefined) single.dispatcher.submit(call, nowMs);
    else this.#travel(call, nowMs);
  }

  /** Takes a call on that only this node can serve. */
  submitTo(peer: Peer, call: Call, nowMs: number): void {
    if (this.#single === undefined) this.#look();
    peer.submit(call, nowMs);
  }

  #travel(call: Call, nowMs: number): void {
    if (this.closed) {
      call.fail(new ClosedError());
      return;
    }
    this.#look();
    try {
      if (call instanceof SingleCall && call.request !== undefined) {
        new Journey(this, call, call.request).go(nowMs);
      } else if (call instanceof BatchCall && call.batch !== undefined) {
        new Convoy(this, call, call.batch).go();
      }
    } catch (error) {
      // A key that can't be written has no owner.
      call.fail(error instanceof OrlopError ? error : new InvalidArgumentError(messageOf(error)));
    }
  }

  pick(key: Key | undefined, intent: Intent, tried: readonly Peer[]): Peer | undefined {
    const route = key === undefined ? [] : this.#topology.routeOf(key, intent);
    let best: Peer | undefined;
    let bestRank: number = RANK.away;
    for (const { id } of route) {
      const peer = this.#peers.get(id);
      const rank = peer === undefined || tried.includes(peer) ? RANK.away : peer.rank;
      if (rank === RANK.ready) return peer;
      if (rank < bestRank) [best, bestRank] = [peer, rank];
    }
    return this.#passer(tried) ?? best;
  }

  /** A node that passes on what it does not own. */
  #passer(tried: readonly Peer[]): Peer | undefined {
    const ready = this.#all().filter((peer) => peer.rank === RANK.ready && !tried.includes(peer));
    return ready.find(({ up }) => up) ?? ready[0];
  }

  /** Whether it is known if there is a cluster. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** The nodes that own keys, with their names. */
  owners(): (readonly [string, Peer])[] {
    const { members } = this.#topology;
    const own = new Set(members.filter(({ weight }) => weight > 0).map(({ id }) => id));
    return [...this.#peers].filter(([id]) => own.has(id));
  }

  /** The node that has to list a key: the first of its owners that is none of `failed`. */
  listerOf(key: Uint8Array, failed: ReadonlySet<string>): string | undefined {
    return this.#topology.routeOf(key, 'list').find(({ id }) => !failed.has(id))?.id;
  }

  /** Whether each key has an owner that is none of `failed`. */
  canLose(failed: ReadonlySet<string>): boolean {
    const { layout, leaving } = this.#topology.configuration ?? {};
    const copies = Math.min(layout?.replicas ?? 1, leaving?.replicas ?? 7, this.owners().length);
    return failed.size < copies;
  }

  park(parked: Parked): void {
    if (this.closed) {
      parked.fail(new ClosedError());
      return;
    }
    const anybody = this.#settings.offlineQueue || this.connected;
    if (!anybody) {
      parked.fail(new DisconnectedError('no node of the cluster is connected'));
      return;
    }
    this.#parking.add(parked);
    this.#look();
  }

  peerGreeted(peer: Peer, { node, cluster }: Greeting): void {
    const known = this.#topology.configuration;
    this.#greeted ||= cluster === undefined;
    if (cluster === undefined && node === undefined) return;
    const ours = known !== undefined && known.cluster === cluster?.id;
    peer.dispatcher.ask(followRequest(ours ? known.number : 0));
    if (known === undefined && cluster !== undefined) peer.dispatcher.hold();
    if (node !== undefined) peer.id ??= node;
    if (known !== undefined) this.#settleHome(peer);
    if (this.#parking.length > 0) this.#timers.soon(() => this.#parking.resume(this.nowMs()));
  }

  peerTold(peer: Peer, answer: AnswerReader): void {
    if (answer.id !== FOLLOW_ID) return;
    if (answer.status === STATUS.OK) this.#learn(peer, decodeTopology(answer.body()));
    else if (answer.status === STATUS.NOT_FOUND) peer.foreign = undefined;
    this.#greeted = true;
    peer.dispatcher.release();
  }

  /**
   * Another cluster's configuration counts when no connected node is of the one that was known: a
   * node that lost its memory founds a cluster of its own for a moment.
   */
  #learn(peer: Peer, configuration: Configuration): void {
    const known = this.#topology.configuration;
    peer.foreign = undefined;
    if (known !== undefined && known.cluster !== configuration.cluster) {
      const loyal = this.#all().some((other) => other !== peer && other.up && !other.foreign);
      if (loyal) {
        peer.foreign = configuration;
        return;
      }
    }
    if (this.#topology.take(configuration)) this.#changed(configuration);
  }

  #changed(configuration: Configuration): void {
    const members = this.#topology.members;
    for (const peer of this.#all()) {
      if (peer.foreign?.cluster === configuration.cluster) peer.foreign = undefined;
    }
    const single = this.#single;
    // A cluster of one is a node that keeps to itself, until it tells of another one.
    if (single !== undefined && members.length === 1) return;
    this.#single = undefined;
    this.#home?.dispatcher.share();
    this.#meet(members);
    this.#adopt();
    const nodes = members.map(({ id }) => id);
    this.#tell({ type: 'topology', number: configuration.number, nodes });
    const nowMs = this.nowMs();
    for (const call of single?.dispatcher.surrender() ?? []) this.#travel(call, nowMs);
    this.#parking.resume(nowMs);
  }

  /** Has a peer for each member, and for nobody else. */
  #meet(members: readonly Member[]): void {
    for (const [id, peer] of this.#peers) {
      const member = members.find((one) => one.id === id);
      const same = member !== undefined && peer.urls.includes(this.#urlOf(member));
      if (same || (member !== undefined && peer.up)) continue;
      this.#peers.delete(id);
      this.#part(peer);
    }
    for (const member of members) if (!this.#peers.has(member.id)) this.#welcome(member);
  }

  #welcome(member: Member): void {
    const urls = [this.#urlOf(member)];
    const facts = { id: member.id, session: this.#session };
    const peer = new Peer(this, urls, this.#settings, this.#runtime, facts);
    this.#peers.set(member.id, peer);
  }

  /** Lets go of a connection after what is under way there. */
  #part(peer: Peer): void {
    void peer.close(FAREWELL_MS);
  }

  /** What was `home` may lead elsewhere when it is made again. */
  peerLost(peer: Peer): void {
    const member = this.#topology.members.find(({ id }) => id === peer.id);
    if (this.closed || member === undefined || this.#peers.get(member.id) !== peer) return;
    if (peer.urls !== this.#seeds) return;
    this.#welcome(member);
    this.#part(peer);
  }

  /** A member is reached in the way in which the program reaches the nodes that it named. */
  #urlOf({ host, port }: Member): string {
    const url = new URL(this.#seeds[0] ?? '');
    url.host = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    url.port = String(port);
    return url.href;
  }

  /** With a connection to a member, one to an address of the program is of no more use. */
  #settleHome(greeted: Peer): void {
    const home = this.#home;
    if (home === greeted) this.#adopt();
    else if (home !== undefined && this.#peers.get(greeted.id ?? '') === greeted) {
      this.#home = undefined;
      this.#part(home);
    }
  }

  /** Where `home` leads to a member, it is the connection to it. */
  #adopt(): void {
    const home = this.#home;
    if (home?.up !== true) return;
    const urls = new Set(home.urls);
    const named = home.id ?? this.#topology.members.find((one) => urls.has(this.#urlOf(one)))?.id;
    const known = named === undefined ? undefined : this.#peers.get(named);
    if (named === undefined || known === undefined) return;
    this.#home = undefined;
    if (known.up) {
      this.#part(home);
      return;
    }
    home.id = named;
    this.#peers.set(named, home);
    this.#part(known);
  }

  /** Sees to what is under way from now on, as long as anything is. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#lookedMs = this.nowMs();
    this.#lookAgain();
  }

  #lookAgain(): void {
    const timer = this.#timers.after(LOOK_MS, () => this.#looked());
    // Calls that are under way have their own alarm; those that are parked have none.
    this.#lookTimer = this.#parking.length > 0 ? timer : timer.unref();
  }

  #looked(): void {
    const nowMs = this.nowMs();
    const late = nowMs - this.#lookedMs > LATE_MS;
    this.#lookedMs = nowMs;
    const peers = this.#all();
    if (!late) for (const peer of peers) peer.look(nowMs, this.patienceMs);
    if (peers.every(({ rank }) => rank === RANK.away)) this.#searchAnew();
    this.#parking.resume(nowMs);
    this.#looking = this.#parking.length > 0 || peers.some(({ busy }) => busy);
    if (this.#looking) this.#lookAgain();
  }

  /** No node of the known cluster is there: perhaps it has become another one, or moved. */
  #searchAnew(): void {
    const defector = this.#all().find(({ up, foreign }) => up && foreign !== undefined);
    if (defector?.foreign !== undefined) {
      this.#learn(defector, defector.foreign);
      return;
    }
    if (this.#home !== undefined || this.closed) return;
    const session = this.#session;
    this.#home = new Peer(this, this.#seeds, this.#settings, this.#runtime, { session });
    this.#home.dispatcher.share();
  }

  /** Refuses new calls, waits up to `drainMs` for those under way, fails the rest, and hangs up. */
  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    this.#parking.fail(new ClosedError());
    await Promise.all(this.#all().map((peer) => peer.close(drainMs)));
    this.#lookTimer?.cancel();
    this.#tell({ type: 'closed' });
  }
}
