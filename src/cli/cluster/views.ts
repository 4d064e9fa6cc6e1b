/** What `orlop cluster` shows. */

import { formatDuration } from '../../base/durations.js';
import { InputError } from '../../base/errors.js';
import { formatSize } from '../../base/sizes.js';
import { SLOTS } from '../../base/slot.js';
import { sleep, systemTimers } from '../../base/timers.js';
import type { AccessFlags } from '../access.js';
import { askHttp } from '../askHttp.js';
import { type Session, say } from '../context.js';
import { jsonText } from '../shownValue.js';
import { columns } from '../table.js';
import { barOf } from './bar.js';

interface SeenNode {
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  readonly weight: number;
  readonly sinceMs: number;
  readonly version: string;
}

/** The members as a node sees them. */
export interface Seen {
  readonly self: string;
  readonly nodes: readonly SeenNode[];
}

interface Status {
  readonly cluster_name: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly host: string;
    readonly port: number;
    readonly status: string;
    readonly role: string;
    readonly memory_usage: number | null;
    readonly keys: number | null;
    readonly uptime: number | null;
  }[];
  readonly partitioning: {
    readonly algorithm: string;
    readonly distribution: Readonly<Record<string, number>>;
    readonly splitting?: {
      readonly ranges: number;
      readonly largest_bytes: number;
      readonly hottest_requests_per_second: number;
    };
  };
  readonly replication: {
    readonly factor: number;
    readonly strategy: string;
    readonly sync_status: string;
  };
  readonly health: { readonly overall: string; readonly issues: readonly string[] };
}

interface Partitioning {
  readonly number: number;
  readonly partitions: number;
  readonly copies: number;
  readonly distribution: Readonly<Record<string, number>>;
  readonly owners: readonly { from: number; to: number; owners: readonly string[] }[];
  readonly moves?: {
    readonly total: number;
    readonly done: number;
    readonly stuck: number;
    readonly bytes: number;
  };
}

/** How often `watch` looks, in milliseconds. */
const WATCH_MS = 1_000;
const CLEAR = '\u001b[2J\u001b[H';

async function ask<T>(path: string, flags: AccessFlags, session: Session): Promise<T> {
  return (await askHttp(path, flags, session)) as unknown as T;
}

/** The members as the node sees them. */
export function nodesSeen(flags: AccessFlags, session: Session): Promise<Seen> {
  return ask<Seen>('/cache/cluster/nodes', flags, session);
}

const shown = <T>(value: T | null, show: (value: T) => string): string =>
  value === null ? '-' : show(value);

function summaryOf({ partitioning, replication }: Status): string {
  const { factor, strategy, sync_status: sync } = replication;
  return `${partitioning.algorithm}, ${strategy}, ${factor} copies, ${sync}`;
}

function rangesText({ splitting }: Status['partitioning']): string[] {
  if (splitting === undefined) return [];
  const { ranges, largest_bytes: bytes, hottest_requests_per_second: requests } = splitting;
  return [`${ranges} ranges, the largest ${formatSize(bytes)}, the hottest ${requests} requests/s`];
}

function statusText(status: Status): string {
  const { nodes, partitioning, health } = status;
  const rows = nodes.map((node) => [
    node.id,
    `${node.host}:${node.port}`,
    node.status,
    node.role,
    `${partitioning.distribution[node.id] ?? 0} %`,
    shown(node.keys, String),
    shown(node.memory_usage, formatSize),
    shown(node.uptime, (seconds) => formatDuration(seconds * 1000)),
  ]);
  const head = ['node', 'address', 'status', 'role', 'share', 'keys', 'memory', 'uptime'];
  return [
    `cluster ${status.cluster_name}: ${health.overall}`,
    summaryOf(status),
    ...rangesText(partitioning),
    '',
    columns([head, ...rows]),
    ...health.issues.map((issue) => `! ${issue}`),
  ].join('\n');
}

/** `orlop cluster status` */
export async function showStatus(flags: AccessFlags, session: Session): Promise<void> {
  const status = await ask<Status>('/cache/cluster/status', flags, session);
  say(session, flags.json ? jsonText(status) : statusText(status));
}

/** `orlop cluster nodes` */
export async function showNodes(flags: AccessFlags, session: Session): Promise<void> {
  const seen = await nodesSeen(flags, session);
  if (flags.json) {
    say(session, jsonText(seen));
    return;
  }
  const rows = seen.nodes.map((node) => [
    node.id === seen.self ? `${node.id} *` : node.id,
    `${node.host}:${node.port}`,
    node.state,
    node.zone || '-',
    String(node.weight),
    formatDuration(node.sinceMs),
    node.version,
  ]);
  say(
    session,
    columns([['node', 'address', 'state', 'zone', 'weight', 'since', 'version'], ...rows]),
  );
}

/** `orlop cluster slots` */
export async function showSlots(
  slot: string | undefined,
  flags: AccessFlags,
  session: Session,
): Promise<void> {
  const document = await ask<Partitioning>('/cache/partitioning', flags, session);
  if (slot !== undefined) {
    const owners = ownersIn(document, slot);
    say(session, flags.json ? jsonText({ slot: Number(slot), owners }) : owners.join(' '));
    return;
  }
  if (flags.json) {
    say(session, jsonText(document));
    return;
  }
  const { distribution, partitions, copies } = document;
  const rows = Object.entries(distribution).map(([id, percent]) => {
    const owned = Math.round((percent / 100) * partitions * copies);
    return [id, String(owned), `${percent} %`];
  });
  say(session, columns([['node', 'owned', 'share'], ...rows]));
}

function ownersIn({ owners, partitions }: Partitioning, slot: string): readonly string[] {
  const number = /^\d{1,5}$/.test(slot) ? Number(slot) : SLOTS;
  if (number >= partitions) throw new InputError(`"${slot}" is not 0 to ${partitions - 1}`);
  return owners.find(({ from, to }) => from <= number && number <= to)?.owners ?? [];
}

/** `orlop cluster watch`; ends with the process. */
export async function watchStatus(flags: AccessFlags, session: Session): Promise<void> {
  const clear = session.stdout.isTTY === true ? CLEAR : '';
  for (;;) {
    const status = await ask<Status>('/cache/cluster/status', flags, session);
    if (flags.json) say(session, jsonText(status));
    else {
      const { moves } = await ask<Partitioning>('/cache/partitioning', flags, session);
      const bar = moves === undefined ? '' : `\n${barOf(moves.done, moves.total, moves.bytes)}`;
      say(session, `${clear}${statusText(status)}${bar}`);
    }
    await sleep(systemTimers, WATCH_MS);
  }
}
