/** Orlop and its peers on the same stream with the same memory, and what Orlop saves. */

import { verdict } from '../../goals.js';
import { table } from '../../report.js';
import { isInstalled } from '../../servers.js';
import { replayInMemory } from '../store/storeReplay.js';
import type { Stream } from '../stream.js';
import { type Budget, budgetFor, type Limits } from './budget.js';
import { type MemoryReplay, PEERS, type Peer, replayOnPeer, systemOf } from './peerReplay.js';

const ORLOP = 'orlop';

/** The part of a peer's misses that Orlop has to save in the mean. */
const GOALS: Readonly<Partial<Record<Peer, number>>> = {
  memcached: 0.15,
  'redis allkeys-lru': 0.25,
};

/** A figure of a comparison. */
export interface MemoryRow extends MemoryReplay {
  readonly trace: string;
  readonly system: typeof ORLOP | Peer;
  /** Items of each copy that the memory was chosen for. */
  readonly capacity: number;
  readonly copies: number;
  /** What each system had for its items, in bytes. */
  readonly memoryBytes: number;
}

/** The peers that can be started here. */
export function installedPeers(): Peer[] {
  return PEERS.filter((peer) => isInstalled(systemOf(peer)));
}

/** The programs that can't. */
export function absentPeers(): string[] {
  return [...new Set(PEERS.map(systemOf))].filter((system) => !isInstalled(system));
}

/** Replays a stream on Orlop and on `peers`, one after the other. */
export async function compareMemory(
  stream: Stream,
  capacity: number,
  peers: readonly Peer[],
  limits: Limits,
): Promise<MemoryRow[]> {
  const budget = budgetFor(stream, capacity, limits);
  const { copies, memoryBytes } = budget;
  const rows: MemoryRow[] = [];
  const add = (system: MemoryRow['system'], replay: MemoryReplay): void => {
    const about = { trace: stream.name, system, capacity, copies: copies.count, memoryBytes };
    rows.push({ ...about, ...replay });
  };
  add(ORLOP, await replayOrlop(stream, budget));
  for (const peer of peers) add(peer, await replayOnPeer(stream, peer, budget));
  return rows;
}

async function replayOrlop(stream: Stream, budget: Budget): Promise<MemoryReplay> {
  const { copies, memoryBytes } = budget;
  const keys = stream.keys.subarray(0, budget.requestsPerCopy);
  const replay = await replayInMemory({ ...stream, keys }, copies, memoryBytes);
  const { misses, requests, items, seconds } = replay;
  return { misses, refusals: 0, requests, items, seconds };
}

/** By which part Orlop's misses are fewer than those of `row`. */
export function savedOver(row: MemoryRow, rows: readonly MemoryRow[]): number {
  const own = rows.find(
    ({ system, trace, capacity }) =>
      system === ORLOP && trace === row.trace && capacity === row.capacity,
  );
  if (own === undefined) throw new Error(`Orlop was not replayed on ${row.trace}`);
  return 1 - own.misses / row.misses;
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

/** The rows of one comparison as a table. */
export function memoryTable(rows: readonly MemoryRow[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const { trace, capacity, copies, memoryBytes, requests } = first;
  const lines = rows.map((row) => [
    row.system,
    String(row.misses),
    (row.misses / row.requests).toFixed(4),
    String(row.items),
    (row.memoryBytes / row.items).toFixed(1),
    row.refusals === 0 ? '' : String(row.refusals),
    row.system === ORLOP ? '' : percent(savedOver(row, rows)),
  ]);
  const head = [
    'equal memory',
    'misses',
    'ratio',
    'items',
    'bytes per item',
    'refused',
    'orlop saves',
  ];
  const mib = (memoryBytes / 1024 ** 2).toFixed(1);
  const perItem = (memoryBytes / copies / capacity).toFixed(1);
  const title =
    `${trace}: ${copies} copies of ${requests / copies} requests, ${mib} MiB: ` +
    `room for ${capacity} items of ${perItem} bytes in each`;
  return `${title}\n${table(head, lines)}`;
}

/** A line for each peer: what Orlop saves in the mean over all comparisons. */
export function memoryVerdicts(rows: readonly MemoryRow[]): string[] {
  return PEERS.flatMap((peer) => {
    const own = rows.filter(({ system }) => system === peer);
    if (own.length === 0) return [];
    const mean = own.reduce((sum, row) => sum + savedOver(row, rows), 0) / own.length;
    const goal = GOALS[peer];
    const must = goal === undefined ? '' : `, ${verdict(mean >= goal, `at least ${goal * 100} %`)}`;
    return [
      `orlop under ${peer} at equal memory: ${percent(mean)} fewer misses in the mean${must}`,
    ];
  });
}
