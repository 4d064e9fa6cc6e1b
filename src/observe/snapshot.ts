import { type ArenaStats, sumStats } from '../arena/stats.js';
import type { Store } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import type { Fsync } from '../config/config.js';
import type { ChannelFigures } from '../gossip/channel.js';
import type { Gossip } from '../gossip/gossip.js';
import { LOG_FIGURES, type LogFigure, type Signals } from '../log/signals.js';
import { type Board, FIGURE, FIGURES, type Figure } from '../net/board.js';
import type { PeerLag } from '../net/peers/peerLag.js';
import type { PurgeFigures } from '../net/peers/purger.js';
import type { RepairFigures } from '../net/peers/repairs.js';
import type { Mover } from '../rebalance/mover.js';
import type { Reach } from '../replication/reach.js';
import type { ClusterView } from '../ring/view.js';

/** What does not change while a node runs. */
export interface NodeFacts {
  readonly version: string;
  readonly listener: string;
  /** I/O threads; with 0 the main thread serves. */
  readonly threads: number;
  readonly policy: string;
  readonly memoryBytes: number;
  readonly maxValueBytes: number;
  readonly startedMs: number;
}

/** What reports are made from. */
export interface Sources {
  readonly store: Store;
  readonly board: Board;
  readonly facts: NodeFacts;
  readonly clock: Clock;
  /** The log that the store is written to, if there is one. */
  readonly log: LogSource | undefined;
  /** The membership of the node, while it gossips. */
  readonly cluster?: ClusterSource | undefined;
  /** How this node's clock stands, where there may be other nodes. */
  readonly clocks?: Pick<Reach, 'skewMs' | 'isOff' | 'refused' | 'isLacking'> | undefined;
  /** How changes get to other nodes, where there may be some. */
  readonly peers?: PeersSource | undefined;
}

/** The figures of replication. */
export interface PeersSource {
  lags(): readonly PeerLag[];
  readonly repairs: { readonly figures: RepairFigures };
  readonly purger: { readonly figures: PurgeFigures };
}

/** The figures of membership. */
export interface ClusterSource {
  readonly gossip: Pick<Gossip, 'members' | 'figures' | 'healthScore'>;
  readonly channel: { readonly figures: ChannelFigures };
  readonly view: Pick<ClusterView, 'configuration'>;
  readonly mover: Pick<Mover, 'report' | 'moved'>;
  /** What this node, as the steward, has divided. */
  readonly splitting: { readonly figures: { readonly size: number; readonly heat: number } };
}

/** The figures of a log. */
export interface LogSource {
  readonly signals: Signals;
  readonly fsync: Fsync;
  /** Said when there is a tier. */
  readonly tier?: object | undefined;
}

/** Everything a report can say, at about one moment. */
export interface Snapshot {
  /** All arenas together. */
  readonly store: ArenaStats;
  readonly arenas: readonly ArenaStats[];
  readonly connections: number;
  readonly uptimeMs: number;
  /** Sums over all threads; delays of event loops are not sums, see the tallies. */
  readonly sums: Readonly<Record<Figure, number>>;
  readonly log: LogSnapshot | undefined;
  /** Whether values are read from the log that memory evicted. */
  readonly tiered: boolean;
}

/** What a log says of itself. */
export interface LogSnapshot {
  readonly fsync: Fsync;
  /** `running`, `full`, `failed` or `closed`. */
  readonly state: string;
  readonly figures: Readonly<Record<LogFigure, number>>;
}

/** The states of a log by their numbers. */
export const LOG_STATES = ['running', 'full', 'failed', 'closed'] as const;

function snapshotOf({ signals, fsync }: LogSource): LogSnapshot {
  const figures = LOG_FIGURES.map((name) => [name, signals.figure(name)] as const);
  return {
    fsync,
    state: LOG_STATES[signals.state],
    figures: Object.fromEntries(figures) as Record<LogFigure, number>,
  };
}

function sumOf(board: Board, figure: Figure): number {
  let sum = 0;
  for (let lane = 0; lane < board.lanes; lane++) sum += board.tally(lane)[FIGURE[figure]] ?? 0;
  return sum;
}

/** Reads everything once. */
export function takeSnapshot({ store, board, facts, clock, log }: Sources): Snapshot {
  const arenas = store.arenaStats();
  const sums = FIGURES.map((figure) => [figure, sumOf(board, figure)] as const);
  return {
    store: sumStats(arenas),
    arenas,
    connections: board.connections,
    uptimeMs: Math.max(0, clock.nowMs() - facts.startedMs),
    sums: Object.fromEntries(sums) as Record<Figure, number>,
    log: log && snapshotOf(log),
    tiered: log?.tier !== undefined,
  };
}
