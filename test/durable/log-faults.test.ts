/** A node whose disk fails, by way of calls of the kernel that strace makes fail. */
import { describe, expect, it } from 'vitest';
import { OP_GET } from '../../src/protocol/wire.js';
import { RawSocket, set } from '../e2e/support/rawSocket.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { placeForEach } from './support/place.js';

const place = placeForEach();

/** Starts a node of which strace makes calls fail: `fdatasync:error=EIO:when=7`. */
function startFaulty(fault: string, ...flags: string[]): Promise<TestServer> {
  const [call = ''] = fault.split(':');
  const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`];
  return startServer({
    under: [...under, '-e', `inject=${fault}`],
    flags: ['--data-dir', place.log, ...flags],
  });
}

const http = async (server: TestServer, path: string, init: RequestInit = {}) => {
  const reply = await fetch(`${server.httpUrl}${path}`, init);
  const body = await reply.text();
  return { status: reply.status, body, json: () => JSON.parse(body) };
};

/** Ends a node that runs under another program. */
async function endNode(server: TestServer): Promise<void> {
  const { pid } = (await http(server, '/v1/stats')).json().server;
  process.kill(pid, 'SIGTERM');
  await server.exited;
}

/**
 * Writes until a write is refused; what that was answered, and the last value that was confirmed.
 */
async function writeUntilRefused(
  server: TestServer,
): Promise<{ status: number; error: string; confirmed: number }> {
  for (let n = 0; n < 500; n++) {
    const reply = await http(server, '/v1/keys/key', { method: 'PUT', body: `${n}` });
    if (reply.status !== 204) {
      return { status: reply.status, error: reply.json().error, confirmed: n - 1 };
    }
  }
  throw new Error('nothing was refused');
}

describe('a sync that fails', () => {
  it('ends all confirmation, while reads go on', async () => {
    const server = await startFaulty('fdatasync:error=EIO:when=8', '--fsync', 'always');
    const { status, error, confirmed } = await writeUntilRefused(server);
    expect([status, error]).toEqual([500, 'DISK_FAILED']);
    for (let n = 0; n < 5; n++) {
      const reply = await http(server, '/v1/keys/key', { method: 'PUT', body: 'more' });
      expect([reply.status, reply.json().error]).toEqual([500, 'DISK_FAILED']);
    }
    const read = await http(server, '/v1/keys/key');
    expect(read.status).toBe(200);
    expect(Number(read.body)).toBeGreaterThanOrEqual(confirmed);
    expect((await http(server, '/livez')).status).toBe(200);
    const ready = await http(server, '/readyz');
    expect([ready.status, ready.json().error]).toEqual([503, 'DISK_FAILED']);
    expect((await http(server, '/metrics')).body).toMatch(/^orlop_log_state\{state="failed"\} 1$/m);
    expect(server.output()).toMatch(/"reason":"EIO[^\n]*"msg":"the log failed/);
    await endNode(server);
    const again = await startServer({ flags: ['--data-dir', place.log, '--fsync', 'always'] });
    const kept = await http(again, '/v1/keys/key');
    expect(Number(kept.body)).toBeGreaterThanOrEqual(confirmed);
    await again.stop();
  });
});

describe('a full disk', () => {
  it.each(['always', 'everysec'])('refuses writes until it has room (%s)', async (fsync) => {
    const server = await startFaulty('pwrite64:error=ENOSPC:when=12..30', '--fsync', fsync);
    const first = await writeUntilRefused(server);
    expect([first.status, first.error]).toEqual([507, 'DISK_FULL']);
    expect((await http(server, '/v1/keys/key')).status).toBe(200);
    expect((await http(server, '/readyz')).status).toBe(200);
    const stats = (await http(server, '/v1/stats')).json();
    expect(stats.log).toMatchObject({ state: 'full', fulls: 1 });
    const socket = await RawSocket.greeted(server.url);
    expect((await socket.ask(set(1, 'key', 'v'))).status).toBe(28);
    for (let looks = 0; looks < 200; looks++) {
      const reply = await http(server, '/v1/keys/key', { method: 'PUT', body: '1000' });
      if (reply.status === 204) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await http(server, '/v1/stats')).json().log.state).toBe('running');
    expect(server.output()).toMatch(/"msg":"the disk has room again"/);
    await endNode(server);
    const again = await startServer({ flags: ['--data-dir', place.log] });
    expect((await http(again, '/v1/keys/key')).body).toBe('1000');
    await again.stop();
  });
});

describe('a slow disk', () => {
  it('holds answers back that tell of changes, and nothing else', async () => {
    const server = await startFaulty('fdatasync:delay_enter=400000', '--fsync', 'always');
    const sockets = await Promise.all([1, 2, 3].map(() => RawSocket.greeted(server.url)));
    const [reader, ...writers] = sockets as [RawSocket, ...RawSocket[]];
    const startMs = performance.now();
    const slow = writers.map((socket, n) => socket.ask(set(1, `key ${n}`, 'v')));
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const askedMs = performance.now();
      await reader.ask({ id: n, opcode: OP_GET, key: 'none' });
      waits.push(performance.now() - askedMs);
    }
    for (const answer of await Promise.all(slow)) expect(answer.status).toBe(0);
    expect(performance.now() - startMs).toBeGreaterThan(400);
    expect(waits.sort((a, b) => a - b)[10]).toBeLessThan(200);
    for (const socket of sockets) socket.socket.terminate();
    await endNode(server);
  });

  it('bounds what waits, and says that it is busy', async () => {
    const flags = ['--fsync', 'everysec', '--max-value', '1mb'];
    const server = await startFaulty('fdatasync:delay_enter=4000000:when=3+', ...flags);
    const socket = await RawSocket.greeted(server.url);
    const value = Buffer.alloc(500_000, 'x');
    let [busy, pending] = [0, 0];
    const endMs = performance.now() + 10_000;
    for (let n = 0; busy === 0 && performance.now() < endMs; n++) {
      const { status } = await socket.ask(set(n, `key ${n % 20}`, value));
      if (status === 21) busy++;
      else expect(status).toBe(0);
      if (n % 10 !== 0) continue;
      const { log } = (await http(server, '/v1/stats')).json();
      pending = Math.max(pending, log.pendingBytes);
    }
    expect(busy).toBeGreaterThan(0);
    expect(pending).toBeLessThan(20_000_000);
    const metrics = (await http(server, '/metrics')).body;
    expect(metrics).toMatch(/^orlop_log_deferred_total [1-9]/m);
    socket.socket.terminate();
    await endNode(server);
  });
});
