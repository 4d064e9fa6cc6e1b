/** Three nodes, and the clock of one of them is set wrong while they run, by libfaketime. */
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const LIMIT = { timeout: 60_000, interval: 50 };
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const AHEAD_MS = 20_000;

const running: TestServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function put({ httpUrl }: TestServer, key: string, level = 'one', match = '') {
  const headers = { 'orlop-level': level, ...(match && { 'if-none-match': match }) };
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`, { method: 'PUT', body: 'x', headers });
  await reply.text();
  return reply;
}

/** When a key was written, by the clock of who did it, in Unix milliseconds; 0 if it was not. */
async function timeAt({ httpUrl }: TestServer, key: string): Promise<number> {
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`, { method: 'HEAD' });
  const tag = reply.headers.get('etag') ?? '"0"';
  return Number(BigInt(tag.slice(1, -1)) >> 22n);
}

async function readiness({ httpUrl }: TestServer): Promise<string> {
  const reply = await fetch(`${httpUrl}/readyz`);
  return `${reply.status} ${await reply.text()}`;
}

/** Sets a clock that goes by a file. */
async function set(file: string, offsetMs: number): Promise<void> {
  await writeFile(`${file}.new`, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}s\n`);
  await rename(`${file}.new`, file);
}

it('a node whose clock is off takes no changes until it is right again', async () => {
  expect(existsSync(LIBRARY), `${LIBRARY} has to be there: apt-get install libfaketime`).toBe(true);
  const folder = await mkdtemp(join(tmpdir(), 'orlop-clock-'));
  folders.push(folder);
  const file = join(folder, 'clock');
  await set(file, 0);
  const faked = {
    ...{ LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const ports = await freePorts(3);
  const [a, b, c] = (await Promise.all(
    ['a', 'b', 'c'].map((name, n) =>
      startMember(name, ports[n] ?? 0, ports, ['--replicas', '3'], name === 'c' ? faked : {}),
    ),
  )) as [TestServer, TestServer, TestServer];
  running.push(a, b, c);
  for (const server of [a, b, c]) {
    const settled = async () => {
      const { configuration } = await nodesOf(server);
      return `${configuration?.members.length} ${configuration?.moving}`;
    };
    await expect.poll(settled, LIMIT).toBe('3 false');
    await expect.poll(async () => (await put(server, 'settled', 'all')).status, LIMIT).toBe(204);
    await expect.poll(() => readiness(server), LIMIT).toMatch(/^200/);
  }
  await set(file, AHEAD_MS);
  await expect.poll(() => readiness(c), LIMIT).toMatch(/^503 .*CLOCK_OFF.* ms ahead of/);
  for (const server of [a, b]) expect(await readiness(server)).toMatch(/^200/);
  // Others take what is asked of it; what it would have to decide by itself is refused.
  expect((await put(c, 'late')).status).toBe(204);
  await expect.poll(() => timeAt(a, 'late'), LIMIT).not.toBe(0);
  expect((await timeAt(a, 'late')) - Date.now()).toBeLessThan(AHEAD_MS / 2);
  const decided = await Promise.all(
    Array.from({ length: 30 }, async (_, n) => (await put(a, `once${n}`, 'one', '*')).status),
  );
  expect(new Set(decided)).toEqual(new Set([204, 503]));
  await set(file, 0);
  await expect.poll(() => readiness(c), LIMIT).toMatch(/^200/);
  expect((await put(c, 'again')).status).toBe(204);
});
