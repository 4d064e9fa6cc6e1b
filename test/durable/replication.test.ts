/** Three nodes hold the same, whichever of them is asked, and bring each other up to date. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.js';
import { freePorts, nodesOf, seen, startMember } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const LIMIT = { timeout: 20_000, interval: 50 };

const running: TestServer[] = [];
afterEach(async () => {
  const servers = running.splice(0);
  for (const { process } of servers) process.kill('SIGCONT');
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
});

/** Nodes of one cluster, which all hold a configuration with all of them. */
class Trio {
  readonly servers: TestServer[] = [];
  readonly #ports: number[];
  readonly #flags: readonly string[];

  private constructor(ports: number[], flags: readonly string[]) {
    this.#ports = ports;
    this.#flags = flags;
  }

  static async start(flags: readonly string[] = []): Promise<Trio> {
    const trio = new Trio(await freePorts(3), flags);
    await Promise.all([0, 1, 2].map((n) => trio.launch(n)));
    await trio.settled();
    return trio;
  }

  /** Starts the node of a number, perhaps again. */
  async launch(n: number): Promise<void> {
    const name = 'abc'[n] ?? 'x';
    const server = await startMember(name, this.#ports[n] ?? 0, this.#ports, this.#flags);
    running.push(server);
    this.servers[n] = server;
  }

  at(n: number): TestServer {
    return this.servers[n] as TestServer;
  }

  /** Waits until all know all, and their links stand: a change at level `all` is answered. */
  async settled(): Promise<void> {
    for (const server of this.servers) {
      const settled = async (): Promise<string> => {
        const { configuration } = await nodesOf(server);
        return `${configuration?.members.length} ${configuration?.moving}`;
      };
      await expect.poll(settled, LIMIT).toBe('3 false');
    }
    for (const n of [0, 1, 2]) {
      await expect.poll(() => this.put(n, `settled ${n}`, '1', 'all'), LIMIT).toBe(204);
    }
  }

  async put(n: number, key: string, body: string, level = 'one'): Promise<number> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    return (await fetch(path, { method: 'PUT', body, headers })).status;
  }

  async get(n: number, key: string, level = 'one'): Promise<string | undefined> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    const reply = await fetch(path, { headers });
    const body = await reply.text();
    return reply.status === 200 ? body : undefined;
  }

  async del(n: number, key: string, level = 'one'): Promise<number> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    return (await fetch(path, { method: 'DELETE', headers })).status;
  }
}

describe('three nodes', () => {
  it('have what any of them was told, and what was removed is gone from all', async () => {
    const trio = await Trio.start(['--replicas', '3']);
    for (const n of [0, 1, 2]) {
      expect(await trio.put(n, `key ${n}`, `from ${n}`, 'all')).toBe(204);
    }
    for (const n of [0, 1, 2]) {
      for (const m of [0, 1, 2]) expect(await trio.get(n, `key ${m}`)).toBe(`from ${m}`);
    }
    expect(await trio.put(0, 'later', 'is there')).toBe(204);
    await expect.poll(() => trio.get(2, 'later'), LIMIT).toBe('is there');
    expect(await trio.del(1, 'key 0', 'all')).toBe(204);
    for (const n of [0, 1, 2]) expect(await trio.get(n, 'key 0')).toBeUndefined();
  });

  it('pass on what they do not own, and count counters exactly', async () => {
    const trio = await Trio.start(['--replicas', '2']);
    const clients = await Promise.all(trio.servers.map(({ url }) => connect(url)));
    const sets = Array.from({ length: 300 }, (_, n) => clients[n % 3]?.set(`key ${n}`, n));
    await Promise.all(sets);
    await expect
      .poll(async () => {
        const gets = Array.from({ length: 300 }, (_, n) => clients[(n + 1) % 3]?.get(`key ${n}`));
        return (await Promise.all(gets)).filter((value, n) => value === n).length;
      }, LIMIT)
      .toBe(300);
    const sums = Array.from({ length: 300 }, (_, n) => clients[n % 3]?.incr('counter'));
    expect(new Set((await Promise.all(sums)).map(Number)).size).toBe(300);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('bring one that was away up to date, also when it has lost everything', async () => {
    const trio = await Trio.start(['--replicas', '3']);
    for (let n = 0; n < 100; n++) await trio.put(0, `old ${n}`, 'old');
    await trio.at(2).stop('SIGKILL');
    await seen(trio.at(0), 'a alive, b alive, c dead');
    for (let n = 0; n < 100; n++) await trio.put(n % 2, `new ${n}`, 'new');
    expect(await trio.del(0, 'old 0')).toBe(204);
    await trio.launch(2);
    const missing = async (): Promise<number> => {
      let missing = 0;
      for (let n = 1; n < 100; n++) if ((await trio.get(2, `old ${n}`)) !== 'old') missing++;
      for (let n = 0; n < 100; n++) if ((await trio.get(2, `new ${n}`)) !== 'new') missing++;
      return missing;
    };
    await expect.poll(missing, { timeout: 30_000, interval: 500 }).toBe(0);
    expect(await trio.get(2, 'old 0')).toBeUndefined();
    await wait(100);
    expect(await trio.get(2, 'old 0', 'all')).toBeUndefined();
  });
});
