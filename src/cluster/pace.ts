/**
 * How fast partitions move and when the cluster counts as out of balance, changed while it runs: on
 * the node that is asked and, as far as they answer, on all others. A restart takes the settings
 * that a node was started with.
 */
import { MOVE_RATE_MAX, MOVE_RATE_MIN } from '../config/clusterSettings.js';
import { isPresent } from '../gossip/member.js';
import type { ClusterNode } from './node.js';

/** What can be changed. */
export interface PaceOrder {
  /** Bytes that a node takes over in a second. */
  readonly rate?: number | undefined;
  /** How far above its share a node may be, in percent. */
  readonly threshold?: number | undefined;
}

function isWithin(value: unknown, least: number, most: number): boolean {
  if (value === undefined) return true;
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** The order in a body from outside; nothing when there is none in it. */
export function paceIn(body: unknown): PaceOrder | undefined {
  const { rate, threshold } = (body ?? {}) as PaceOrder;
  if (rate === undefined && threshold === undefined) return undefined;
  const good = isWithin(rate, MOVE_RATE_MIN, MOVE_RATE_MAX) && isWithin(threshold, 1, 1000);
  return good ? { rate, threshold } : undefined;
}

/** The pace of a node; see the top of this file. */
export class Pace {
  readonly #node: ClusterNode;
  #thresholdPercent: number;

  constructor(node: ClusterNode, thresholdPercent: number) {
    this.#node = node;
    this.#thresholdPercent = thresholdPercent;
    node.calls.serve('pace', (_, question) => {
      const order = paceIn(question);
      if (order !== undefined) this.#apply(order);
      return order !== undefined;
    });
  }

  /** How far above its share a node may be, in percent. */
  get thresholdPercent(): number {
    return this.#thresholdPercent;
  }

  /** As HTTP shows it. */
  get document(): object {
    const { bytesPerSecond: rate } = this.#node.mover;
    return { rate, threshold: this.#thresholdPercent };
  }

  #apply({ rate, threshold }: PaceOrder): void {
    if (rate !== undefined) this.#node.mover.setRate(rate);
    if (threshold === undefined) return;
    this.#thresholdPercent = threshold;
    this.#node.splitting.thresholdPercent = threshold;
  }

  /** Changes it everywhere; the ids of those who have not heard of it. */
  async change(order: PaceOrder): Promise<string[]> {
    this.#apply(order);
    const { gossip, calls } = this.#node;
    const others = gossip.members().filter(({ id }) => id !== gossip.self.id);
    const heard = await Promise.all(
      others.filter(isPresent).map(async ({ id }) => {
        return (await calls.ask(id, 'pace', order)) === true ? id : '';
      }),
    );
    const gone = others.filter(({ id, state }) => state !== 'left' && !heard.includes(id));
    return gone.map(({ id }) => id).sort();
  }
}
