/**
 * What operators see of the cluster and do to it over HTTP, whichever node they ask:
 *
 *   GET    /cache/cluster/status       the whole cluster, and what is wrong with it
 *   GET    /cache/cluster/nodes        the members as this node sees them
 *   POST   /cache/cluster/nodes        take a node in, weigh one, or put one in another's place
 *   DELETE /cache/cluster/nodes/{id}   have a node leave, or forget one that is away
 *   POST   /cache/cluster/rebalance    give nodes the shares that they were started with, or a pace
 *   GET    /cache/partitioning         who owns what
 *   POST   /cache/partitioning         divide a range
 *   GET    /cache/replication          how it is copied
 *
 * A change is a step of the configuration, and is answered when that is agreed on.
 */
import type { Clock } from '../base/clock.js';
import type { Timers } from '../base/timers.js';
import { isPresent } from '../gossip/member.js';
import type { ClusterRequest } from '../net/http/cluster.js';
import type { Report } from '../net/http/door.js';
import type { Progress } from '../rebalance/hauls.js';
import type { Change } from '../ring/change.js';
import { MAX_SPLIT_BYTES, MAX_WEIGHT, type Member, memberOf } from '../ring/configuration.js';
import { type Decision, Decisions } from './decisions.js';
import { figuresOf, type NodeFigures } from './figures.js';
import type { ClusterNode } from './node.js';
import { nodesDocument } from './nodes.js';
import { partitioningDocument, type ReplicaSource, replicationDocument } from './ownership.js';
import { Pace, paceIn } from './pace.js';
import { jsonReport } from './reports.js';
import { statusDocument } from './status.js';

/** What a node's administration works with. */
export interface AdminParts {
  readonly node: ClusterNode;
  readonly figures: () => NodeFigures;
  /** How changes get to other nodes. */
  readonly peers: ReplicaSource | undefined;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly thresholdPercent: number;
}

function refusal(status: number, error: string, message: string): Report {
  return jsonReport(status, { error, message });
}

const NO_CLUSTER = refusal(503, 'UNAVAILABLE', 'this node has not found its cluster yet');

function reportOf(decision: Decision): Report {
  if (decision.kind === 'refused') return refusal(409, 'REFUSED', decision.why);
  if (decision.kind === 'agreed') {
    const { number, leaving } = decision.configuration;
    return jsonReport(200, { number, moving: leaving !== undefined });
  }
  const message = 'a majority of the members has not agreed yet; it goes on being tried';
  return jsonReport(202, { message });
}

/** What the body of a request to change something may say. */
interface Order {
  readonly address?: unknown;
  readonly id?: unknown;
  readonly weight?: unknown;
  readonly replaces?: unknown;
}

/** A node's administration; see the top of this file. */
export class ClusterAdmin {
  readonly #parts: AdminParts;
  readonly #decisions: Decisions;
  readonly #pace: Pace;

  constructor(parts: AdminParts) {
    this.#parts = parts;
    const { node, timers } = parts;
    const wish = (change: Change): void => node.council.wish(change);
    this.#pace = new Pace(node, parts.thresholdPercent);
    this.#decisions = new Decisions({ view: node.view, timers, wish });
    node.calls.serve('figures', () => parts.figures());
  }

  /** Answers a request. */
  async handle({ method, about, node, body }: ClusterRequest): Promise<Report> {
    if (method === 'DELETE') return this.#remove(node ?? '');
    if (method === 'POST') {
      if (about === 'rebalance') return this.#rebalance(body);
      if (about === 'partitioning') return this.#split(body);
      return this.#order((body ?? {}) as Order);
    }
    if (about === 'nodes') return jsonReport(200, nodesDocument(this.#parts.node));
    if (about === 'status') return jsonReport(200, await this.#status());
    const { mover, splitting, view } = this.#parts.node;
    const reports = about === 'partitioning' ? await splitting.reports() : undefined;
    const { configuration, placement } = view;
    if (configuration === undefined || placement === undefined) return NO_CLUSTER;
    if (about === 'replication') {
      const { clock, peers } = this.#parts;
      const nowMs = clock.monotonicMs();
      return jsonReport(200, replicationDocument({ configuration, placement, peers, nowMs }));
    }
    const [moves, pace] = [mover.overall(), this.#pace.document];
    const document = partitioningDocument(configuration, placement, reports);
    const split = reports && { splitting: splitting.documentOf(reports) };
    return jsonReport(200, { ...document, ...split, moves, pace });
  }

  async #status(): Promise<object> {
    const { node, figures, clock } = this.#parts;
    const { thresholdPercent } = this.#pace;
    const { gossip, view, calls } = node;
    const nowMs = clock.monotonicMs();
    const members = gossip.members();
    const others = members.filter((member) => isPresent(member) && member.id !== view.self);
    const found = await figuresOf(
      calls,
      others.map(({ id }) => id),
    );
    found.set(view.self, figures());
    const reports = await node.splitting.reports();
    return statusDocument({
      cluster: node.cluster,
      sights: members.map((member) => ({ ...member, forMs: nowMs - member.sinceMs })),
      configuration: view.configuration,
      placement: view.placement,
      figures: found,
      moved: movedOf(node.mover.overall()),
      ranges: reports && node.splitting.documentOf(reports),
      ...{ thresholdPercent, lagMs: lagOf(this.#parts.peers) },
    });
  }

  async #decide(change: Change): Promise<Report> {
    return reportOf(await this.#decisions.decide(change));
  }

  #order({ address, id, weight, replaces }: Order): Promise<Report> | Report {
    if (typeof address === 'string') return this.#invite(address);
    if (typeof id !== 'string') return badOrder();
    if (typeof replaces === 'string') return this.#replace(replaces, id);
    if (!Number.isInteger(weight) || Number(weight) < 0 || Number(weight) > MAX_WEIGHT) {
      return badOrder();
    }
    return this.#decide({ kind: 'weigh', id, weight: Number(weight) });
  }

  /** Tells the node at an address to join; it gives up its own cluster of one for that. */
  async #invite(address: string): Promise<Report> {
    const { node } = this.#parts;
    const answer = await node.invitations.send(address);
    if (answer === undefined) return refusal(504, 'TIMEOUT', `nobody answers at ${address}`);
    if (answer !== '') return refusal(409, 'REFUSED', answer);
    return jsonReport(202, { message: `the node at ${address} joins` });
  }

  #replace(id: string, by: string): Promise<Report> | Report {
    const { view } = this.#parts.node;
    const { layout } = view.configuration ?? {};
    const lost = layout && memberOf(layout, id);
    const spare = layout && memberOf(layout, by);
    if (lost === undefined) return refusal(404, 'NOT_FOUND', `${id} is no member`);
    if (spare === undefined) return refusal(404, 'NOT_FOUND', `${by} is no member`);
    if (spare.weight > 0) return refusal(409, 'REFUSED', `${by} has a share of its own`);
    const member: Member = { ...spare, weight: lost.weight };
    return this.#decide({ kind: 'replace', id, member });
  }

  async #remove(id: string): Promise<Report> {
    const { node } = this.#parts;
    const { layout } = node.view.configuration ?? {};
    if (layout === undefined) return NO_CLUSTER;
    if (memberOf(layout, id) === undefined) return refusal(404, 'NOT_FOUND', `${id} is no member`);
    if (!node.view.isAlive(id)) return this.#decide({ kind: 'remove', id });
    if (layout.members.length === 1) {
      return refusal(409, 'REFUSED', 'the last member can only be stopped');
    }
    if (id === node.view.self) node.departure.begin();
    else if ((await node.calls.ask(id, 'leave', null)) !== true)
      return refusal(504, 'TIMEOUT', `${id} does not answer`);
    return jsonReport(202, { message: `${id} leaves when others have its data` });
  }

  /** The range that has a key ends there, and a new one begins. */
  #split(body: unknown): Promise<Report> | Report {
    const { split } = (body ?? {}) as { split?: unknown };
    if (typeof split !== 'string' || split === '') {
      return refusal(400, 'BAD_REQUEST', 'say {"split": "the key that a new range begins with"}');
    }
    const from = new TextEncoder().encode(split);
    if (from.length <= MAX_SPLIT_BYTES) return this.#decide({ kind: 'split', from });
    return refusal(400, 'BAD_REQUEST', `a split point has at most ${MAX_SPLIT_BYTES} bytes`);
  }

  /** Members get the weights that they were started with, or move at another pace. */
  async #rebalance(body: unknown): Promise<Report> {
    const order = paceIn(body);
    if (order !== undefined) {
      const unheard = await this.#pace.change(order);
      return jsonReport(200, { ...this.#pace.document, unheard });
    }
    if (body !== undefined && Object.keys(body as object).length > 0) {
      const message = 'say {"rate": bytes a second, "threshold": percent}, or nothing';
      return refusal(400, 'BAD_REQUEST', message);
    }
    const { node } = this.#parts;
    const { layout } = node.view.configuration ?? {};
    if (layout === undefined) return NO_CLUSTER;
    const wanted = node.gossip.members().filter(isPresent);
    const changes = wanted.flatMap(({ id, weight }): Change[] => {
      const member = memberOf(layout, id);
      return member === undefined || member.weight === weight
        ? []
        : [{ kind: 'weigh', id, weight }];
    });
    let last: Report = jsonReport(200, { number: node.view.configuration?.number, changes: 0 });
    for (const change of changes) last = await this.#decide(change);
    return last;
  }
}

function lagOf(peers: ReplicaSource | undefined): number {
  const there = (peers?.lags() ?? []).filter(({ connected }) => connected);
  return Math.max(0, ...there.map(({ ageMs }) => ageMs));
}

/** The share of the moves that have arrived. */
function movedOf(progress: Progress | undefined): number | undefined {
  return progress && (progress.total === 0 ? 1 : progress.done / progress.total);
}

function badOrder(): Report {
  return refusal(
    400,
    'BAD_REQUEST',
    'say {"address": "HOST:GOSSIP_PORT"}, {"id", "weight"} or {"id", "replaces"}',
  );
}
