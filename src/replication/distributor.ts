/**
 * Carries the changes of this node to the peers that own their keys. It reads every feed, gives
 * each change to the senders of its owners, and notes for each peer how far it is with each feed.
 *
 * It must never hold writes back: what it has read is copied into the senders' frames and given
 * back to the lane at once, whatever the peers do. A sender that has too much gives the oldest up.
 * What a peer told is left out, since whoever accepts a change tells all of its owners.
 *
 * A turn is over when all that was published before it began has been read; a peer has attained it
 * once it has applied what was put for it until then. One turn is waited for at a time.
 */
import type { FeedReader } from '../arena/feedReader.js';
import type { Clock } from '../base/clock.js';
import { slotOf } from '../base/slot.js';
import type { ClusterView } from '../ring/view.js';
import type { Reach } from './reach.js';
import type { Sender } from './sender.js';

/** What a distributor works with. */
export interface DistributorParts {
  /** The feeds, lane by lane, and within a lane arena by arena. */
  readonly feeds: readonly FeedReader[];
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly clock: Clock;
  /** The sender for a member. */
  readonly senderOf: (id: string) => Sender | undefined;
  /** The senders for all other members. */
  readonly senders: () => Iterable<readonly [string, Sender]>;
}

/** So many bytes of a feed are read at most before others get their turn. */
const TURN_BYTES = 256 * 1024;

/** See the top of this file. */
export class Distributor {
  readonly #parts: DistributorParts;
  /** The senders for each partition; made when first asked for. */
  #routes: (readonly Sender[] | undefined)[] = [];
  /** The turn that is under way, and where each feed has to be read to before it is over. */
  #turn: { readonly number: number; readonly heads: readonly number[] } | undefined;
  /** The last turn that is over. */
  #over = 0;
  /** The generation of each peer for which a turn is waited for. */
  readonly #awaited = new Map<Sender, number>();

  constructor(parts: DistributorParts) {
    this.#parts = parts;
  }

  /** The configuration or the senders have changed. */
  forget(): void {
    this.#routes = [];
    this.#awaited.clear();
  }

  /** Carries on what has been published; true when some of it was left for the next turn. */
  pump(): boolean {
    const { feeds } = this.#parts;
    this.#turn ??= {
      number: this.#parts.reach.beginTurn(),
      heads: feeds.map(({ head }) => head),
    };
    let more = false;
    for (const [source, feed] of this.#parts.feeds.entries()) {
      if (this.#drain(source, feed)) more = true;
    }
    const { number, heads } = this.#turn;
    if (feeds.every(({ position }, n) => ((position - (heads[n] ?? 0)) | 0) >= 0)) {
      this.#over = number;
      this.#turn = undefined;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [id, sender] of this.#parts.senders()) {
      this.#await(id, sender);
      sender.flush();
      sender.tick(nowMs);
    }
    return more;
  }

  /** Notes which turn a peer has attained, once it has applied what was put for it so far. */
  #await(id: string, sender: Sender): void {
    const { reach } = this.#parts;
    const row = reach.rowOf(id);
    const turn = this.#over;
    if (row === undefined || reach.attained(row) >= turn) return;
    const generation = reach.generation(row);
    if (this.#awaited.get(sender) === generation) return;
    this.#awaited.set(sender, generation);
    sender.whenApplied(() => {
      // What was given up meanwhile was not applied; it is another generation then.
      if (this.#awaited.get(sender) === generation) this.#awaited.delete(sender);
      if (reach.attained(row) < turn) reach.attain(row, turn);
    });
  }

  #drain(source: number, feed: FeedReader): boolean {
    const nowMs = this.#parts.clock.nowMs();
    let bytes = 0;
    while (bytes < TURN_BYTES && feed.next()) {
      bytes += feed.keyLength + feed.valueLength;
      if (!feed.fromPeer) this.#carry(feed, nowMs);
    }
    const { position } = feed;
    if (feed.pendingBytes > 0) {
      feed.release();
      this.#note(source, position);
    }
    return bytes >= TURN_BYTES;
  }

  #carry(feed: FeedReader, nowMs: number): void {
    // What it has that others lack is not to come to them: see `ClusterView.isDeposed`.
    if (this.#parts.view.isDeposed) return;
    if (feed.kind === 'clear') {
      for (const [, sender] of this.#parts.senders()) sender.put(feed, nowMs);
      return;
    }
    for (const sender of this.#routeOf(feed)) sender.put(feed, nowMs);
  }

  #routeOf(feed: FeedReader): readonly Sender[] {
    const { view } = this.#parts;
    const isHash = view.configuration?.partitioner === 'hash';
    if (!isHash || view.leaving !== undefined) return this.#sendersFor(view.groupsOf(feed.key()));
    const slot = slotOf(feed.memory, feed.keyAt, feed.valueAt);
    let route = this.#routes[slot];
    if (route === undefined) {
      route = this.#sendersFor(view.groupsOfSlot(slot));
      this.#routes[slot] = route;
    }
    return route;
  }

  #sendersFor(groups: readonly (readonly { readonly id: string }[])[]): readonly Sender[] {
    const ids = new Set(groups.flatMap((group) => group.map(({ id }) => id)));
    return [...ids].map((id) => this.#parts.senderOf(id)).filter((sender) => sender !== undefined);
  }

  /** Has each peer's account brought up to date once it has what was read so far. */
  #note(source: number, position: number): void {
    const { reach, senders } = this.#parts;
    for (const [id, sender] of senders()) {
      const row = reach.rowOf(id);
      if (row !== undefined) sender.whenApplied(() => reach.advance(row, source, position));
    }
  }
}
