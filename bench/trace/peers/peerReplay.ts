/** A stream through redis-server or memcached with as much memory as Orlop has. */
import { systemClock } from '../../../src/base/clock.js';
import { Connection } from '../../driver/connection.js';
import { Server } from '../../servers.js';
import type { Stream } from '../stream.js';
import { type Budget, PAGE_BYTES } from './budget.js';
import { BATCH, Lookaside, type Share } from './lookaside.js';
import { memcachedSpeech, Requests, redisSpeech, type Speech } from './speech.js';

/** The peers, by what they evict. */
export const PEERS = ['redis allkeys-lru', 'redis allkeys-lfu', 'memcached'] as const;
/** The name of a peer. */
export type Peer = (typeof PEERS)[number];

/** What came of a replay on any system. */
export interface MemoryReplay {
  readonly misses: number;
  readonly requests: number;
  /** SETs for which there was no room. */
  readonly refusals: number;
  /** How many items were there at the end. */
  readonly items: number;
  readonly seconds: number;
}

/** Connections at most; each has some of the copies, and one does not keep a server busy. */
const CONNECTIONS_MAX = 4;
const SERVER_THREADS = 1;
/** A key that no stream has. */
const ABSENT_KEY = 999_999_999_999;

/** The server program of a peer. */
export function systemOf(peer: Peer): 'redis' | 'memcached' {
  return peer === 'memcached' ? 'memcached' : 'redis';
}

/** Replays copies of a stream on a peer that is started for it and stopped after it. */
export async function replayOnPeer(
  stream: Stream,
  peer: Peer,
  budget: Budget,
): Promise<MemoryReplay> {
  const system = systemOf(peer);
  const { pages: memoryMb, hashPower } = budget;
  const server = await Server.start(system, { threads: SERVER_THREADS, memoryMb, hashPower });
  const connections: Connection[] = [];
  try {
    const count = Math.min(CONNECTIONS_MAX, budget.copies.count);
    while (connections.length < count) connections.push(await Connection.open(server.port));
    return await replay(stream, peer, budget, connections);
  } finally {
    for (const connection of connections) connection.close();
    await server.stop();
  }
}

async function replay(
  stream: Stream,
  peer: Peer,
  budget: Budget,
  connections: readonly Connection[],
): Promise<MemoryReplay> {
  const [first] = connections;
  if (first === undefined) throw new Error('there is no connection');
  if (peer !== 'memcached') await limitRedis(connections, peer, budget.memoryBytes);
  const speech = peer === 'memcached' ? memcachedSpeech : redisSpeech;
  const workers = connections.map(
    (connection, index) =>
      new Lookaside(connection, speech, shareOf(stream, budget, index, connections.length)),
  );
  const startMs = systemClock.monotonicMs();
  await Promise.all(workers.map((worker) => worker.run()));
  const seconds = (systemClock.monotonicMs() - startMs) / 1000;
  const items = await (peer === 'memcached' ? memcachedItems(first, budget) : redisItems(first));
  const misses = workers.reduce((sum, worker) => sum + worker.misses, 0);
  const refusals = workers.reduce((sum, worker) => sum + worker.refusals, 0);
  return { misses, refusals, requests: budget.copies.requests, items, seconds };
}

function shareOf(stream: Stream, budget: Budget, index: number, of: number): Share {
  const { count, keyCount } = budget.copies;
  const firstCopy = Math.floor((count * index) / of);
  const copies = Math.floor((count * (index + 1)) / of) - firstCopy;
  const { requestsPerCopy } = budget;
  return { keys: stream.keys, keyCount, requestsPerCopy, firstCopy, copies };
}

/** Sends a command and waits for the text that ends its answer. */
async function ask(connection: Connection, command: string, isWhole: (text: string) => boolean) {
  const got = await connection.exchange(Buffer.from(`${command}\r\n`), (bytes) =>
    isWhole(bytes.toString('latin1')),
  );
  return got.toString('latin1');
}

const isLine = (text: string): boolean => text.endsWith('\r\n');

/** A bulk string is whole when what its head promises is there. */
function isBulk(text: string): boolean {
  const head = /^\$(\d+)\r\n/.exec(text);
  return head !== null && text.length >= head[0].length + Number(head[1]) + '\r\n'.length;
}

async function configure(connection: Connection, name: string, value: string): Promise<void> {
  const answer = await ask(connection, `CONFIG SET ${name} ${value}`, isLine);
  if (answer !== '+OK\r\n') throw new Error(`redis refused ${name}: ${answer.trim()}`);
}

/**
 * Redis' limit counts all it uses. What it uses empty, with the buffers of connections that have
 * seen a batch, comes on top of what items may have.
 */
async function limitRedis(
  connections: readonly Connection[],
  peer: Peer,
  memoryBytes: number,
): Promise<void> {
  for (const connection of connections) await warm(connection, redisSpeech);
  const [first] = connections as readonly [Connection];
  const info = await ask(first, 'INFO memory', isBulk);
  const used = Number(/used_memory:(\d+)/.exec(info)?.[1]);
  if (!(used > 0)) throw new Error('redis does not tell its used_memory');
  await configure(first, 'maxmemory-policy', peer.replace('redis ', ''));
  await configure(first, 'maxmemory', String(used + memoryBytes));
}

/** A batch of requests for what is not there. */
async function warm(connection: Connection, speech: Speech): Promise<void> {
  const requests = new Requests(speech, BATCH * speech.get.text.length);
  for (let at = 0; at < requests.bytes.length; ) at = requests.get(at, ABSENT_KEY);
  await connection.exchange(requests.bytes, (got) => got.length === BATCH * speech.miss.bytes);
}

async function redisItems(connection: Connection): Promise<number> {
  const answer = await ask(connection, 'DBSIZE', isLine);
  return Number(answer.slice(1).trim());
}

async function memcachedItems(connection: Connection, budget: Budget): Promise<number> {
  const stats = await ask(connection, 'stats', (text) => text.endsWith('END\r\n'));
  const figure = (name: string): number =>
    Number(new RegExp(`STAT ${name} (\\d+)`).exec(stats)?.[1]);
  const allowed = budget.memoryBytes - budget.pages * PAGE_BYTES;
  const hashBytes = figure('hash_bytes');
  if (hashBytes <= allowed) return figure('curr_items');
  throw new Error(`the hash table of memcached has ${hashBytes} bytes instead of ${allowed}`);
}
