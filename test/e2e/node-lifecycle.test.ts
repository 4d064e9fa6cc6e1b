/** How nodes end, and how they go on when a part of them ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, test } from 'vitest';
import { Friend } from './support/friend.js';
import { LISTENERS } from './support/listeners.js';
import { type Closed, get, RawSocket, set } from './support/rawSocket.js';
import { startServer, type TestServer } from './support/server.js';

const MIB = 1024 * 1024;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(LISTENERS)('the end of a node ($name)', ({ flags }) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'tells clients why on %s, and exits 0',
    async (signal) => {
      const server = await startServer({ flags: [...flags] });
      const sockets = await Promise.all(
        Array.from({ length: 20 }, () => RawSocket.greeted(server.url)),
      );
      for (const socket of sockets) socket.send(set(1, 'last', 'words'), get(2, 'last'));
      const start = performance.now();
      const exit = server.stop(signal);
      for (const socket of sockets) {
        expect(await socket.closed).toEqual({ code: 1001, reason: 'the node shuts down' });
      }
      expect(await exit).toEqual({ code: 0, signal: null });
      expect(performance.now() - start).toBeLessThan(3000);
    },
  );

  it('answers everything that had arrived', async () => {
    const server = await startServer({ flags: [...flags, '--max-value', '1mb'] });
    const socket = await RawSocket.greeted(server.url);
    await socket.ask(set(0, 'big', Buffer.alloc(MIB, 1)));
    for (let id = 1; id <= 100; id++) socket.send(get(id, 'big'));
    await socket.take(1);
    const exit = server.stop();
    expect((await socket.closed).code).toBe(1001);
    expect(socket.answers.map(({ id }) => id)).toEqual(Array.from({ length: 99 }, (_, n) => n + 2));
    expect((await exit).code).toBe(0);
  });

  it('does not wait for a client that does not read', async () => {
    const limits = ['--max-value', '1mb', '--drain-timeout', '1s'];
    const server = await startServer({ flags: [...flags, ...limits] });
    const deaf = await RawSocket.greeted(server.url);
    await deaf.ask(set(0, 'big', Buffer.alloc(MIB)));
    deaf.stream.pause();
    for (let id = 1; id <= 50; id++) deaf.send(get(id, 'big'));
    await pause(200);
    const start = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(4000);
    deaf.socket.terminate();
  });

  it('does not wait for half of a request', async () => {
    const server = await startServer({ flags: [...flags] });
    const half = connect(server.port, '127.0.0.1');
    half.on('error', () => {});
    half.write('PUT /v1/keys/a HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc');
    const socket = await RawSocket.greeted(server.url);
    socket.stream.write(Buffer.from([0x82, 0xfe, 0x10, 0, 0, 0, 0, 0, 1]));
    await pause(100);
    const start = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(3000);
    half.destroy();
  });

  it('takes no new connections while it ends', async () => {
    const limits = ['--max-value', '1mb', '--drain-timeout', '2s'];
    const server = await startServer({ flags: [...flags, ...limits] });
    const deaf = await RawSocket.greeted(server.url);
    await deaf.ask(set(0, 'big', Buffer.alloc(MIB)));
    deaf.stream.pause();
    for (let id = 1; id <= 50; id++) deaf.send(get(id, 'big'));
    await pause(200);
    const exit = server.stop();
    await pause(300);
    const late = connect(server.port, '127.0.0.1');
    const [error] = await once(late, 'error');
    expect(error.code).toBe('ECONNREFUSED');
    expect((await exit).code).toBe(0);
    deaf.socket.terminate();
  });

  it('ends at once on a second signal', async () => {
    const limits = ['--max-value', '1mb', '--drain-timeout', '60s'];
    const server = await startServer({ flags: [...flags, ...limits] });
    const deaf = await RawSocket.greeted(server.url);
    await deaf.ask(set(0, 'big', Buffer.alloc(MIB)));
    deaf.stream.pause();
    for (let id = 1; id <= 50; id++) deaf.send(get(id, 'big'));
    await pause(200);
    void server.stop();
    await pause(300);
    const start = performance.now();
    expect((await server.stop()).signal).toBe('SIGTERM');
    expect(performance.now() - start).toBeLessThan(1000);
    deaf.socket.terminate();
  });
});

describe.each(['1', '3'])('an I/O thread over %s arenas that fails', (arenas) => {
  const logged = async (server: TestServer, message: string, count: number): Promise<void> => {
    const seen = (): number => server.output().split(message).length - 1;
    for (let looks = 0; looks < 500 && seen() < count; looks++) await pause(20);
    expect(seen()).toBe(count);
  };
  const FAILED = 'an I/O thread failed';
  const SERVES = 'an I/O thread serves';
  const environment = { ORLOP_REHEARSE_FAILURE: '1' };

  it('is replaced, and the others do not notice', async () => {
    const threads = ['--listener', 'native', '--threads', '2', '--log-level', 'debug'];
    const flags = [...threads, '--arenas', arenas, '--memory', '192mb'];
    const server = await startServer({ flags, environment });
    const writer = await RawSocket.greeted(server.url);
    for (let id = 0; id < 1000; id++) writer.send(set(id, `kept:${id}`, `${id}`));
    await writer.take(1000);
    for (let round = 1; round <= 10; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 8 }, () => RawSocket.greeted(server.url)),
      );
      const ends: Closed[] = [];
      for (const socket of sockets) void socket.closed.then((end) => ends.push(end));
      for (const socket of sockets)
        for (let id = 0; id < 50; id++) socket.send(get(id, `kept:${id}`));
      process.kill(server.pid, 'SIGUSR2');
      await logged(server, FAILED, round);
      await logged(server, SERVES, 2 + round);
      const end = { code: 1011, reason: 'an I/O thread failed; connect again' };
      expect(ends).toEqual([end, end, end, end]);
      const left = sockets.filter(({ socket }) => socket.readyState === 1);
      for (const socket of left) {
        expect((await socket.take(50)).every(({ status }) => status === 0)).toBe(true);
        await socket.close().catch(() => {});
      }
    }
    const reader = await Promise.all([
      RawSocket.greeted(server.url),
      RawSocket.greeted(server.url),
    ]);
    for (const socket of reader) {
      for (let id = 0; id < 1000; id++) socket.send(get(id, `kept:${id}`));
      const answers = await socket.take(1000);
      expect(answers.every(({ id, body }) => Buffer.from(body).toString() === `${id}`)).toBe(true);
      await socket.close();
    }
    writer.socket.terminate();
    await writer.closed;
    await pause(100);
    const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/^orlop_connections 0$/m);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('leaves the node serving when it is the only one', async () => {
    const flags = ['--listener', 'native', '--threads', '1', '--arenas', arenas];
    const server = await startServer({ flags, environment });
    process.kill(server.pid, 'SIGUSR2');
    await logged(server, FAILED, 1);
    const friend = await Friend.meet(server.url);
    await pause(200);
    await friend.part();
    expect((await fetch(`${server.httpUrl}/readyz`)).status).toBe(200);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('a main thread that fails', () => {
  it.each([
    ['native', ['--listener', 'native', '--threads', '0']],
    ['portable', ['--listener', 'portable']],
  ])('ends the process in an orderly way (%s)', async (_, flags) => {
    const environment = { ORLOP_REHEARSE_FAILURE: '1' };
    const server = await startServer({ flags, environment });
    const socket = await RawSocket.greeted(server.url);
    process.kill(server.pid, 'SIGUSR2');
    expect((await socket.closed).code).toBe(1001);
    const { code, signal } = await server.exited;
    expect(signal).toBeNull();
    expect(code).toBeGreaterThan(0);
    expect(server.output()).toMatch(/"msg":"the node failed"/);
  });
});

describe('a platform without uWebSockets.js', () => {
  const module = (code: string): string =>
    `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
  const hooks = `export async function resolve(name, context, next) {
    if (name === 'uWebSockets.js') throw new Error('no binary for this platform');
    return next(name, context);
  }`;
  const register = `import { register } from 'node:module';
    register('${module(hooks)}');`;
  const environment = { NODE_OPTIONS: `--import=${module(register)}` };

  it('is served by the portable listener, which says what to install', async () => {
    const server = await startServer({ flags: ['--threads', '2'], environment });
    expect(server.output()).toMatch(/"listener":"portable"/);
    expect(server.output()).toMatch(/no binary for this platform/);
    expect(server.output()).toMatch(/npm install/);
    const friend = await Friend.meet(server.url);
    await pause(100);
    await friend.part();
    expect((await server.stop()).code).toBe(0);
  });

  it('is refused when the native listener is asked for', async () => {
    const flags = ['--listener', 'native'];
    await expect(startServer({ flags, environment })).rejects.toThrow(/npm install/);
  });
});

test('a node whose log nobody reads any more goes on', async () => {
  const environment = { ORLOP_REHEARSE_FAILURE: '1' };
  const server = await startServer({ flags: ['--listener', 'native'], environment });
  server.process.stdout?.destroy();
  await pause(50);
  process.kill(server.pid, 'SIGUSR2');
  await pause(500);
  const friend = await Friend.meet(server.url);
  await pause(100);
  await friend.part();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describe('a port that is taken', () => {
  it.each(LISTENERS)('is named ($name)', async ({ flags }) => {
    const first = await startServer({ flags: [...flags] });
    const again = startServer({ flags: [...flags, '--port', String(first.port)] });
    await expect(again).rejects.toThrow(new RegExp(`cannot listen on 127.0.0.1:${first.port}`));
    await first.stop();
  });
});
