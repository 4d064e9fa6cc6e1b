/** What a running server holds, and what it takes by the kernel's account and by its own. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../driver/connection.js';
import type { System } from '../driver/messages.js';
import type { Server } from '../servers.js';
import type { Reading } from './perItem.js';

/** Time for a server to end what it does in the background, such as collecting garbage. */
const SETTLE_MS = 300;

/** The resident set in the text of a `/proc/PID/status`, in bytes. */
export function residentBytesIn(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error("not a process's status");
  return Number(kib) * 1024;
}

/** The resident set of process `pid`, in bytes; throws when it does not exist. */
export function residentBytesOf(pid: number): number {
  return residentBytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** What a server says of itself. */
export type Account = Omit<Reading, 'residentBytes'>;

/** As much of `/v1/stats` as the bench needs. */
export interface NodeStats {
  readonly items: { readonly count: number; readonly bytes: number };
  readonly memory: {
    readonly storeBytes: number;
    readonly usedBytes: number;
    readonly deadBytes: number;
  };
  readonly segments: {
    readonly total: number;
    readonly free: number;
    readonly bytes: number;
  };
}

/** The statistics of the node on `port`. */
export async function nodeStatsOf(port: number): Promise<NodeStats> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/stats`);
  if (!answer.ok) throw new Error(`/v1/stats answered ${answer.status}`);
  return (await answer.json()) as NodeStats;
}

/** All of the memory that is not in free segments: table, ghost and everything fixed included. */
export function nodeAccount({ items, memory, segments }: NodeStats): Account {
  const accountedBytes = memory.storeBytes - segments.free * segments.bytes;
  return { items: items.count, accountedBytes };
}

function numberIn(text: string, name: string): number {
  const found = new RegExp(`^(?:STAT )?${name}[: ](\\d+)\r?$`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`the server does not tell its ${name}`);
  return Number(found);
}

/** What Redis' `INFO memory` and `DBSIZE` say; less what it uses when it is empty. */
export function redisAccount(info: string, size: string): Account {
  const items = /:(\d+)\r\n$/.exec(size)?.[1];
  if (items === undefined) throw new Error('the server does not tell its size');
  const accountedBytes = numberIn(info, 'used_memory') - numberIn(info, 'used_memory_startup');
  return { items: Number(items), accountedBytes };
}

/** What memcached's `stats` and `stats slabs` say: chunks that hold items, and the hash table. */
export function memcachedAccount(stats: string, slabs: string): Account {
  const chunks = [...slabs.matchAll(/^STAT (\d+):chunk_size (\d+)\r$/gm)];
  const chunkBytes = chunks.reduce(
    (sum, [, slab, size]) => sum + Number(size) * numberIn(slabs, `${slab}:used_chunks`),
    0,
  );
  const accountedBytes = chunkBytes + numberIn(stats, 'hash_bytes');
  return { items: numberIn(stats, 'curr_items'), accountedBytes };
}

type IsWhole = (got: string) => boolean;

async function ask(port: number, request: string, isWhole: IsWhole): Promise<string> {
  const connection = await Connection.open(port);
  try {
    const bytes = Buffer.from(request);
    const answer = await connection.exchange(bytes, (got) => isWhole(got.toString('latin1')));
    return answer.toString('latin1');
  } finally {
    connection.close();
  }
}

const isWholeNumber: IsWhole = (got) => /^:\d+\r\n$/.test(got);
const isWholeStats: IsWhole = (got) => got.endsWith('END\r\n');

/** A string of RESP says its length before it begins. */
function isWholeText(got: string): boolean {
  const head = /^\$(\d+)\r\n/.exec(got);
  return head !== null && got.length === head[0].length + Number(head[1]) + 2;
}

async function accountOf(system: System, port: number): Promise<Account> {
  if (system === 'orlop') return nodeAccount(await nodeStatsOf(port));
  if (system === 'redis') {
    const info = await ask(port, '*2\r\n$4\r\nINFO\r\n$6\r\nmemory\r\n', isWholeText);
    return redisAccount(info, await ask(port, '*1\r\n$6\r\nDBSIZE\r\n', isWholeNumber));
  }
  const stats = await ask(port, 'stats\r\n', isWholeStats);
  return memcachedAccount(stats, await ask(port, 'stats slabs\r\n', isWholeStats));
}

/** Reads a server once it has come to rest. */
export async function readingOf({ system, port, pid }: Server): Promise<Reading> {
  await sleep(SETTLE_MS);
  const account = await accountOf(system, port);
  return { ...account, residentBytes: residentBytesOf(pid) };
}
