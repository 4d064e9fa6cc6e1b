/**
 * A load on the links: nodes ask each other for echoes, of all sizes. An echo has to be what was
 * sent, and no request may reach its handler twice.
 */
import type { Random } from '../../src/base/random.js';
import type { Host } from './host.js';
import type { MemberNode } from './memberNode.js';

/** The topic of echoes. */
const TOPIC = 200;
const EVERY_MS = 150;
const TIMEOUT_MS = 2_000;
const SMALL_BYTES = 200;
const LARGE_BYTES = 20_000;
const LARGE = 0.05;

/** What all echoes of a world share. */
export class Echoes {
  /** Echoes that came back. */
  acked = 0;
  readonly violations: string[] = [];
  readonly #seen = new Set<string>();
  #count = 0;

  /** Lets a node take part. */
  attach(host: Host, { gossip, boot }: MemberNode, peers: () => readonly string[]): void {
    gossip.links.serve(TOPIC, (from, body, reply) => {
      const mark = `${Buffer.from(body.subarray(0, 8)).toString('hex')}>${boot}`;
      if (this.#seen.has(mark)) this.violations.push(`a request of ${from} was handled twice`);
      this.#seen.add(mark);
      reply(body);
    });
    host.timers.every(EVERY_MS, () => this.#ask(host, gossip, peers()));
  }

  #ask(host: Host, gossip: MemberNode['gossip'], peers: readonly string[]): void {
    const to = peers[host.random.below(peers.length)];
    if (to === undefined) return;
    const body = this.#body(host.random);
    gossip.links.request(to, TOPIC, body, TIMEOUT_MS, (answer) => {
      if (answer === undefined) return;
      if (Buffer.compare(answer, body) === 0) this.acked++;
      else this.violations.push(`an echo from ${to} is not what was sent`);
    });
  }

  #body(random: Random): Uint8Array {
    this.#count++;
    const size = random.below(random.fraction() < LARGE ? LARGE_BYTES : SMALL_BYTES);
    const body = Buffer.alloc(8 + size, this.#count & 0xff);
    body.writeUInt32LE(this.#count, 0);
    return body;
  }
}
