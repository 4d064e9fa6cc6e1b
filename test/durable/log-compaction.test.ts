import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach } from './support/place.js';

const place = placeForEach();

const FLAGS = ['--memory', '32mb', '--max-value', '100kb', '--data-file-size', '1mb'];
const KEYS = 2000;

const start = (...flags: string[]): Promise<TestServer> =>
  startServer({ flags: [...FLAGS, '--data-dir', place.log, ...flags] });

/** What the folder holds, in bytes. */
function folderBytes(): number {
  // The next manifest is there for a moment.
  const sizes = readdirSync(place.log).map((name) => {
    return statSync(join(place.log, name), { throwIfNoEntry: false })?.size ?? 0;
  });
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function figure(server: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Sets every key `rounds` times, and deletes some. */
async function overwrite(client: Client, from: number, rounds: number): Promise<void> {
  for (let round = from; round < from + rounds; round++) {
    for (let at = 0; at < KEYS; at += 200) {
      const keys = Array.from({ length: 200 }, (_, n) => at + n);
      await client.setMany(keys.map((n) => [`key ${n}`, `${round} `.padEnd(1000, 'x')]));
    }
    await client.set(`once ${round}`, 'kept');
    await client.del(`key ${round}`);
  }
}

async function check(client: Client, last: number): Promise<void> {
  for (let n = 0; n < KEYS; n += 10) {
    const value = await client.get<string>(`key ${n}`);
    if (n === last) expect(value).toBeUndefined();
    else expect(value?.split(' ')[0]).toBe(String(last));
  }
  for (let round = 0; round <= last; round++)
    expect(await client.get(`once ${round}`)).toBe('kept');
}

it('the log of a node stays within its bound, and a killed node has everything', async () => {
  let server = await start('--fsync', 'always', '--threads', '2');
  let client = connect(server.url, { timeoutMs: 20_000 });
  await overwrite(client, 0, 21);
  for (let looks = 0; folderBytes() > 10_000_000 && looks < 100; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(folderBytes()).toBeLessThan(10_000_000);
  // How many there are is a matter of speed: the faster the writes, the more one has to do.
  await expect.poll(() => figure(server, 'orlop_log_compactions_total')).toBeGreaterThan(0);
  await expect
    .poll(() => figure(server, 'orlop_log_written_bytes_total'))
    .toBeGreaterThan(40_000_000);
  await expect.poll(() => server.output()).toContain('"msg":"compacted the log"');
  await client.close();
  await server.stop('SIGKILL');
  expect((await orlop(['log', 'verify', place.log])).code).toBe(0);
  server = await start();
  client = connect(server.url, { timeoutMs: 20_000 });
  await check(client, 20);
  await overwrite(client, 21, 10);
  await client.close();
  await server.stop();
  server = await start();
  client = connect(server.url, { timeoutMs: 20_000 });
  await check(client, 30);
  await client.close();
  await server.stop();
}, 120_000);

it('what memory evicted stays readable where compaction has put it', async () => {
  const server = await start('--tier', 'ssd:20mb', '--memory', '24mb', '--threads', '1');
  const client = connect(server.url, { timeoutMs: 20_000 });
  const value = (n: number, round: number): string => `${n} ${round} `.padEnd(1000, 'y');
  const keys = 30_000;
  const newest = new Map<number, number>();
  for (let round = 0; round < 12; round++) {
    for (let at = 0; at < keys; at += 500) {
      // The first round sets all, the others every second key.
      const numbers = Array.from({ length: 500 }, (_, n) => at + n);
      const some = numbers.filter((n) => round === 0 || n % 2 === 0);
      for (const n of some) newest.set(n, round);
      await client.setMany(some.map((n) => [`key ${n}`, value(n, round)]));
    }
  }
  for (let looks = 0; looks < 200; looks++) {
    if ((await figure(server, 'orlop_log_dropped_bytes_total')) > 20_000_000) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await figure(server, 'orlop_log_dropped_bytes_total')).toBeGreaterThan(20_000_000);
  let found = 0;
  for (let n = 0; n < keys; n += 20) {
    for (const key of [n, n + 1]) {
      const seen = await client.get<string>(`key ${key}`);
      if (seen === undefined) continue;
      found++;
      expect(seen).toBe(value(key, newest.get(key) ?? -1));
    }
  }
  expect(found).toBeGreaterThan((keys / 20) * 2 * 0.8);
  await client.close();
  await server.stop();
}, 120_000);
