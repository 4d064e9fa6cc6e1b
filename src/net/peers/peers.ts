/**
 * The peers of a node, as its main thread sees to them: a link and a sender for each other member
 * of the configuration, the distributor that feeds the senders, hints for who is away, and repair
 * for who comes back without everything.
 *
 *   feeds ─▶ distributor ─▶ sender of a peer ─▶ link ─▶ its listener      answers ─▶ reach
 *                               └ given up ─▶ hints ─▶ sender, once the peer is there and idle
 *
 * It runs where the listener and gossip run, beside the threads that serve. Whatever it does in one
 * turn is small. With nothing to carry it looks a hundred times a second.
 */
import type { FeedReader } from '../../arena/feedReader.js';
import type { Store } from '../../arena/store.js';
import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { sleep, type Timer, type Timers } from '../../base/timers.js';
import type { AnswerReader } from '../../protocol/answerReader.js';
import { Distributor } from '../../replication/distributor.js';
import type { Hint, Hints } from '../../replication/hints.js';
import type { OutboxLimits } from '../../replication/outbox.js';
import type { Reach } from '../../replication/reach.js';
import { Sender } from '../../replication/sender.js';
import { type Member, membersOf } from '../../ring/configuration.js';
import type { ClusterView } from '../../ring/view.js';
import type { Log } from '../log.js';
import type { TouchPlace } from './absence.js';
import { Clocks } from './clocks.js';
import type { Forwarder } from './forwarder.js';
import { HintKeeper, type HintPlace } from './hintKeeper.js';
import type { Settle } from './inquirer.js';
import { Leadership } from './leadership.js';
import type { PeerLag } from './peerLag.js';
import { type Link, type LinkMaker, overWebSocket } from './peerLink.js';
import { Purger } from './purger.js';
import { Repairs } from './repairs.js';
import type { PeerPass } from './secret.js';

/** What peers are seen to with. */
export interface PeersParts {
  readonly store: Store;
  readonly view: ClusterView;
  readonly reach: Reach;
  /** What this node proves itself with. */
  readonly pass: PeerPass;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Questions of the main thread to other nodes. */
  readonly forwarder: () => Forwarder | undefined;
  /** Asks this node's own store. */
  readonly askOwn: (request: Uint8Array, settle: Settle) => void;
  /** Over WebSockets by default. */
  readonly makeLink?: LinkMaker;
  /** Where hints are kept for another run; nowhere by default. */
  readonly hints?: HintPlace | undefined;
  /** Where it is kept when this node was in touch last; nowhere by default. */
  readonly touched?: TouchPlace | undefined;
  /** How much is on the way to a peer and held for it, in bytes. */
  readonly limits?: OutboxLimits;
}

/** How much is on the way to a peer, and held for it, in bytes. */
const LIMITS = { window: 4 * 1024 * 1024, capacity: 32 * 1024 * 1024 };
/** How much is kept for those who are away, and for how long. */
const HINTS = { bytes: 64 * 1024 * 1024, ageMs: 3 * 3600 * 1000 };
const HINT_BATCH_BYTES = 256 * 1024;
/** With a data folder, what a peer lacks that is away for so long becomes hints. */
const AWAY_MS = 1_000;
/** What is too far ahead of a peer's clock is tried again after so long. */
const AHEAD_MS = 1_000;
/** The pause after a turn that carried something, so that the next one has more to carry ... */
const BUSY_MS = 1;
/** ... and the longest. */
const IDLE_MS = 10;
/** A peer that answers nothing for so long is connected to anew. */
const SILENT_MS = 10_000;

interface Peer {
  readonly member: Member;
  readonly sender: Sender;
  readonly link: Link;
  readonly row: number;
  /** When it answered last, or had nothing to answer. */
  heardMs: number;
  /** When there was a connection last. */
  upMs: number;
  hinting: boolean;
  /** Before that no hints are handed over, on the monotonic clock. */
  hintsMs: number;
}

/** See the top of this file. */
export class Peers {
  readonly #parts: PeersParts;
  readonly #feeds: readonly FeedReader[];
  readonly #distributor: Distributor;
  readonly #keeper: HintKeeper;
  readonly #hints: Hints;
  readonly #peers = new Map<string, Peer>();
  /** What follows from roles of owners. */
  readonly leadership: Leadership;
  readonly #unlisten: () => void;
  readonly #clocks: Clocks;
  #timer: Timer | undefined;
  #pauseMs = BUSY_MS;
  #publishing = false;
  /** Comparisons with peers, and what they have come to. */
  readonly repairs: Repairs;
  /** Drops what others own, and what that has come to. */
  readonly purger: Purger;
  #stopped = false;

  constructor(parts: PeersParts) {
    this.#parts = parts;
    const { store, view, reach, clock, timers, random, log, forwarder, askOwn } = parts;
    this.#feeds = Array.from({ length: store.lanes }, (_, lane) =>
      store.openFeeds(lane, 'peers'),
    ).flat();
    this.#distributor = new Distributor({
      ...{ feeds: this.#feeds, view, reach, clock },
      senderOf: (id) => this.#peers.get(id)?.sender,
      senders: () => this.#senders(),
    });
    const place = parts.hints;
    this.#keeper = new HintKeeper({ limits: HINTS, place, clock, random, log });
    this.#hints = this.#keeper.hints;
    this.#clocks = new Clocks({ clock, reach, log, forwarder });
    const pump = (): boolean => this.#distributor.pump();
    const [hints, peers] = [this.#hints, this.#peers];
    this.leadership = new Leadership({ view, reach, hints, peers, pump });
    this.repairs = new Repairs({
      ...{ view, reach, clock, timers, random, log, forwarder, askOwn },
      connected: (id) => this.#upPeer(id)?.member,
      touched: parts.touched,
    });
    this.purger = new Purger({
      ...{ view, clock, timers, log, askOwn },
      ask: (member, request, settle) => this.repairs.ask(member.id, request, settle),
    });
    this.#unlisten = view.onConfiguration(() => this.#arrange());
    this.#arrange();
    this.#listen();
  }

  *#reached(): Iterable<Member> {
    for (const { member, link } of this.#peers.values()) if (link.up) yield member;
  }

  *#senders(): Iterable<readonly [string, Sender]> {
    for (const [id, { sender }] of this.#peers) yield [id, sender];
  }

  /** How far each peer is behind this node. */
  lags(): PeerLag[] {
    const nowMs = this.#parts.clock.monotonicMs();
    const hints = this.#hints;
    return [...this.#peers].map(([id, { sender }]) => {
      const ageMs = Math.max(sender.lagMs(nowMs), hints.ageMs(id, nowMs));
      return {
        ...{ id, connected: sender.connected, ageMs },
        records: sender.lag + hints.countFor(id),
        ...{ hints: hints.countFor(id), hintBytes: hints.bytesFor(id) },
      };
    });
  }

  #upPeer(id: string): Peer | undefined {
    const peer = this.#peers.get(id);
    return peer?.link.up === true ? peer : undefined;
  }

  /** Changes that are kept for those who are away, in bytes. */
  get hintBytes(): number {
    return this.#hints.bytes;
  }

  /** Has a link to each other member of the configuration, and to nobody else. */
  #arrange(): void {
    const { view } = this.#parts;
    const wanted = new Map(membersOf(view.configuration).map((member) => [member.id, member]));
    wanted.delete(view.self);
    this.leadership.turn();
    for (const [id, { member }] of [...this.#peers]) {
      const now = wanted.get(id);
      if (now?.host !== member.host || now.port !== member.port) this.#close(id, now === undefined);
    }
    this.#publish(wanted.size > 0);
    for (const member of wanted.values()) if (!this.#peers.has(member.id)) this.#open(member);
    this.#distributor.forget();
    this.repairs.keep(new Set(wanted.keys()));
  }

  /** Nothing is published as long as there is nobody to tell. */
  #publish(on: boolean): void {
    if (on === this.#publishing) return;
    this.#publishing = on;
    this.#parts.store.publish(on, 'peers');
    if (!on) return;
    for (const feed of this.#feeds) feed.skip();
    this.#schedule(BUSY_MS);
  }

  #open(member: Member): void {
    const { reach, pass, timers, random, clock, view, log } = this.#parts;
    const { makeLink = overWebSocket, limits = LIMITS } = this.#parts;
    const { id, host, port } = member;
    const row = reach.open(id);
    if (row === undefined) {
      log.error({ node: id }, 'no account can be kept of so many members');
      return;
    }
    const sender = new Sender({
      limits,
      givenUp: (frames) => this.#keep(id, row, frames),
      ahead: (frame) => this.#putOff(id, row, frame),
      fence: (frame, number) => this.leadership.fence(frame, number),
      number: () => view.configuration?.number ?? 0,
      outdated: () => reach.giveUp(row),
      refused: (status) => {
        reach.giveUp(row);
        log.warn({ node: id, status }, 'a peer refuses a change for good');
      },
    });
    const link = makeLink({
      ...{ host, port, name: `peer ${view.self}`, pass, timers, random },
      expected: () => view.memberOf(id),
      onStranger: ({ node, boot }) => {
        log.warn({ node: id, found: node, boot }, 'another node answers in the place of a peer');
      },
      onRefused: () => log.warn({ node: id }, 'a peer does not take the cluster key of this node'),
      onUp: (send, run) => {
        log.info({ node: id }, 'connected to a peer');
        if (run !== undefined) reach.meet(row, run);
        sender.connect(send);
        reach.setConnected(row, true);
        // Either of the two may have been away, or have lost its memory.
        this.repairs.soon(id);
      },
      onDown: () => {
        sender.disconnect();
        reach.setConnected(row, false);
      },
      onAnswers: (answers) => this.#answered(id, answers),
    });
    const heardMs = clock.monotonicMs();
    const times = { heardMs, upMs: heardMs, hintsMs: 0 };
    this.#peers.set(id, { member, sender, link, row, hinting: false, ...times });
    if (this.#keeper.damagedBytes > 0) this.#hints.lose(id);
    for (const [source, feed] of this.#feeds.entries()) reach.advance(row, source, feed.position);
    link.start();
  }

  #close(id: string, forGood: boolean): void {
    const peer = this.#peers.get(id);
    peer?.link.stop();
    // What waited for it waits no more.
    if (peer !== undefined) this.#parts.reach.giveUp(peer.row);
    this.#peers.delete(id);
    if (forGood) this.#hints.settle(id);
  }

  #answered(id: string, answers: AnswerReader): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    const nowMs = this.#parts.clock.monotonicMs();
    peer.heardMs = nowMs;
    while (answers.next()) peer.sender.answered(answers.id, answers.status, nowMs);
  }

  /** The peer's clock is behind what a frame has: it is tried again after a while. */
  #putOff(id: string, row: number, frame: Uint8Array): void {
    this.#keep(id, row, [frame]);
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.hintsMs = this.#parts.clock.monotonicMs() + AHEAD_MS;
  }

  /** Keeps changes that were given up as hints. */
  #keep(id: string, row: number, frames: readonly Uint8Array[]): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.hinting = false;
    this.#parts.reach.giveUp(row);
    this.#keeper.keep(id, frames, this.#parts.clock.monotonicMs());
    this.leadership.lost(id);
  }

  /** Hands hints over to peers that are there and not behind. */
  #handOver(nowMs: number): void {
    for (const [id, peer] of this.#peers) {
      const { sender } = peer;
      const isLater = peer.hinting || nowMs < peer.hintsMs;
      if (isLater || !sender.connected || sender.bytes > LIMITS.window) continue;
      const hints: readonly Hint[] = this.#hints.next(id, HINT_BATCH_BYTES, nowMs);
      if (hints.length === 0) {
        this.#makeUp(id, peer);
        continue;
      }
      peer.hinting = true;
      for (const { record } of hints) sender.putRequest(record);
      const { reach } = this.#parts;
      const generation = reach.generation(peer.row);
      sender.whenApplied(() => {
        peer.hinting = false;
        // What was handed back, or given up again, is not delivered.
        if (reach.generation(peer.row) === generation) this.#hints.delivered(id, hints);
      });
      sender.flush();
    }
  }

  /** Has a peer compare itself that hints were let go for. */
  #makeUp(id: string, peer: Peer): void {
    if (!this.#hints.isIncomplete(id)) return;
    peer.hinting = true;
    this.repairs.askAgain(id, (heard) => {
      peer.hinting = false;
      if (heard) this.#hints.madeUpFor(id);
    });
  }

  #watch(nowMs: number): void {
    for (const peer of this.#peers.values()) {
      const { sender, link } = peer;
      if (link.up) peer.upMs = nowMs;
      // What outlives this run must not wait in memory alone.
      else if (this.#keeper.isKept && nowMs - peer.upMs > AWAY_MS) sender.giveUp();
      if (sender.idle || !link.up) peer.heardMs = nowMs;
      else if (nowMs - peer.heardMs > SILENT_MS) peer.link.drop();
    }
  }

  #schedule(pauseMs: number): void {
    if (this.#stopped || !this.#publishing) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.timers.after(pauseMs, () => this.#turn());
  }

  #turn(): void {
    if (this.#stopped || !this.#publishing) return;
    const before = this.#position();
    const more = this.#distributor.pump();
    const nowMs = this.#parts.clock.monotonicMs();
    this.#handOver(nowMs);
    this.#clocks.tick(this.#reached());
    this.#watch(nowMs);
    this.#keeper.flush();
    this.repairs.tick(nowMs);
    this.purger.tick(nowMs);
    if (more) {
      this.#parts.timers.soon(() => this.#turn());
      return;
    }
    const carried = this.#position() !== before;
    this.#pauseMs = carried ? BUSY_MS : Math.min(IDLE_MS, this.#pauseMs * 2);
    this.#schedule(this.#pauseMs);
  }

  #position(): number {
    return this.#feeds.reduce((sum, feed) => sum + feed.position, 0);
  }

  /** Somebody waits for a change to be with other owners: looks at once. */
  #listen(): void {
    const { reach } = this.#parts;
    const { work } = reach;
    reach.whenNudged(work, () => {
      if (this.#stopped) return;
      this.#listen();
      this.#turn();
    });
  }

  /** Waits until the peers that are there have everything, for at most so long. */
  async drain(drainMs: number): Promise<void> {
    const { clock, timers } = this.#parts;
    const endMs = clock.monotonicMs() + drainMs;
    const busy = (): boolean =>
      [...this.#peers.values()].some(({ sender }) => sender.connected && !sender.idle);
    while (clock.monotonicMs() < endMs) {
      this.#turn();
      if (!busy()) return;
      await sleep(timers, IDLE_MS);
    }
  }

  /** Ends all links. */
  stop(): void {
    this.#stopped = true;
    this.#unlisten();
    this.#timer?.cancel();
    this.repairs.stop();
    this.purger.stop();
    for (const { link, sender } of this.#peers.values()) {
      link.stop();
      if (this.#keeper.isKept) sender.giveUp();
    }
    this.#keeper.close();
    this.#parts.reach.nudge();
  }
}
