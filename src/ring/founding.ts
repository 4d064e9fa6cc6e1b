/**
 * What a cluster begins with, and who begins it. Nodes that are started with the same list found
 * one cluster, whatever the order in which they come up: the founding is agreed on by more than
 * half of the list, so two of them can't happen.
 */
import {
  type Configuration,
  flawOf,
  type KeyRange,
  type Member,
  NO_DIGEST,
  type Partitioner,
  type Strategy,
} from './configuration.js';
import { digestOf } from './murmur.js';

/** What is chosen once, when a cluster is created. */
export interface Terms {
  readonly name: string;
  readonly strategy: Strategy;
  readonly partitioner: Partitioner;
  readonly replicas: number;
}

/** A founding as one node sees it. */
export interface Founding {
  /** The addresses of all who may found: `@host:port`, each once, in order. */
  readonly list: readonly string[];
  /** The digest of the list: only those who have the same one found together. */
  readonly group: string;
  /** Which of them is this node; a node that is none of them founds nothing, and joins. */
  readonly self: string | undefined;
  /** What the cluster is to be called, should this node's proposal be the one: 16 hex digits. */
  readonly cluster: string;
  readonly terms: Terms;
}

/**
 * The founding by the addresses of a list; `cluster` is drawn at random. Terms belong to the group:
 * nodes that were told different ones are not started together.
 */
export function foundingOf(
  addresses: readonly string[],
  self: string | undefined,
  cluster: string,
  terms: Terms,
): Founding {
  const list = [...new Set(addresses)].sort();
  const text = JSON.stringify([list, terms.name, terms.strategy, terms.partitioner]);
  const group = digestOf(new TextEncoder().encode(text));
  return { list, group, self, cluster, terms };
}

/** The only range there is at first. */
const WHOLE: KeyRange = { id: 0, from: new Uint8Array(0) };

/**
 * The first configuration, of those who promised; who has the name of another one joins later.
 * Nothing when they can't found anything, for example because all of them stand by.
 */
export function foundedBy(
  founding: Founding,
  promisers: readonly Member[],
): Configuration | undefined {
  const { cluster, terms } = founding;
  const { name, strategy, partitioner, replicas } = terms;
  const byId = new Map(promisers.map((member) => [member.id, member]));
  const members = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const ranges = partitioner === 'range' ? [WHOLE] : [];
  const head = { cluster, name, number: 1, previous: NO_DIGEST, epoch: 1, strategy, partitioner };
  const first = { ...head, layout: { members, replicas, ranges } };
  return flawOf(first) === undefined ? first : undefined;
}
