/** Nodes whose memory is several arenas, over real sockets. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/base/random.js';
import { slotOf } from '../../src/base/slot.js';
import { connect } from '../../src/client/index.js';
import type { Request } from '../../src/protocol/request.js';
import { STATUS } from '../../src/protocol/status.js';
import { OP_CLEAR, OP_DELETE, OP_GET, OP_INCR, OP_SET } from '../../src/protocol/wire.js';
import { replayLine, seed } from '../model/support/seed.js';
import { get, RawSocket, type SeenAnswer, set } from './support/rawSocket.js';
import { startServer, type TestServer } from './support/server.js';

const FILE = 'test/e2e/arenas.test.ts';
const MIB = 1024 * 1024;
const CONNECTIONS = 8;
const FRAMES = 60;
const KEYS = 40;

/** The value of a sample of `/metrics`. */
function sample(metrics: string, name: string): number {
  const escaped = name.replace(/[{}"]/g, '\\$&');
  return Number(new RegExp(`^${escaped} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

const metricsOf = async (server: TestServer): Promise<string> =>
  (await fetch(`${server.httpUrl}/metrics`)).text();

/** One connection that keeps to its own keys, and a Map that says what each answer must be. */
class Writer {
  readonly #random: Random;
  readonly #socket: RawSocket;
  readonly #name: string;
  readonly #items = new Map<string, string>();
  readonly #expected = new Map<number, string | undefined>();
  #id = 0;

  constructor(random: Random, socket: RawSocket, name: string) {
    this.#random = random;
    this.#socket = socket;
    this.#name = name;
  }

  #key(): string {
    return `${this.#name}:${this.#random.below(KEYS)}`;
  }

  #value(): string {
    // Sixteen of the large ones would fit into a frame.
    const length = this.#random.below(50) === 0 ? 70_000 : this.#random.below(200);
    return `${this.#id} ${'v'.repeat(length)}`;
  }

  #request(): Request {
    const id = ++this.#id;
    const dice = this.#random.below(10);
    const key = dice === 9 ? `${this.#name}:n` : this.#key();
    if (dice < 4) {
      this.#expected.set(id, this.#items.get(key));
      return { id, opcode: OP_GET, key };
    }
    if (dice < 8) return this.#write(id, key);
    if (dice === 8) {
      this.#expected.set(id, this.#items.has(key) ? '' : undefined);
      this.#items.delete(key);
      return { id, opcode: OP_DELETE, key };
    }
    const sum = String(Number(this.#items.get(key) ?? 0) + 1);
    this.#items.set(key, sum);
    this.#expected.set(id, sum);
    return { id, opcode: OP_INCR, key };
  }

  #write(id: number, key: string): Request {
    const value = this.#value();
    this.#items.set(key, value);
    this.#expected.set(id, '');
    return { id, opcode: OP_SET, key, value };
  }

  /** Sends frames of many requests without waiting, and checks what comes back. */
  async work(): Promise<void> {
    let asked = 0;
    for (let frame = 0; frame < FRAMES; frame++) {
      const requests = Array.from({ length: 1 + this.#random.below(64) }, () => this.#request());
      this.#socket.send(...requests);
      asked += requests.length;
    }
    for (const answer of await this.#socket.take(asked)) this.#check(answer);
    expect(this.#expected.size).toBe(0);
  }

  #check({ id, status, body }: SeenAnswer): void {
    const expected = this.#expected.get(id);
    expect([id, this.#expected.delete(id)]).toEqual([id, true]);
    expect([id, status]).toEqual([id, expected === undefined ? STATUS.NOT_FOUND : STATUS.OK]);
    const text = Buffer.from(body).toString();
    if (text !== (expected ?? '')) {
      throw new Error(`request ${id} of ${this.#name} is answered with something else`);
    }
  }
}

describe.each([1, 3])('a node of %i arenas', (arenas) => {
  let server: TestServer;

  beforeAll(async () => {
    const size = ['--arenas', String(arenas), '--memory', `${arenas * 64}mb`];
    const flags = ['--threads', '2', '--max-value', '1mb', ...size];
    server = await startServer({ flags });
  });

  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('answers mixed frames of many connections as a Map would', async () => {
    const random = seededRandom(seed);
    const sockets = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => RawSocket.greeted(server.url)),
    );
    const writers = sockets.map((socket, n) => {
      return new Writer(seededRandom(random.below(2 ** 31)), socket, `writer ${n}`);
    });
    try {
      for (let round = 0; round < 3; round++) await Promise.all(writers.map((one) => one.work()));
    } catch (cause) {
      throw new Error(replayLine(FILE), { cause });
    }
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test('clears everything, also for those who look from elsewhere', async () => {
    const sockets = await Promise.all([1, 2, 3].map(() => RawSocket.greeted(server.url)));
    const [one, two, three] = sockets as [RawSocket, RawSocket, RawSocket];
    for (let round = 0; round < 20; round++) {
      const sets = Array.from({ length: 50 }, (_, id) => set(id, `cleared ${id}`, 'v'));
      one.send(...sets, { id: 50, opcode: OP_CLEAR }, set(51, 'after', `${round}`));
      expect((await one.take(52)).every(({ status }) => status === STATUS.OK)).toBe(true);
      const gets = Array.from({ length: 50 }, (_, id) => get(id, `cleared ${id}`));
      for (const socket of [two, three]) {
        socket.send(...gets, get(50, 'after'));
        const answers = await socket.take(51);
        const there = answers.filter(({ status }) => status === STATUS.OK);
        expect(there.map(({ body }) => Buffer.from(body).toString())).toEqual([`${round}`]);
      }
    }
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test('scans every key that stays, whatever comes and goes', async () => {
    const cache = connect(server.url);
    await cache.clear();
    const stays = Array.from({ length: 3000 }, (_, n) => `stays ${n}`);
    await cache.setMany(stays.map((key) => [key, 'v'] as const));
    let scanning = true;
    const churn = async (): Promise<void> => {
      for (let n = 0; scanning; n++) {
        await cache.setMany(Array.from({ length: 64 }, (_, k) => [`comes ${n} ${k}`, 'v']));
        await cache.delMany(Array.from({ length: 64 }, (_, k) => `comes ${n - 3} ${k}`));
        await cache.set(stays[n % stays.length] ?? '', `${n}`);
      }
    };
    const churning = churn();
    const seen = new Set<string>();
    for await (const key of cache.scan({ pageSize: 50 })) seen.add(key);
    scanning = false;
    await churning;
    expect(stays.filter((key) => !seen.has(key))).toEqual([]);
    const prefixed: string[] = [];
    for await (const key of cache.scan({ prefix: 'stays 29' })) prefixed.push(key);
    expect(new Set(prefixed).size).toBe(111);
    await cache.close();
  });

  test('counts what each arena holds', async () => {
    const cache = connect(server.url);
    await cache.clear();
    await cache.setMany(Array.from({ length: 900 }, (_, n) => [`counted ${n}`, 'v']));
    await cache.close();
    const metrics = await metricsOf(server);
    const items = Array.from({ length: arenas }, (_, n) =>
      sample(metrics, `orlop_arena_items{arena="${n}"}`),
    );
    expect(Math.min(...items)).toBeGreaterThan(0);
    expect(items.reduce((sum, each) => sum + each, 0)).toBe(sample(metrics, 'orlop_items'));
    const stats = await (await fetch(`${server.httpUrl}/v1/stats`)).json();
    expect(stats.arenas.length).toBe(arenas);
    expect(stats.settings.memoryBytes).toBe(arenas * 64 * MIB);
  });
});

test('a node of 9gb works as three arenas, and uses no more than it is given to keep', async () => {
  const server = await startServer({ flags: ['--memory', '9gb', '--threads', '1'] });
  const cache = connect(server.url);
  const keys = Array.from({ length: 3000 }, (_, n) => `key ${n}`);
  const homes = keys.map((key) => slotOf(new TextEncoder().encode(key)) % 3);
  await cache.setMany(keys.map((key, n) => [key, { n, home: homes[n] }] as const));
  expect(await cache.getMany(keys)).toEqual(keys.map((_, n) => ({ n, home: homes[n] })));
  const large = new Uint8Array(16 * MIB).fill(7);
  for (const home of [0, 1, 2]) {
    const key = `${keys[homes.indexOf(home)]}`;
    await cache.set(key, large);
    const back = await cache.get<Uint8Array>(key);
    expect(back instanceof Uint8Array && Buffer.compare(back, large)).toBe(0);
  }
  await cache.close();
  const metrics = await metricsOf(server);
  for (const home of [0, 1, 2]) {
    const count = homes.filter((each) => each === home).length;
    expect(sample(metrics, `orlop_arena_items{arena="${home}"}`)).toBe(count);
  }
  expect(sample(metrics, 'orlop_items')).toBe(keys.length);
  expect(sample(metrics, 'orlop_bytes{use="total"}')).toBe(9 * 1024 * MIB);
  expect(sample(metrics, 'process_resident_memory_bytes')).toBeLessThan(1024 * MIB);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

test('memory that does not fit into the arenas asked for is refused', async () => {
  const starting = startServer({ flags: ['--memory', '9gb', '--arenas', '2'] });
  await expect(starting).rejects.toThrow(/does not fit into 2 arenas.*Set arenas to 3 or more/);
});

test('a node that is given more memory than there is starts, and says so', async () => {
  const server = await startServer({ flags: ['--memory', '500gb'] });
  expect(server.output()).toMatch(/"level":"warn".*"msg":"memory is more than this machine has"/);
  const cache = connect(server.url);
  await cache.setMany([1, 2, 3].map((n) => [`key ${n}`, n]));
  expect(await cache.getMany(['key 1', 'key 2', 'key 3'])).toEqual([1, 2, 3]);
  await cache.close();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
