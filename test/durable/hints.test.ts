/** A node that is killed while a peer is away delivers what it owes that peer in its next run. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { HINT_FILE } from '../../src/replication/hintFile.js';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const LIMIT = { timeout: 60_000, interval: 50 };
const KEYS = 50;
const KEY = 'known-key-';
const KNOWN = 'a value that nobody must find';
const SECRET = Buffer.alloc(32, 7).toString('base64');

const running: TestServer[] = [];
let folder = '';
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
  await rm(folder, { recursive: true, force: true });
});

async function metric({ httpUrl }: TestServer, name: string): Promise<number> {
  const page = await (await fetch(`${httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*"b"[^}]*\\})? (.+)$`, 'm').exec(page)?.[1] ?? NaN);
}

async function status({ httpUrl }: TestServer, key: string, init?: RequestInit): Promise<number> {
  const reply = await fetch(`${httpUrl}/v1/keys/${key}`, init);
  await reply.text();
  return reply.status;
}

/** The files of a node in which the known value, or a known key, can be read. */
async function leaks(name: string): Promise<string[]> {
  const names = await readdir(join(folder, name));
  const files = names.map(async (file) => {
    const bytes = await readFile(join(folder, name, file));
    return bytes.includes(KNOWN) || bytes.includes(KEY) ? [file] : [];
  });
  return (await Promise.all(files)).flat();
}

it.each([
  ['in the clear', []],
  ['encrypted', ['--data-key-file']],
])('a node that was killed still delivers its hints, %s', async (_, keyFlag) => {
  folder = await mkdtemp(join(tmpdir(), 'orlop-hints-'));
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, SECRET, { mode: 0o600 });
  const keyFlags = keyFlag.flatMap((flag) => [flag, keyFile]);
  const ports = await freePorts(3);
  const start = async (name: string): Promise<TestServer> => {
    const flags = ['--replicas', '3', '--data-dir', join(folder, name), ...keyFlags];
    const server = await startMember(name, ports['abc'.indexOf(name)] ?? 0, ports, flags);
    running.push(server);
    return server;
  };
  let [a, b, c] = (await Promise.all(['a', 'b', 'c'].map(start))) as [
    TestServer,
    TestServer,
    TestServer,
  ];
  const all = { method: 'PUT', body: 'x', headers: { 'orlop-level': 'all' } };
  for (const server of [a, b, c]) {
    const settled = async () => {
      const { configuration } = await nodesOf(server);
      return `${configuration?.members.length} ${configuration?.moving}`;
    };
    await expect.poll(settled, LIMIT).toBe('3 false');
    await expect.poll(() => status(server, 'settled', all), LIMIT).toBe(204);
  }
  await b.stop('SIGKILL');
  for (let n = 0; n < KEYS; n++) {
    expect(await status(a, `${KEY}${n}`, { method: 'PUT', body: KNOWN })).toBe(204);
  }
  await expect.poll(() => metric(a, 'orlop_replication_hints'), LIMIT).toBe(KEYS);
  const size = async () => (await readFile(join(folder, 'a', HINT_FILE))).length;
  await expect.poll(size, LIMIT).toBeGreaterThan(KEYS * KNOWN.length);
  await a.stop('SIGKILL');
  // Without a key they are found, the log's as well, so this would find them with one.
  const found = (await leaks('a')).toSorted();
  expect(found).toEqual(keyFlag.length > 0 ? [] : ['0000000001.orlop', HINT_FILE]);
  a = await start('a');
  await expect.poll(() => metric(a, 'orlop_replication_hints'), LIMIT).toBe(KEYS);
  // Without the third node nobody but this one can tell the one that comes back.
  await c.stop('SIGKILL');
  b = await start('b');
  await expect.poll(() => metric(a, 'orlop_replication_hints'), LIMIT).toBe(0);
  for (let n = 0; n < KEYS; n++) expect(await status(b, `${KEY}${n}`)).toBe(200);
});
