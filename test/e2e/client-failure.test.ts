import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import {
  type Client,
  type ClientEvent,
  type ClientOptions,
  connect,
  OrlopError,
} from '../../src/client/index.js';
import { LISTENERS } from './support/listeners.js';
import { freePort } from './support/ports.js';
import { startServer } from './support/server.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const clients: Client[] = [];

function open(url: string, options?: ClientOptions): Client {
  const client = connect(url, options);
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ drainMs: 100 })));
});

async function errorOf(promise: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startMs = performance.now();
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - startMs };
}

async function until(what: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await what())) {
    if (performance.now() > endMs) throw new Error('it never became true');
    await sleep(20);
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('where there is no node', () => {
  test('calls fail at their deadline and say why', async () => {
    const client = open(`ws://127.0.0.1:${await freePort()}`, { timeoutMs: 300 });
    const [read, write] = await Promise.all([
      errorOf(client.get('k')),
      errorOf(client.setMany([['k', 1]], { timeoutMs: 100 })),
    ]);
    expect(read.error).toMatchObject({ code: 'TIMEOUT', outcome: 'none' });
    expect((read.error as Error).message).toContain('ECONNREFUSED');
    expect(read.tookMs).toBeGreaterThan(290);
    expect(read.tookMs).toBeLessThan(1000);
    expect(write.tookMs).toBeLessThan(600);
  });

  test('a server that accepts and says nothing, or says nonsense, is no better', async () => {
    const open_ = new Set<Socket>();
    const silent = createServer((socket) => open_.add(socket.on('error', () => undefined)));
    const nonsense = createServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 200 fine\r\n\r\nhello');
    });
    const web = createHttpServer((_, reply) => reply.writeHead(404).end());
    for (const server of [silent, nonsense, web]) {
      const events: ClientEvent[] = [];
      const client = open(`ws://127.0.0.1:${await listening(server)}`, {
        timeoutMs: 400,
        connectTimeoutMs: 100,
        onEvent: (event) => events.push(event),
      });
      const { error, tookMs } = await errorOf(client.get('k'));
      expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'none' });
      expect(tookMs).toBeLessThan(1500);
      expect(events.length).toBeGreaterThan(0);
      expect(new Set(events.map((event) => event.type))).toEqual(new Set(['disconnected']));
      await client.close();
      server.close();
    }
    for (const socket of open_) socket.destroy();
  });

  test('a program ends by itself, without closing the client and without a crash', async () => {
    const client = packageFile('dist', 'src', 'client', 'index.js');
    const program = `
      const { connect } = await import(${JSON.stringify(client)});
      const cache = connect('ws://127.0.0.1:${await freePort()}', { timeoutMs: 200 });
      cache.get('never looked at').catch(() => undefined);
      try { await cache.get('k'); } catch (error) { console.log(error.code, error.outcome); }
    `;
    const flags = ['--unhandled-rejections=strict', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    const [code] = await once(child, 'exit');
    expect([output.trim(), code]).toEqual(['TIMEOUT none', 0]);
  });
});

describe.each(LISTENERS)('when a node goes away ($name)', ({ flags }) => {
  test('by SIGKILL, calls fail at once, and go on when it is back', async () => {
    // Given a port, not 0: uWebSockets.js lets go of a port at once only if it was asked for it.
    const onPort = [...flags, '--port', String(await freePort())];
    const server = await startServer({ flags: onPort });
    const client = open(server.url, { timeoutMs: 20_000 });
    await client.set('k', 'v');
    server.process.kill('SIGSTOP');
    const sent = errorOf(client.set('k', 'w'));
    await sleep(100);
    await server.stop('SIGKILL');
    const { error, tookMs } = await sent;
    expect(error).toMatchObject({ code: 'DISCONNECTED', outcome: 'unknown' });
    expect(tookMs).toBeLessThan(5000);
    const patient = client.get('k');
    const again = await startServer({ flags: onPort });
    expect(await patient).toBeUndefined();
    expect(await client.set('k', 'again')).toBe(true);
    await again.stop();
  });

  test('by SIGSTOP, calls fail at their deadline, and go on when it wakes', async () => {
    const server = await startServer({ flags });
    const client = open(server.url, { timeoutMs: 200 });
    await client.set('k', 'v');
    server.process.kill('SIGSTOP');
    const failed = await Promise.all(
      Array.from({ length: 100 }, (_, i) => errorOf(client.set(`k${i}`, 'w'))),
    );
    for (const { error, tookMs } of failed) {
      expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' });
      expect(tookMs).toBeLessThan(1500);
    }
    server.process.kill('SIGCONT');
    await until(async () => (await errorOf(client.get('k'))).error === undefined);
    expect(await client.get('k', { timeoutMs: 5000 })).toBe('v');
    await server.stop();
  });

  test('by SIGTERM, every call is answered or fails with an OrlopError', async () => {
    const server = await startServer({ flags });
    const events: ClientEvent[] = [];
    const client = open(server.url, { timeoutMs: 2000, onEvent: (event) => events.push(event) });
    await client.ping();
    const codes = new Map<string, number>();
    const count = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
    let calling = true;
    const callers = Array.from({ length: 20 }, async (_, caller) => {
      for (let i = 0; calling; i++) {
        const { error } = await errorOf(client.set(`${caller}:${i}`, 'v'));
        if (error !== undefined) expect(error).toBeInstanceOf(OrlopError);
        count(error === undefined ? 'OK' : (error as OrlopError).code);
      }
    });
    await sleep(200);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await sleep(50);
    calling = false;
    await Promise.all(callers);
    expect(codes.get('OK')).toBeGreaterThan(20);
    const lost = events.find((event) => event.type === 'disconnected');
    expect(lost?.type === 'disconnected' && lost.error).toMatchObject({ closeCode: 1001 });
  });
});

describe('a token', () => {
  const token = 'correct horse';

  test('that is right lets the client in, from the options or the URL', async () => {
    const server = await startServer({ environment: { ORLOP_AUTH_TOKEN: 'correct-horse' } });
    const byOption = open(server.url, { token: 'correct-horse' });
    expect(await byOption.set('k', 'v')).toBe(true);
    const byUrl = open(server.url.replace('ws://', 'ws://:correct-horse@'));
    expect(await byUrl.get('k')).toBe('v');
    await server.stop();
  });

  test.each([
    ['wrong', { token }],
    ['missing', {}],
  ])(
    'that is %s ends the client with a typed error, and it does not try again',
    async (_, options) => {
      const server = await startServer({ environment: { ORLOP_AUTH_TOKEN: 'correct-horse' } });
      const events: ClientEvent[] = [];
      const client = open(server.url, { ...options, onEvent: (event) => events.push(event) });
      const { error, tookMs } = await errorOf(client.get('k'));
      expect(error).toMatchObject({ name: 'UnauthenticatedError', code: 'UNAUTHENTICATED' });
      expect(tookMs).toBeLessThan(3000);
      await sleep(500);
      expect(events.map((event) => event.type)).toEqual(['failed']);
      expect((await errorOf(client.set('k', 1))).error).toMatchObject({ code: 'UNAUTHENTICATED' });
      await server.stop();
    },
  );
});

describe('closing', () => {
  test('waits for what is under way', async () => {
    const server = await startServer();
    const client = connect(server.url);
    const entries = Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i] as const);
    const stored = client.setMany(entries);
    const last = client.set('last', 'v');
    await client.ping();
    await client.close();
    expect(await stored).toBe(20_000);
    expect(await last).toBe(true);
    await expect(client.get('k')).rejects.toMatchObject({ code: 'CLOSED' });
    await server.stop();
  });
});
