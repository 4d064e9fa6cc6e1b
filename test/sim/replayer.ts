/**
 * Somebody who records datagrams that arrived and sends them again: at once or much later, to the
 * same node or to another, also after the receiver or the sender started anew. Sealed, each counts
 * at most once, and only where it was sent to.
 */
import { type Random, seededRandom } from '../../src/base/random.js';
import type { Host } from './host.js';
import { GOSSIP_PORT, type MemberNode } from './memberNode.js';
import type { World } from './world.js';

/** Recorded datagrams at most. */
const RECORDED_MAX = 20_000;
const EVERY_MS = 40;

interface Recorded {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** Whether its receiver has taken it in. */
  counted: boolean;
}

/** Records and replays in one world. */
export class Replayer {
  readonly violations: string[] = [];
  /** Datagrams sent again. */
  sent = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #recorded: Recorded[] = [];
  /** What is being delivered, for the first time or again. */
  #current: Recorded | undefined;
  #replaying = false;
  #going = false;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#random = seededRandom(seed ^ 0x3c6ef372);
    world.network.tap = {
      before: (from, to, bytes) => {
        if (!this.#replaying) this.#record({ from, to, bytes, counted: false });
      },
      after: () => {
        this.#current = undefined;
      },
    };
  }

  #record(recorded: Recorded): void {
    this.#current = recorded;
    if (this.#recorded.length < RECORDED_MAX) this.#recorded.push(recorded);
    else this.#recorded[this.#random.below(RECORDED_MAX)] = recorded;
  }

  /** Watches which datagrams count at a node. */
  attach(host: Host, { channel }: MemberNode): void {
    const listen = channel.onBody.bind(channel);
    channel.onBody = (handler) => {
      listen((boot, endpoint, body) => {
        this.#counts(endpointAt(host));
        handler(boot, endpoint, body);
      });
    };
  }

  #counts(endpoint: string): void {
    const current = this.#current;
    if (current === undefined) return;
    if (current.counted) this.violations.push(`a datagram counted twice at ${endpoint}`);
    else if (current.to !== endpoint) this.violations.push(`it was not sent to ${endpoint}`);
    current.counted = true;
  }

  /** Begins to replay. */
  begin(): void {
    this.#going = true;
    this.#next();
  }

  /** Ends. */
  end(): void {
    this.#going = false;
  }

  #next(): void {
    const { agenda } = this.#world;
    agenda.at(agenda.nowMs + this.#random.fraction() * 2 * EVERY_MS, () => {
      if (!this.#going) return;
      this.#replay();
      this.#next();
    });
  }

  #replay(): void {
    const recorded = this.#recorded[this.#random.below(this.#recorded.length)];
    const hosts = [...this.#world.hosts.values()];
    const host = hosts[this.#random.below(hosts.length)];
    if (recorded === undefined || host === undefined) return;
    this.sent++;
    this.#replaying = true;
    this.#current = recorded;
    this.#world.network.deliver(recorded.from, endpointAt(host), recorded.bytes);
    this.#replaying = false;
    this.#current = undefined;
  }
}

function endpointAt({ address }: Host): string {
  return `${address}:${GOSSIP_PORT}`;
}
