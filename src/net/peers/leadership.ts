/**
 * What changes on the sending side of a node when a step gives or takes it roles; see
 * `src/ring/roles.ts`. Where all owners are alike nothing of this happens but for the fence.
 *
 * - All that is sent stands behind a fence, so that a peer that knows more can refuse it, or say so
 *   where owners are alike.
 * - Who is passed over lets go of all that was not acknowledged: its successors do not have it.
 * - Who takes a role over asks what is still on the way to it.
 */
import { encodeFence } from '../../replication/fence.js';
import type { Hints } from '../../replication/hints.js';
import type { Reach } from '../../replication/reach.js';
import type { FrontFence, Sender } from '../../replication/sender.js';
import type { ClusterView } from '../../ring/view.js';

/** A peer, as far as this is concerned. */
export interface Led {
  readonly sender: Sender;
  readonly row: number;
}

/** What this works with. */
export interface LeadershipParts {
  readonly view: ClusterView;
  readonly reach: Reach;
  readonly hints: Hints;
  readonly peers: ReadonlyMap<string, Led>;
  /** Hands on what has been published; true when some of it is left. */
  readonly pump: () => boolean;
}

interface Passage {
  readonly number: number;
  done: boolean;
}

/** One node's; see the top of this file. */
export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #passages = new Map<string, Passage>();

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** What stands in front of a frame that was begun under a configuration's number. */
  fence(id: number, number: number): FrontFence {
    const { view } = this.#parts;
    const { epoch = 0 } = view.configuration ?? {};
    const bytes = encodeFence(id, view.self, view.isLed ? epoch : number);
    return { bytes, isAnswered: view.isLed };
  }

  /** Another configuration holds. */
  turn(): void {
    const { view, peers, hints, reach } = this.#parts;
    if (!view.isDeposed) return;
    for (const [id, { sender, row }] of peers) {
      sender.discard();
      hints.settle(id);
      reach.giveUp(row);
    }
  }

  /** Changes for a peer were given up. */
  lost(id: string): void {
    this.#passages.delete(id);
  }

  /**
   * Whether a peer has everything that was made here before this node knew the configuration
   * `number`. To be asked again while it has not.
   */
  hasDelivered(id: string, number: number): boolean {
    const { view, peers, hints, pump } = this.#parts;
    const peer = peers.get(id);
    const known = view.configuration?.number ?? 0;
    if (peer === undefined || known < number) return false;
    const begun = this.#passages.get(id);
    if (begun?.number === known) return begun.done && hints.countFor(id) === 0;
    while (pump());
    const passage: Passage = { number: known, done: false };
    this.#passages.set(id, passage);
    peer.sender.whenApplied(() => {
      passage.done = true;
    });
    return passage.done && hints.countFor(id) === 0;
  }
}
