/**
 * A node with a data folder that was away for longer than tombstones live, by libfaketime: what was
 * deleted meanwhile does not come back with it.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const LIMIT = { timeout: 60_000, interval: 100 };
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const DAY_MS = 24 * 3_600_000;

const running: TestServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function ask({ httpUrl }: TestServer, method: string, key: string, level = 'one') {
  const headers = { 'orlop-level': level };
  const body = method === 'PUT' ? { body: key } : {};
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`, { method, headers, ...body });
  await reply.text();
  return reply.status;
}

/** How many keys a node has by itself. */
async function keysOf(name: string, { httpUrl }: TestServer): Promise<number> {
  const reply = await fetch(`${httpUrl}/cache/cluster/status`);
  const { nodes } = (await reply.json()) as { nodes: { id: string; keys: number | null }[] };
  return nodes.find(({ id }) => id === name)?.keys ?? -1;
}

async function tombstonesOf({ httpUrl }: TestServer): Promise<string> {
  const text = await (await fetch(`${httpUrl}/metrics`)).text();
  return /^orlop_tombstones (\d+)$/m.exec(text)?.[1] ?? '';
}

/** Sets the clocks that go by a file. */
async function set(file: string, offsetMs: number): Promise<void> {
  await writeFile(`${file}.new`, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}s\n`);
  await rename(`${file}.new`, file);
}

it('a node that was away for a day does not bring back what was deleted', async () => {
  expect(existsSync(LIBRARY), `${LIBRARY} has to be there: apt-get install libfaketime`).toBe(true);
  const folder = await mkdtemp(join(tmpdir(), 'orlop-absence-'));
  folders.push(folder);
  const file = join(folder, 'clock');
  await set(file, -2 * DAY_MS);
  const faked = {
    ...{ LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const ports = await freePorts(3);
  const start = async (name: 'a' | 'b' | 'c', environment = {}): Promise<TestServer> => {
    const data = name === 'c' ? ['--data-dir', join(folder, 'data')] : [];
    const flags = ['--replicas', '3', ...data];
    const port = ports['abc'.indexOf(name)] ?? 0;
    const server = await startMember(name, port, ports, flags, environment);
    running.push(server);
    return server;
  };
  const [a, b, c] = await Promise.all([start('a', faked), start('b', faked), start('c', faked)]);
  for (const server of [a, b, c]) {
    const settled = async () => {
      const { configuration } = await nodesOf(server);
      return `${configuration?.members.length} ${configuration?.moving}`;
    };
    await expect.poll(settled, LIMIT).toBe('3 false');
  }
  for (const key of ['kept', 'deleted']) {
    await expect.poll(() => ask(a, 'PUT', key, 'all'), LIMIT).toBe(204);
  }
  await expect.poll(() => keysOf('c', a), LIMIT).toBe(2);
  const touched = join(folder, 'data', 'cluster.touched');
  await expect.poll(() => existsSync(touched), LIMIT).toBe(true);
  await c.stop('SIGTERM');
  expect(Number(await readFile(touched, 'latin1'))).toBeLessThan(Date.now() - DAY_MS);
  expect(await ask(a, 'DELETE', 'deleted')).toBe(204);
  for (const server of [a, b]) await expect.poll(() => tombstonesOf(server), LIMIT).toBe('1');
  // Two days later nothing tells any more that it was deleted.
  await set(file, 0);
  for (const server of [a, b]) await expect.poll(() => tombstonesOf(server), LIMIT).toBe('0');
  const back = await start('c');
  const dropped = () => /"dropped":(\d+)/.exec(back.output())?.[1];
  await expect.poll(dropped, LIMIT).toBe('1');
  for (const name of ['a', 'b', 'c']) {
    await expect.poll(() => keysOf(name, back), LIMIT).toBe(1);
  }
  for (const server of [a, b, back]) {
    expect([await ask(server, 'GET', 'kept'), await ask(server, 'GET', 'deleted')]).toEqual([
      200, 404,
    ]);
  }
  expect(Number(await readFile(touched, 'latin1'))).toBeGreaterThan(Date.now() - DAY_MS);
}, 240_000);
