/**
 * Having a node join that was started alone: it is told where the cluster is, gives up its own, and
 * asks to be taken in. Whoever belongs to a cluster of several stays there.
 */
import { type Discovery, plainAddress } from '../gossip/discovery.js';
import { endpointOf } from '../gossip/member.js';
import type { Council } from '../ring/council.js';
import type { ClusterView } from '../ring/view.js';
import type { Calls } from './calls.js';

/** What invitations work with. */
export interface InvitationParts {
  readonly calls: Calls;
  readonly view: ClusterView;
  readonly council: Council;
  readonly discovery: Discovery;
  /** Where this node gossips. */
  readonly own: string;
}

const ADDRESSES_MAX = 16;

function addressesIn(question: unknown): string[] {
  const { addresses } = (question ?? {}) as { addresses?: unknown };
  if (!Array.isArray(addresses)) return [];
  return addresses.filter((one) => typeof one === 'string').slice(0, ADDRESSES_MAX);
}

/** Sends invitations, and takes them. */
export class Invitations {
  readonly #parts: InvitationParts;

  constructor(parts: InvitationParts) {
    this.#parts = parts;
    parts.calls.serve('join', (_, question) => ({ refusal: this.#invited(question) }));
  }

  /**
   * Tells the node that gossips at `address` to join: nothing when nobody answers, and otherwise
   * why it does not, which is empty when it does.
   */
  async send(address: string): Promise<string | undefined> {
    const { calls, discovery, view, own } = this.#parts;
    const plain = plainAddress(address);
    discovery.add([plain]);
    const members = view.configuration?.layout.members ?? [];
    const others = members.map(({ host, gossipPort }) => endpointOf(host, gossipPort));
    const addresses = [own, ...others].slice(0, ADDRESSES_MAX);
    const answer = await calls.ask(`@${plain}`, 'join', { addresses, cluster: this.#cluster });
    const { refusal } = (answer ?? {}) as { refusal?: unknown };
    return typeof refusal === 'string' ? refusal : undefined;
  }

  get #cluster(): string {
    return this.#parts.view.configuration?.cluster ?? '';
  }

  #invited(question: unknown): string {
    const { council, discovery, view } = this.#parts;
    const { cluster } = (question ?? {}) as { cluster?: unknown };
    const addresses = addressesIn(question);
    if (addresses.length === 0) return 'the invitation says not where to';
    if (cluster === this.#cluster && this.#cluster !== '') return '';
    if (view.configuration !== undefined && !council.isAlone) {
      return 'it belongs to a cluster of several nodes, and would have to leave that first';
    }
    discovery.add(addresses);
    council.dissolve();
    return '';
  }
}
