import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { LISTENERS } from '../e2e/support/listeners.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach } from './support/place.js';

const place = placeForEach();

const connectTo = (server: TestServer): Client => connect(server.url, { timeoutMs: 10_000 });

const KEYS = 3000;
const wanted = (n: number): string => `value ${n} `.repeat(1 + (n % 50));

async function fill(client: Client): Promise<void> {
  await client.setMany(Array.from({ length: KEYS }, (_, n) => [`key ${n}`, wanted(n)]));
  await client.set('object', { a: [1, 2, 3] });
  await client.set('large', Buffer.alloc(700_000, 'large'));
  await client.set('short', 'lived', { ttl: '1ms' });
  await client.set('long', 'lived', { ttl: '1h' });
}

describe.each(LISTENERS)('backup and restore ($name)', ({ flags }) => {
  let server: TestServer;
  let client: Client;
  beforeAll(async () => {
    const plain = ['--memory', '192mb', '--max-value', '1mb'];
    server = await startServer({ flags: [...plain, ...flags] });
    client = connectTo(server);
  });
  beforeEach(async () => {
    await client.clear();
    await fill(client);
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  const run = (...args: string[]) => orlop([...args, '--url', server.url]);

  it('brings everything back, over later deletes', async () => {
    const file = join(place.folder, 'all.orlop');
    const made = await run('backup', file, '--json');
    expect(made.stderr).toBe('');
    expect(JSON.parse(made.stdout)).toMatchObject({ file, items: KEYS + 3 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await client.clear();
    await client.set('key 7', 'later');
    await client.del('key 8');
    await client.set('other', 'stays');
    const back = await run('restore', file, '--json');
    expect(back.stderr).toBe('');
    const items = KEYS + 3;
    const none = { older: 0, expired: 0, refused: 0 };
    expect(JSON.parse(back.stdout)).toEqual({ items, restored: items, ...none });
    for (let n = 0; n < KEYS; n += 7) expect(await client.get(`key ${n}`)).toBe(wanted(n));
    expect(await client.get('key 8')).toBe(wanted(8));
    expect(await client.get('object')).toEqual({ a: [1, 2, 3] });
    expect(await client.get('large')).toHaveLength(700_000);
    expect(await client.get('short')).toBeUndefined();
    expect(await client.get('other')).toBe('stays');
    const { ttlMs = 0 } = (await client.getWithMeta('long')) ?? {};
    expect(ttlMs).toBeGreaterThan(3_500_000);
    expect(ttlMs).toBeLessThanOrEqual(3_600_000);
  });

  it('merges under the versions of the backup', async () => {
    const file = join(place.folder, 'all.orlop.gz');
    const before = await client.getWithMeta('key 1');
    expect((await run('backup', file)).code).toBe(0);
    expect(gunzipSync(readFileSync(file)).subarray(0, 8).toString()).toBe('ORLOPLOG');
    await client.set('key 7', 'later');
    const back = await run('restore', file, '--merge');
    expect(back.stdout).toContain(`0 of ${KEYS + 3} items restored; ${KEYS + 3} are older`);
    expect(await client.get('key 7')).toBe('later');
    expect(await client.getWithMeta('key 1')).toEqual(before);
  });

  it('is made while others write: what was confirmed before is in it', async () => {
    const file = join(place.folder, 'busy.orlop');
    const writers = Array.from({ length: 4 }, () => connectTo(server));
    let done = false;
    const rounds = writers.map(async (writer, w) => {
      for (let n = 0; !done; n++) await writer.set(`busy ${w} ${n % 500}`, `${n}`);
    });
    await client.set('last', 'before');
    const made = await run('backup', file);
    done = true;
    await Promise.all([...rounds, ...writers.map((writer) => writer.close())]);
    expect(made.code).toBe(0);
    await client.clear();
    expect((await run('restore', file)).code).toBe(0);
    for (let n = 0; n < KEYS; n++) expect(await client.get(`key ${n}`)).toBe(wanted(n));
    expect(await client.get('last')).toBe('before');
  });

  it('takes nothing of a file that is damaged, and no half of a stream', async () => {
    const file = join(place.folder, 'all.orlop');
    await run('backup', file);
    const bytes = readFileSync(file);
    const at = bytes.length - 5000;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    writeFileSync(join(place.folder, 'short'), readFileSync(file).subarray(0, 100_000));
    await client.clear();
    const whole = await run('restore', file);
    expect(whole.code).toBe(2);
    expect(whole.stderr).toMatch(/damaged at offset \d+: the checksum of the block is wrong/);
    expect((await run('restore', join(place.folder, 'short'))).stderr).toMatch(
      /its end is missing/,
    );
    expect((await run('scan')).stdout).toBe('');
    const reply = await fetch(`${server.httpUrl}/cache/restore`, { method: 'POST', body: bytes });
    expect(reply.status).toBe(400);
    const [, count] = /damaged at offset \d+.*; (\d+) items before/.exec(await reply.text()) ?? [];
    const keys = new Set<string>();
    for await (const key of client.scan()) keys.add(key);
    expect(keys.size).toBeGreaterThan(300);
    expect(keys.size).toBe(Number(count));
  });

  it('says what is wrong with a request', async () => {
    const ask = (path: string, method = 'POST') => fetch(server.httpUrl + path, { method });
    expect((await ask('/cache/backup', 'GET')).status).toBe(405);
    expect((await ask('/cache/backup?x')).status).toBe(400);
    expect((await ask('/cache/nothing')).status).toBe(404);
    expect((await ask('/cache/restore')).status).toBe(400);
    const file = join(place.folder, 'none', 'all.orlop');
    const run = await orlop(['backup', file, '--url', server.url]);
    expect(run.stderr).toContain('no such file or directory');
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('a client that does not read holds nobody up, and one that goes is forgotten', async () => {
    const stop = new AbortController();
    const url = `${server.httpUrl}/cache/backup`;
    const slow = await fetch(url, { method: 'POST', signal: stop.signal });
    expect(slow.status).toBe(200);
    for (let n = 0; n < 50; n++) expect(await client.get(`key ${n}`)).toBe(wanted(n));
    stop.abort();
    for (let tries = 0; tries < 100; tries++) {
      const again = await fetch(url, { method: 'POST' });
      await again.arrayBuffer();
      if (again.status === 200) return;
      expect(again.status).toBe(503);
    }
    throw new Error('the backup that nobody reads is still under way');
  });
});

it('needs the token, and survives a restart', async () => {
  const flags = ['--memory', '64mb', '--data-dir', join(place.folder, 'log'), '--fsync', 'always'];
  const token = 'secret-token-0123456789';
  const file = join(place.folder, 'all.orlop');
  const start = () => startServer({ flags: [...flags, '--auth-token', token] });
  let server = await start();
  const variables = { ORLOP_AUTH_TOKEN: token };
  const run = (...args: string[]) => orlop([...args, '--url', server.url], { variables });
  await run('set', 'a', '1');
  await run('set', 'b', '2');
  expect((await orlop(['backup', file, '--url', server.url])).stderr).toMatch(/token/);
  expect((await run('backup', file)).stdout).toMatch(/^2 items in /);
  await run('del', 'a', 'b');
  expect((await orlop(['restore', file, '--url', server.url])).stderr).toMatch(/token/);
  expect((await run('restore', file)).stdout).toMatch(/^2 of 2 items restored/);
  await server.stop('SIGKILL');
  server = await start();
  expect((await run('get', 'a')).stdout).toBe('1\n');
  expect((await run('get', 'b')).stdout).toBe('2\n');
  await server.stop();
});

/**
 * Bytes of memory that are a process's own. Pages of files, such as its code, the kernel takes away
 * and brings back as it likes.
 */
function ownBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
  return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024;
}

/** By how much a process grows at most while something is done. */
async function growthOf(pid: number, work: () => Promise<void>): Promise<number> {
  const before = ownBytes(pid);
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, ownBytes(pid));
  }, 5);
  await work();
  clearInterval(look);
  return most - before;
}

it('takes less than a twentieth more memory, and what is restored less than a tenth', async () => {
  const memoryBytes = 512 * 2 ** 20;
  const server = await startServer({ flags: ['--memory', '512mb', '--threads', '1'] });
  const client = connectTo(server);
  const value = Buffer.alloc(4000, 'value');
  for (let at = 0; at < 100_000; at += 1000) {
    await client.setMany(Array.from({ length: 1000 }, (_, n) => [`key ${at + n}`, value]));
  }
  await client.close();
  const file = join(place.folder, 'all.orlop');
  expect(ownBytes(server.pid)).toBeGreaterThan(400_000_000);
  const saving = await growthOf(server.pid, async () => {
    const saved = await orlop(['backup', file, '--url', server.url]);
    expect(saved.stdout).toMatch(/^100000 items/);
  });
  expect(saving).toBeLessThan(memoryBytes / 20);
  const restoring = await growthOf(server.pid, async () => {
    const back = await orlop(['restore', file, '--merge', '--url', server.url]);
    expect(back.stdout).toMatch(/; 100000 are older/);
  });
  // What came in each part is collected when there are some tens of megabytes of it.
  expect(restoring).toBeLessThan(memoryBytes / 10);
  await server.stop();
}, 400_000);

it('is encrypted with a key, and nobody reads it without', async () => {
  const server = await startServer({ flags: ['--memory', '64mb'] });
  const file = join(place.folder, 'sealed.orlop');
  const keyFile = join(place.folder, 'key');
  writeFileSync(keyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  const run = (...args: string[]) => orlop([...args, '--url', server.url]);
  const secret = 'a value that nobody must find';
  await run('set', 'key', secret);
  expect((await run('backup', file, '--data-key-file', keyFile)).stdout).toMatch(/^1 items/);
  expect(readFileSync(file).includes(secret)).toBe(false);
  await run('del', 'key');
  expect((await run('restore', file)).stderr).toMatch(/encrypted with the key/);
  const back = await run('restore', file, '--data-key-file', keyFile);
  expect(back.stdout).toMatch(/^1 of 1 items restored/);
  expect((await run('get', 'key')).stdout).toBe(`${secret}\n`);
  await server.stop();
});

it('goes into a node with less memory, and past values that it does not take', async () => {
  const file = join(place.folder, 'all.orlop');
  const large = await startServer({ flags: ['--memory', '128mb', '--max-value', '1mb'] });
  const client = connectTo(large);
  const items = Array.from({ length: 20_000 }, (_, n) => [`key ${n}`, 'x'.repeat(2000)] as const);
  for (let at = 0; at < items.length; at += 2000) await client.setMany(items.slice(at, at + 2000));
  await client.set('huge', Buffer.alloc(900_000));
  expect((await orlop(['backup', file, '--url', large.url])).code).toBe(0);
  await client.close();
  await large.stop();
  const small = await startServer({ flags: ['--memory', '16mb', '--max-value', '100kb'] });
  const back = await orlop(['restore', file, '--url', small.url, '--json']);
  expect(back.stderr).toBe('');
  const { restored, refused } = JSON.parse(back.stdout);
  expect([restored, refused]).toEqual([20_000, 1]);
  await small.stop();
});
