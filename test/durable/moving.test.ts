import { afterEach, describe, expect, it } from 'vitest';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
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
