import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/index.js';
import { orlop } from '../e2e/support/command.js';
import { LISTENERS } from '../e2e/support/listeners.js';
import { RawSocket, set } from '../e2e/support/rawSocket.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach, using } from './support/place.js';

const place = placeForEach();

const start = (...flags: string[]): Promise<TestServer> =>
  startServer({ flags: ['--data-dir', place.log, ...flags] });

async function fill(client: Client): Promise<void> {
  await client.setMany(Array.from({ length: 500 }, (_, n) => [`key ${n}`, `value ${n}`]));
  await client.set('object', { a: [1, 2, 3] });
  await client.set('bytes', Uint8Array.of(1, 2, 3));
  await client.set('short', 'lived', { ttl: '1s' });
  await client.set('long', 'lived', { ttl: '1h' });
  await client.incr('counter', 41);
  await client.incr('counter');
  await client.del('key 7');
}

async function check(client: Client): Promise<void> {
  expect(await client.get('key 6')).toBe('value 6');
  expect(await client.get('key 7')).toBeUndefined();
  expect(await client.get('key 499')).toBe('value 499');
  expect(await client.get('object')).toEqual({ a: [1, 2, 3] });
  expect(await client.get('bytes')).toEqual(Uint8Array.of(1, 2, 3));
  expect(await client.get('short')).toBeUndefined();
  const { ttlMs } = (await client.getWithMeta('long')) ?? {};
  expect(ttlMs).toBeGreaterThan(3_500_000);
  expect(await client.get('counter')).toBe('42');
}

describe.each(LISTENERS)('a node with a log ($name)', ({ flags }) => {
  it('keeps what it confirmed when it is killed', async () => {
    let server = await start('--fsync', 'always', ...flags);
    await using(server, fill);
    await server.stop('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server = await start('--fsync', 'always', ...flags);
    await using(server, check);
    await using(server, (client) => client.clear());
    await using(server, (client) => client.set('after', 'the clear'));
    await server.stop('SIGKILL');
    server = await start('--fsync', 'always', ...flags);
    await using(server, async (client) => {
      expect(await client.get('key 6')).toBeUndefined();
      expect(await client.get('after')).toBe('the clear');
    });
    await server.stop();
  });

  it('answers fifty writers at once', async () => {
    const server = await start('--fsync', 'always', ...flags);
    const sockets = await Promise.all(
      Array.from({ length: 50 }, () => RawSocket.greeted(server.url)),
    );
    for (let round = 0; round < 20; round++) {
      for (const [n, socket] of sockets.entries()) socket.send(set(round, `k ${n}`, `${round}`));
      for (const socket of sockets) expect((await socket.take(1))[0]?.status).toBe(0);
    }
    const stats = await (await fetch(`${server.httpUrl}/v1/stats`)).json();
    expect(stats.log).toMatchObject({ fsync: 'always', state: 'running', records: 1000 });
    // Many share one sync.
    expect(stats.log.syncs).toBeLessThan(500);
    await server.stop();
  });
});

describe('a node with a log', () => {
  it.each(['everysec', 'never'])('keeps everything when it ends in order (%s)', async (fsync) => {
    let server = await start('--fsync', fsync);
    await using(server, fill);
    expect((await server.stop()).code).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    server = await start('--fsync', fsync);
    await using(server, check);
    expect((await server.stop()).code).toBe(0);
    const { stdout } = await orlop(['log', 'verify', place.log]);
    expect(stdout.match(/whole$/gm)).toHaveLength(2);
  });

  it('writes nothing without a folder', async () => {
    const server = await startServer();
    await using(server, fill);
    await server.stop();
    expect(existsSync(place.log)).toBe(false);
  });

  it('takes any number of arenas, and another one after a restart', async () => {
    for (const arenas of ['3', '1', '2']) {
      const server = await start('--fsync', 'always', '--arenas', arenas, '--memory', '96mb');
      if (arenas === '3') await using(server, fill);
      else await using(server, (client) => client.incr('starts'));
      await server.stop('SIGKILL');
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const server = await start('--arenas', '4', '--memory', '96mb');
    await using(server, check);
    await using(server, async (client) => {
      expect(await client.get('starts')).toBe('2');
      await client.clear();
    });
    await server.stop();
    const again = await start();
    await using(again, async (client) => expect(await client.get('starts')).toBeUndefined());
    await again.stop();
  });

  it('has its folder for itself', async () => {
    const server = await start();
    await expect(start()).rejects.toThrow(/another process uses/);
    await server.stop('SIGKILL');
    await (await start()).stop();
  });

  it('does not start over damage, says where it is, and starts when it is salvaged', async () => {
    const first = await start('--fsync', 'always');
    await using(first, (client) => client.set('a', '1'));
    await using(first, (client) => client.set('b', '2'));
    await using(first, (client) => client.set('c', '3'));
    await first.stop();
    const path = join(place.log, '0000000001.orlop');
    const bytes = readFileSync(path);
    bytes[128 + 50] = (bytes[128 + 50] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const refusal = await orlop(['serve', '--port', '0', '--data-dir', place.log]);
    expect(refusal.code).toBe(2);
    expect(refusal.stderr).toMatch(/0000000001.orlop, offset 128: .*orlop log salvage/);
    const salvage = await orlop(['log', 'salvage', place.log]);
    expect(salvage.stdout).toMatch(/2 records are now in 0000000002.orlop/);
    const server = await start();
    await using(server, async (client) => {
      expect(await client.getMany(['a', 'b', 'c'])).toEqual([undefined, '2', '3']);
    });
    await server.stop();
  });

  it('is alive but not ready while it loads', async () => {
    const server = await start('--memory', '512mb');
    const socket = await RawSocket.greeted(server.url);
    const value = Buffer.alloc(1000, 'x');
    for (let n = 0; n < 200_000; n += 1000) {
      socket.send(...Array.from({ length: 1000 }, (_, id) => set(id, `key ${n + id}`, value)));
      await socket.take(1000);
    }
    const { port } = server;
    await socket.close();
    await server.stop();
    const seen = new Set<string>();
    let starting = true;
    const again = start('--memory', '512mb', '--port', `${port}`).finally(() => {
      starting = false;
    });
    while (starting) {
      for (const path of ['livez', 'readyz', 'v1/keys/key%200']) {
        const reply = await fetch(`http://127.0.0.1:${port}/${path}`).catch(() => undefined);
        const body = (await reply?.json().catch(() => ({}))) as { error?: string } | undefined;
        if (reply !== undefined) seen.add(`${path} ${reply.status} ${body?.error ?? ''}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([...seen]).toContain('livez 200 ');
    expect([...seen]).toContain('readyz 503 LOADING');
    expect([...seen]).toContain('v1/keys/key%200 503 LOADING');
    const loaded = await again;
    expect(loaded.port).toBe(port);
    expect(loaded.output()).toMatch(/"records":200000,.*"msg":"loaded"/);
    await loaded.stop();
  });
});
