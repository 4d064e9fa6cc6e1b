import { type Random, seededRandom } from '../../src/base/random.js';
import { Agenda } from './agenda.js';
import { Host } from './host.js';
import { Network } from './network.js';
import { Trace } from './trace.js';

/** Hosts and the network between them, all from one seed. */
export class World {
  readonly agenda = new Agenda();
  readonly trace = new Trace();
  readonly network: Network;
  readonly random: Random;
  readonly hosts = new Map<string, Host>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = seededRandom(seed);
    this.network = new Network(this.agenda, seededRandom(seed ^ 0x27d4eb2f), this.trace);
  }

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.agenda.nowMs;
  }

  /** A new host, called `n1`, `n2` and so on unless it is given a name. */
  addHost(id = `n${this.hosts.size + 1}`): Host {
    const number = this.hosts.size + 1;
    const seed = Math.imul(this.#seed ^ number, 0x2c1b3c6d) ^ Math.imul(number, 0x297a2d39);
    const { agenda, network } = this;
    const host = new Host({ id, number, agenda, network, seed });
    this.hosts.set(id, host);
    return host;
  }

  /** The host of that name; throws when there is none. */
  host(id: string): Host {
    const host = this.hosts.get(id);
    if (host === undefined) throw new RangeError(`there is no host ${id}`);
    return host;
  }

  /** Lets so much virtual time pass. */
  run(forMs: number): void {
    this.agenda.run(this.agenda.nowMs + forMs);
  }
}
