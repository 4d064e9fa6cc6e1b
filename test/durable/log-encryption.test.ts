/** A node whose log is encrypted, and what somebody finds who has the disk but not the key. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Client } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach, using } from './support/place.js';

const KNOWN = 'a value that nobody must find';
const [OLD, FRESH] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));

const place = placeForEach();

/** The flags of a node with these keys. */
function keyFlags(...keys: readonly (string | undefined)[]): string[] {
  const path = join(place.folder, 'keys');
  rmSync(path, { force: true });
  writeFileSync(path, keys.join('\n'), { mode: 0o600 });
  return ['--data-key-file', path];
}

const start = (...flags: readonly string[]): Promise<TestServer> =>
  startServer({ flags: ['--data-dir', place.log, '--fsync', 'always', ...flags] });

/** The files in the folder that hold the known value or key. */
function leaks(): string[] {
  return readdirSync(place.log).filter((name) => {
    const bytes = readFileSync(join(place.log, name));
    return bytes.includes(KNOWN) || bytes.includes('known key');
  });
}

async function fill(client: Client): Promise<void> {
  for (let n = 0; n < 20; n++) await client.set(`known key ${n}`, `${n} ${KNOWN}`);
}

it('keeps nothing readable on the disk, and reads it back when it is killed', async () => {
  let server = await start(...keyFlags(OLD));
  await using(server, fill);
  await server.stop('SIGKILL');
  expect(leaks()).toEqual([]);
  server = await start(...keyFlags(OLD));
  await using(server, async (client) => {
    expect(await client.get('known key 7')).toBe(`7 ${KNOWN}`);
  });
  expect((await server.stop()).code).toBe(0);
  expect(leaks()).toEqual([]);
});

it('is found by this test when it is not encrypted', async () => {
  const server = await start();
  await using(server, fill);
  await server.stop();
  expect(leaks()).toEqual(['0000000001.orlop']);
});

it('refuses a missing and a wrong key, and looks into the log with the right one', async () => {
  const server = await start(...keyFlags(OLD));
  await using(server, fill);
  await server.stop();
  await expect(start()).rejects.toThrow(/ended with 2.*is encrypted with the key [0-9a-f]{32}/s);
  await expect(start(...keyFlags(FRESH))).rejects.toThrow(/the keys given are [0-9a-f]{32}/);
  const blind = await orlop(['log', 'verify', place.log]);
  expect([blind.code, blind.stderr]).toEqual([2, expect.stringMatching(/no key was given/)]);
  const seeing = await orlop(['log', 'verify', place.log, ...keyFlags(OLD)]);
  expect([seeing.code, seeing.stdout]).toEqual([0, expect.stringMatching(/ 20 .*whole$/m)]);
});

it('backs up with its key, over HTTP and to a file, and takes such a backup back', async () => {
  const server = await start(...keyFlags(OLD), '--tier', 'ssd:256mb');
  await using(server, fill);
  const sealed = await fetch(`${server.httpUrl}/cache/backup`, { method: 'POST' });
  const bytes = Buffer.from(await sealed.arrayBuffer());
  expect(bytes.includes(KNOWN) || bytes.includes('known key')).toBe(false);
  const plain = await fetch(`${server.httpUrl}/cache/backup?plain`, { method: 'POST' });
  expect(Buffer.from(await plain.arrayBuffer()).includes(KNOWN)).toBe(true);

  const run = (...args: string[]) => orlop([...args, '--url', server.url]);
  const file = join(place.log, 'sealed.orlop');
  expect((await run('backup', file)).stdout).toMatch(/^20 items in /);
  expect((await run('backup', `${file}.gz`)).code).toBe(0);
  expect(leaks()).toEqual([]);
  expect((await run('backup', join(place.log, 'open.orlop'), '--plain')).code).toBe(0);
  expect(leaks()).toEqual(['open.orlop']);
  expect((await run('restore', file, '--check')).stderr).toMatch(/encrypted with the key/);
  expect((await run('restore', file, '--check', ...keyFlags(OLD))).code).toBe(0);

  const restore = (body: Uint8Array<ArrayBuffer>) =>
    fetch(`${server.httpUrl}/cache/restore`, { method: 'POST', body });
  await using(server, (client) => client.clear());
  expect(await (await restore(bytes)).json()).toMatchObject({ items: 20, restored: 20 });
  await using(server, async (client) => {
    expect(await client.get('known key 7')).toBe(`7 ${KNOWN}`);
    await client.clear();
  });
  const back = await run('restore', `${file}.gz`, ...keyFlags(OLD));
  expect(back.stdout).toMatch(/^20 of 20 items restored/);
  await server.stop();
  expect(leaks()).toEqual(['open.orlop']);
  const stranger = await startServer();
  const refused = await fetch(`${stranger.httpUrl}/cache/restore`, { method: 'POST', body: bytes });
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringMatching(/is encrypted with the key [0-9a-f]{32}, and no key was given/),
  ]);
  await stranger.stop();
});

it('writes with a new key and still reads what was written with the old one', async () => {
  let server = await start(...keyFlags(OLD));
  await using(server, fill);
  await server.stop();
  server = await start(...keyFlags(FRESH, OLD));
  await using(server, (client) => client.set('known key 1', `fresh, ${KNOWN}`));
  await server.stop('SIGKILL');
  await expect(start(...keyFlags(FRESH))).rejects.toThrow(/is encrypted with the key/);
  server = await start(...keyFlags(FRESH, OLD));
  await using(server, async (client) => {
    expect(await client.get('known key 1')).toBe(`fresh, ${KNOWN}`);
    expect(await client.get('known key 2')).toBe(`2 ${KNOWN}`);
  });
  await server.stop();
  expect(leaks()).toEqual([]);
});

it('refuses a key file that others can read, and keys without a log', async () => {
  const flags = keyFlags(OLD);
  const path = flags[1] ?? '';
  writeFileSync(path, OLD ?? '');
  const open = join(place.folder, 'open');
  writeFileSync(open, OLD ?? '', { mode: 0o644 });
  const refused = await orlop(['serve', '--data-dir', place.log, '--data-key-file', open]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/chmod 600/)]);
  expect(refused.stderr).not.toContain(OLD);
  const alone = await orlop(['serve', ...flags]);
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringMatching(/Set data-dir/)]);
});
