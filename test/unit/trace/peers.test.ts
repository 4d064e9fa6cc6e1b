import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../bench/driver/connection.js';
import { oneCopy } from '../../../bench/trace/copies.js';
import { budgetFor } from '../../../bench/trace/peers/budget.js';
import {
  type MemoryRow,
  memoryTable,
  memoryVerdicts,
  savedOver,
} from '../../../bench/trace/peers/equalMemory.js';
import { Lookaside } from '../../../bench/trace/peers/lookaside.js';
import { memcachedSpeech, redisSpeech, type Speech } from '../../../bench/trace/peers/speech.js';
import { Lru } from '../../../bench/trace/reference/lru.js';
import { countMisses } from '../../../bench/trace/reference/simulation.js';
import type { Stream } from '../../../bench/trace/stream.js';
import { seededRandom } from '../../../src/base/random.js';

const VALUE_BYTES = 32;
const SAVES = 'at equal memory:';
const FEWER = 'fewer misses in the mean';

/** A cache that keeps the keys it used last, and may refuse to store some. */
class Peer {
  readonly values = new Map<string, string>();
  gets = 0;
  readonly #room: number;
  readonly #refuses: (key: string) => boolean;

  constructor(room: number, refuses: (key: string) => boolean = () => false) {
    this.#room = room;
    this.#refuses = refuses;
  }

  get(key: string): string | undefined {
    this.gets++;
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  set(key: string, value: string): boolean {
    if (this.#refuses(key)) return false;
    this.values.set(key, value);
    const [oldest = ''] = this.values.keys();
    if (this.values.size > this.#room) this.values.delete(oldest);
    return true;
  }
}

/** Takes the first command off `text`: what to answer, and its length; nothing when partial. */
type Serve = (text: string, peer: Peer) => { answer: string; length: number } | undefined;

const serveRedis: Serve = (text, peer) => {
  const head = /^\*(\d)\r\n/.exec(text);
  if (head === null) return undefined;
  const parts: string[] = [];
  let at = head[0].length;
  while (parts.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    const from = at + size[0].length;
    at = from + Number(size[1]) + 2;
    if (at > text.length) return undefined;
    parts.push(text.slice(from, at - 2));
  }
  const [command, key = '', value = '', option, seconds] = parts;
  if (command === 'GET') {
    const found = peer.get(key);
    return {
      answer: found === undefined ? '$-1\r\n' : `$${found.length}\r\n${found}\r\n`,
      length: at,
    };
  }
  if (command !== 'SET' || option !== 'EX' || !(Number(seconds) > 0)) throw new Error(text);
  return { answer: peer.set(key, value) ? '+OK\r\n' : '-OOM no\r\n', length: at };
};

const serveMemcached: Serve = (text, peer) => {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const [command, key = '', flags, seconds, bytes] = text.slice(0, end).split(' ');
  if (command === 'get') {
    const value = peer.get(key);
    const found = value === undefined ? '' : `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
    return { answer: `${found}END\r\n`, length: end + 2 };
  }
  const length = end + 2 + Number(bytes) + 2;
  if (command !== 'set' || flags !== '0' || !(Number(seconds) > 0)) throw new Error(text);
  if (text.length < length) return undefined;
  const isStored = peer.set(key, text.slice(end + 2, length - 2));
  const refusal = 'SERVER_ERROR out of memory storing object\r\n';
  return { answer: isStored ? 'STORED\r\n' : refusal, length };
};

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Answers in small pieces, so that none of them comes whole. */
function answerInPieces(socket: Socket, text: string): void {
  const middle = Math.floor(text.length / 2);
  socket.write(text.slice(0, middle), 'latin1');
  setImmediate(() => socket.write(text.slice(middle), 'latin1'));
}

async function listen(peer: Peer, serve: Serve): Promise<number> {
  const server: Server = createServer((socket) => {
    let text = '';
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      let answers = '';
      for (let one = serve(text, peer); one !== undefined; one = serve(text, peer)) {
        answers += one.answer;
        text = text.slice(one.length);
      }
      if (answers !== '') answerInPieces(socket, answers);
    });
    closers.push(() => socket.destroy());
  });
  closers.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function drawnStream(seed: number, keyCount: number, requests: number): Stream {
  const random = seededRandom(seed);
  const keys = Uint32Array.from({ length: requests }, () =>
    Math.min(random.below(keyCount), random.below(keyCount)),
  );
  return { name: 'drawn', keys, keyCount };
}

async function replay(peer: Peer, speech: Speech, stream: Stream, copies: number, firstCopy = 0) {
  const serve = speech === redisSpeech ? serveRedis : serveMemcached;
  const connection = await Connection.open(await listen(peer, serve));
  closers.push(() => connection.close());
  const { keys, keyCount } = stream;
  const requestsPerCopy = keys.length;
  const share = { keys, keyCount, requestsPerCopy, firstCopy, copies };
  const worker = new Lookaside(connection, speech, share);
  await worker.run();
  return worker;
}

const SPEECHES = [
  ['redis', redisSpeech],
  ['memcached', memcachedSpeech],
] as const;

describe.each(SPEECHES)('a replay on %s', (_, speech) => {
  test('misses each key once where all of them fit, and asks once for each request', async () => {
    const stream = drawnStream(5, 300, 4000);
    const distinct = new Set(stream.keys).size;
    const peer = new Peer(100_000);
    const { misses, refusals } = await replay(peer, speech, stream, 3);
    expect(misses).toBe(3 * distinct);
    expect(refusals).toBe(0);
    expect(peer.gets).toBe(3 * stream.keys.length);
    expect(peer.values.size).toBe(3 * distinct);
  });

  test('misses about as often as the policy of the peer', async () => {
    const stream = drawnStream(6, 3000, 20_000);
    const { misses } = await replay(new Peer(1000), speech, stream, 1);
    const exact = countMisses(new Lru(1000, stream.keyCount), stream.keys);
    expect(Math.abs(misses / exact - 1)).toBeLessThan(0.02);
  });

  test('stores keys of 16 bytes and values that name them, copy by copy', async () => {
    const peer = new Peer(100);
    const stream = { name: 'two', keys: Uint32Array.of(0, 1, 0), keyCount: 2 };
    await replay(peer, speech, stream, 2, 60_000_000_000);
    expect([...peer.values.keys()].sort()).toEqual(
      [0, 1, 2, 3].map((own) => `key:${120_000_000_000 + own}`),
    );
    for (const [key, value] of peer.values) expect(value).toBe(key + key);
    expect([...peer.values.values()].every(({ length }) => length === VALUE_BYTES)).toBe(true);
  });

  test('fails on a value that belongs to another key', async () => {
    const peer = new Peer(1000);
    peer.get = () => 'key:000000999999key:000000999999';
    await expect(replay(peer, speech, drawnStream(7, 50, 1000), 1)).rejects.toThrow(
      'another value',
    );
  });
});

test('memcached may refuse to store; that key misses again', async () => {
  const peer = new Peer(1000, (key) => key === 'key:000000000000');
  const stream = { name: 'refused', keys: Uint32Array.of(0, 1, 0, 1, 0), keyCount: 2 };
  const { misses, refusals } = await replay(peer, memcachedSpeech, stream, 1);
  expect({ misses, refusals }).toEqual({ misses: 4, refusals: 3 });
});

test('redis must not refuse', async () => {
  const peer = new Peer(1000, () => true);
  const replayed = replay(peer, redisSpeech, drawnStream(1, 10, 100), 1);
  await expect(replayed).rejects.toThrow('-OOM');
});

describe('the memory of a comparison', () => {
  const stream = drawnStream(1, 2000, 10_000);
  const limits = { memoryBytes: 8 * 1024 ** 2, requests: 10 ** 9 };

  test('is whole pages and the hash table, near to what the items of Orlop need', () => {
    for (const capacity of [20, 137, 2048, 7634, 100_000, 1_000_000]) {
      const { copies, pages, hashPower, memoryBytes } = budgetFor(stream, capacity, limits);
      expect(memoryBytes).toBe(pages * 1024 ** 2 + 8 * 2 ** hashPower);
      expect(memoryBytes).toBeGreaterThan(7.5 * 1024 ** 2);
      const perItem = memoryBytes / copies.count / capacity;
      expect(Math.abs(perItem / 84 - 1)).toBeLessThan(0.07);
      const load = (pages * 1024 ** 2) / 120 / 2 ** hashPower;
      expect(load).toBeGreaterThan(0.75);
      expect(load).toBeLessThan(1.5);
    }
  });

  test('requests are cut where all copies would send more than allowed', () => {
    const whole = budgetFor(stream, 2048, limits);
    expect(whole.copies).toEqual({ count: 52, keyCount: 2000, requests: 52 * 10_000 });
    const cut = budgetFor(stream, 2048, { ...limits, requests: 104_000 });
    expect(cut.requestsPerCopy).toBe(2000);
    expect(cut.copies.requests).toBe(104_000);
    expect(budgetFor(stream, 10 ** 6, limits).copies).toEqual(oneCopy(stream));
  });
});

describe('the verdict of a comparison', () => {
  const row = (system: MemoryRow['system'], misses: number, trace = 'web'): MemoryRow => {
    const about = { trace, system, capacity: 2000, copies: 50, memoryBytes: 8 * 1024 ** 2 };
    return { ...about, misses, requests: 10_000, refusals: 0, items: 50_000, seconds: 1 };
  };
  const rows = [
    row('orlop', 800),
    row('memcached', 1000),
    row('redis allkeys-lru', 1000),
    row('orlop', 890, 'orm'),
    row('memcached', 1000, 'orm'),
    row('redis allkeys-lru', 1200, 'orm'),
  ];

  test('is the mean of what each comparison saves', () => {
    expect(savedOver(row('memcached', 1000), rows)).toBeCloseTo(0.2);
    expect(savedOver(row('memcached', 1000, 'orm'), rows)).toBeCloseTo(0.11);
    expect(memoryVerdicts(rows)).toEqual([
      `orlop under redis allkeys-lru ${SAVES} 22.9 % ${FEWER}, at least 25 % NOT MET`,
      `orlop under memcached ${SAVES} 15.5 % ${FEWER}, at least 15 % met`,
    ]);
    expect(memoryVerdicts([row('orlop', 1)])).toEqual([]);
  });

  test('the table tells memory, copies and savings', () => {
    const shown = memoryTable(rows.slice(0, 3));
    expect(shown).toContain('web: 50 copies of 200 requests, 8.0 MiB');
    expect(shown).toMatch(/memcached +│ +1000 │ 0\.1000 │ 50000 │ +167\.8 │ +│ +20\.0/);
  });
});
