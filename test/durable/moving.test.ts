/** Partitions move between real nodes while clients read and write. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
import { orlop } from '../e2e/support/command.js';
import type { TestServer } from '../e2e/support/server.js';

const KEYS = 1_500;
const FLAGS = ['--replicas', '2'];

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
});

async function start(name: string, port: number, join: readonly number[]): Promise<TestServer> {
  const server = await startMember(name, port, join, FLAGS);
  running.push(server);
  return server;
}

/** Waits until a node holds a settled configuration with just these members. */
async function settled(server: TestServer, members: string): Promise<void> {
  const look = async (): Promise<string> => {
    const { configuration } = await nodesOf(server);
    const ids = configuration?.members.map(({ id }) => id).join(' ') ?? '';
    return configuration?.moving === true ? `${ids}, moving` : ids;
  };
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toBe(members);
}

async function put({ httpUrl }: TestServer, key: string, value: string): Promise<number> {
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`, { method: 'PUT', body: value });
  await reply.arrayBuffer();
  return reply.status;
}

async function get({ httpUrl }: TestServer, key: string): Promise<string> {
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`);
  const text = await reply.text();
  return reply.status === 200 ? text : `${reply.status} ${text}`;
}

/** Writes and reads through some nodes until it is ended; what went wrong. */
function keepBusy(servers: readonly TestServer[]): {
  end(): Promise<string[]>;
  written: Map<string, string>;
} {
  const wrong: string[] = [];
  const written = new Map<string, string>();
  let over = false;
  const work = async (): Promise<void> => {
    for (let round = 0; !over; round++) {
      const server = servers[round % servers.length] as TestServer;
      const key = `busy-${round % 200}`;
      const status = await put(server, key, `v${round}`);
      if (status === 204) written.set(key, `v${round}`);
      else wrong.push(`PUT ${key}: ${status}`);
      const other = servers[(round + 1) % servers.length] as TestServer;
      const found = await get(other, `key-${(7 * round) % KEYS}`);
      if (found !== `value-${(7 * round) % KEYS}`) wrong.push(`GET key-${round}: ${found}`);
    }
  };
  const working = work();
  const end = async (): Promise<string[]> => {
    over = true;
    await working;
    return wrong;
  };
  return { end, written };
}

async function fill(server: TestServer): Promise<void> {
  for (let at = 0; at < KEYS; at += 50) {
    const some = Array.from({ length: 50 }, (_, n) => at + n);
    const statuses = await Promise.all(some.map((n) => put(server, `key-${n}`, `value-${n}`)));
    expect(new Set(statuses)).toEqual(new Set([204]));
  }
}

async function expectAll(server: TestServer, busy: ReadonlyMap<string, string>): Promise<void> {
  const wanted = new Map(busy);
  for (let n = 0; n < KEYS; n++) wanted.set(`key-${n}`, `value-${n}`);
  const lost: string[] = [];
  for (const [key, value] of wanted) {
    const found = await get(server, key);
    if (found !== value) lost.push(`${key} is ${found} instead of ${value}`);
  }
  expect(lost).toEqual([]);
}

async function keysOf(server: TestServer): Promise<Record<string, number>> {
  const reply = await fetch(`${server.httpUrl}/cache/cluster/status`);
  const { nodes } = (await reply.json()) as { nodes: { id: string; keys: number }[] };
  return Object.fromEntries(nodes.map(({ id, keys }) => [id, keys]));
}

describe('under load', () => {
  it('a fourth node joins and a third leaves, and no request fails', async () => {
    const ports = await freePorts(4);
    const names = ['a', 'b', 'c'];
    const list = ports.slice(0, 3);
    const three = await Promise.all(names.map((name, at) => start(name, ports[at] ?? 0, list)));
    const [a, b, c] = three as [TestServer, TestServer, TestServer];
    for (const server of three) await settled(server, 'a b c');
    await fill(a);
    const load = keepBusy([a, b]);
    const d = await start('d', ports[3] ?? 0, list);
    for (const server of [a, b, c, d]) await settled(server, 'a b c d');
    const share = ((await keysOf(a)).d ?? 0) / (2 * (KEYS + 200));
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.25 * 1.3);
    expect(await orlop(['cluster', 'leave', '--url', c.url])).toMatchObject({ code: 0 });
    expect(await c.exited).toEqual({ code: 0, signal: null });
    for (const server of [a, b, d]) await settled(server, 'a b d');
    await wait(500);
    expect(await load.end()).toEqual([]);
    await expectAll(d, load.written);
    await b.stop('SIGKILL');
    await expectAll(d, load.written);
  });

  it('a node is killed while it joins, comes back, and has its share in the end', async () => {
    const ports = await freePorts(3);
    const list = ports.slice(0, 2);
    const [a, b] = (await Promise.all(
      ['a', 'b'].map((name, at) => start(name, ports[at] ?? 0, list)),
    )) as [TestServer, TestServer];
    for (const server of [a, b]) await settled(server, 'a b');
    await fill(a);
    const c = await start('c', ports[2] ?? 0, list);
    await expect
      .poll(async () => (await nodesOf(a)).configuration?.members.length, { timeout: 30_000 })
      .toBe(3);
    await c.stop('SIGKILL');
    const again = await start('c', ports[2] ?? 0, list);
    for (const server of [a, b, again]) await settled(server, 'a b c');
    await expectAll(again, new Map());
    expect((await keysOf(a)).c).toBeGreaterThan(KEYS / 2);
  });
});
