/**
 * What `GET /cache/cluster/status` says: the whole cluster as one node sees it, and what about it
 * is not as it should be. A pure function of what is known.
 */
import type { Configuration, Member } from '../ring/configuration.js';
import { memberOf, membersOf } from '../ring/configuration.js';
import { loadsOf, type Placement } from '../ring/placement.js';
import type { NodeFigures } from './figures.js';
import type { SplittingDocument } from './splitting.js';

/** A node as gossip sees it. */
export interface Sight {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly state: 'alive' | 'suspect' | 'dead' | 'left';
  /** For how long it has been in that state, in milliseconds. */
  readonly forMs: number;
}

/** What the status is made from. */
export interface StatusSources {
  readonly cluster: string;
  readonly sights: readonly Sight[];
  readonly configuration: Configuration | undefined;
  readonly placement: Placement | undefined;
  /** By the ids of those that answered. */
  readonly figures: ReadonlyMap<string, NodeFigures>;
  /** How much of what has to move has arrived, 0 to 1; nothing while nothing moves. */
  readonly moved: number | undefined;
  /** What is known of the ranges, where there are some. */
  readonly ranges?: SplittingDocument | undefined;
  /** For how long the oldest change has waited for a peer that is connected, in milliseconds. */
  readonly lagMs: number;
  /** How far above its share a node may be, in percent. */
  readonly thresholdPercent: number;
}

/** One node of the status. */
export interface StatusNode {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** As gossip has it, or `unknown` for a member that was never met. */
  readonly status: string;
  /** `owner`, `standby` (weight 0), `joining`, or `leaving`. */
  readonly role: string;
  /** Bytes in use; nothing when the node does not answer. */
  readonly memory_usage: number | null;
  readonly keys: number | null;
  /** Seconds. */
  readonly uptime: number | null;
}

/** The whole document. */
export interface StatusDocument {
  readonly cluster_name: string;
  readonly nodes: readonly StatusNode[];
  readonly partitioning: {
    readonly algorithm: string;
    /** Percent of all copies of all partitions, by the id of the node that owns them. */
    readonly distribution: Readonly<Record<string, number>>;
    /** Where keys are divided into ranges. */
    readonly splitting?: SplittingDocument;
  };
  readonly replication: {
    readonly factor: number;
    /** Who takes changes and answers reads: see docs/cluster.md. */
    readonly strategy: string;
    readonly consistency: string;
    readonly sync_status: string;
  };
  readonly health: { readonly overall: string; readonly issues: readonly string[] };
}

/** Changes that wait for longer than this are worth a word. */
const LAG_MS = 5_000;
const PRESENT = ['alive', 'suspect'];

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((10_000 * part) / whole) / 100;
}

function roleOf(id: string, configuration: Configuration | undefined): string {
  const { layout, leaving } = configuration ?? {};
  const member = layout && memberOf(layout, id);
  if (member !== undefined) return member.weight > 0 ? 'owner' : 'standby';
  return leaving !== undefined && memberOf(leaving, id) !== undefined ? 'leaving' : 'joining';
}

function nodesOf({ sights, configuration, figures }: StatusSources): StatusNode[] {
  const known = new Map<string, Pick<Member, 'host' | 'port'>>(
    [...membersOf(configuration), ...sights].map(({ id, host, port }) => [id, { host, port }]),
  );
  const states = new Map(sights.map(({ id, state }) => [id, state]));
  return [...known].map(([id, { host, port }]) => {
    const own = figures.get(id);
    return {
      ...{ id, host, port },
      status: states.get(id) ?? 'unknown',
      role: roleOf(id, configuration),
      memory_usage: own?.memoryBytes ?? null,
      keys: own?.keys ?? null,
      uptime: own === undefined ? null : Math.round(own.uptimeMs / 1000),
    };
  });
}

/** Percent of all copies by the id of who owns them. */
export function distributionOf(placement: Placement): Record<string, number> {
  const loads = loadsOf(placement);
  const entries = placement.members.map(({ id }, at) => {
    return [id, percent(loads[at] ?? 0, placement.owners.length)] as const;
  });
  return Object.fromEntries(entries);
}

/** How many partitions have no owner that can be reached, and how many only some. */
function partitionsLacking(
  { owners, copies, partitions, members }: Placement,
  isPresent: (id: string) => boolean,
): { none: number; some: number } {
  const present = members.map(({ id }) => isPresent(id));
  let [none, some] = [0, 0];
  for (let at = 0; at < partitions * copies; at += copies) {
    let alive = 0;
    for (let copy = at; copy < at + copies; copy++) if (present[owners[copy] ?? 0]) alive++;
    if (alive === 0) none++;
    else if (alive < copies) some++;
  }
  return { none, some };
}

function unbalanced({ placement, thresholdPercent }: StatusSources): string[] {
  if (placement === undefined) return [];
  const { members } = placement;
  const loads = loadsOf(placement);
  const weights = members.reduce((sum, { weight }) => sum + weight, 0);
  return members.flatMap(({ id, weight }, at) => {
    const fair = (placement.owners.length * weight) / weights;
    const above = fair === 0 ? 0 : percent((loads[at] ?? 0) - fair, fair);
    return above > thresholdPercent ? [`${id} owns ${above} % more than its share`] : [];
  });
}

/** What there is to say about the members and their partitions. */
interface Condition {
  readonly away: readonly string[];
  readonly none: number;
  readonly some: number;
  readonly hasMajority: boolean;
}

function conditionOf(placement: Placement, sights: readonly Sight[]): Condition {
  const present = new Set(
    sights.filter(({ state }) => PRESENT.includes(state)).map(({ id }) => id),
  );
  const ids = placement.members.map(({ id }) => id);
  const away = ids.filter((id) => !present.has(id));
  const hasMajority = 2 * away.length < ids.length;
  return { away, hasMajority, ...partitionsLacking(placement, (id) => present.has(id)) };
}

function absence(id: string, sights: readonly Sight[]): string {
  const sight = sights.find((one) => one.id === id);
  if (sight === undefined) return `${id} has not been met`;
  return `${id} is ${sight.state} since ${Math.round(sight.forMs / 1000)} s`;
}

function issuesOf(sources: StatusSources, condition: Condition | undefined): string[] {
  if (condition === undefined) return ['this node has not found its cluster yet'];
  const { away, none, some, hasMajority } = condition;
  const { moved, sights, configuration } = sources;
  const passedOver = configuration?.layout.members.filter((member) => member.passedOver) ?? [];
  const returning = passedOver.filter(({ id }) => !away.includes(id));
  return [
    ...away.map((id) => absence(id, sights)),
    ...returning.map(({ id }) => `${id} is passed over until it has what its successors have`),
    ...(none > 0 ? [`${none} partitions have no owner that can be reached`] : []),
    ...(some > 0 ? [`${some} partitions lack an owner that can be reached`] : []),
    ...(hasMajority
      ? []
      : ['no majority of the members can be reached: nothing about the cluster can be changed']),
    ...(moved === undefined ? [] : [`partitions move: ${Math.floor(100 * moved)} % have arrived`]),
    ...unbalanced(sources),
  ];
}

function overallOf(condition: Condition | undefined, moves: boolean, issues: number): string {
  if (condition === undefined || condition.none > 0) return 'unavailable';
  if (issues === 0) return 'healthy';
  return moves && issues === 1 ? 'rebalancing' : 'degraded';
}

function syncOf(condition: Condition | undefined, moves: boolean, lagMs: number): string {
  if (condition === undefined) return 'unknown';
  if (moves) return 'moving';
  if (condition.none + condition.some > 0) return 'degraded';
  return lagMs > LAG_MS ? 'lagging' : 'in_sync';
}

/** The status of the cluster. */
export function statusDocument(sources: StatusSources): StatusDocument {
  const { configuration, placement, cluster, sights } = sources;
  const condition = placement && conditionOf(placement, sights);
  const issues = issuesOf(sources, condition);
  const moves = sources.moved !== undefined;
  const hashed = (configuration?.partitioner ?? 'hash') === 'hash';
  return {
    cluster_name: cluster,
    nodes: nodesOf(sources).sort((a, b) => (a.id < b.id ? -1 : 1)),
    partitioning: {
      algorithm: hashed ? 'consistent-hashing' : 'range',
      distribution: placement === undefined ? {} : distributionOf(placement),
      ...(sources.ranges && { splitting: sources.ranges }),
    },
    replication: {
      factor: configuration?.layout.replicas ?? 0,
      strategy: configuration?.strategy ?? 'multi-master',
      consistency: 'one',
      sync_status: syncOf(condition, moves, sources.lagMs),
    },
    health: { overall: overallOf(condition, moves, issues.length), issues },
  };
}
