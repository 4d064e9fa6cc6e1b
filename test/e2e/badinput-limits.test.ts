/** Clients that hold on to what they should let go of: time, memory, connections. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { OP_PING, OP_SET } from '../../src/protocol/wire.js';
import { Friend } from './support/friend.js';
import { LISTENERS } from './support/listeners.js';
import { frameOf, get, hello, RawSocket, set } from './support/rawSocket.js';
import { type ServerOptions, startServer, type TestServer } from './support/server.js';

const MIB = 1024 * 1024;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function residentMiB(server: TestServer): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function metric(server: TestServer, name: string): Promise<number> {
  const page = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const line = page.split('\n').find((line) => line.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

async function until(holds: () => Promise<boolean>, withinMs: number): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it does not come to hold');
    await pause(50);
  }
}

/** A binary message of `length` bytes as a client frames it, all mask bytes zero. */
function framed(length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x82;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A WebSocket without a client library: cheap enough to have ten thousand of. */
async function bareSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET /v1 HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-protocol: orlop.v1\r\n\r\n',
  );
  await once(socket, 'data');
  const greeting = frameOf(hello());
  socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | greeting.length, 0, 0, 0, 0]), greeting]));
  await once(socket, 'data');
  return socket;
}

describe.each(LISTENERS)('limits ($name)', ({ flags }) => {
  let server: TestServer | undefined;
  const start = async (more: readonly string[], options: ServerOptions = {}) => {
    server = await startServer({ ...options, flags: [...flags, '--memory', '64mb', ...more] });
    return server;
  };
  afterEach(async () => {
    expect(await server?.stop()).toEqual({ code: 0, signal: null });
    server = undefined;
  });

  it('ends half frames, dripping ones too, and leaves idle clients alone', async () => {
    const { url } = await start(['--frame-timeout', '600ms']);
    const friend = await Friend.meet(url);
    const idle = await RawSocket.greeted(url);
    const silent = await RawSocket.open(url);
    const half = await RawSocket.greeted(url);
    const dripping = await RawSocket.greeted(url);
    half.stream.write(framed(1000));
    half.stream.write(Buffer.alloc(500));
    dripping.stream.write(framed(1000));
    const drip = setInterval(() => dripping.stream.write(Buffer.alloc(1)), 20);
    const start_ = performance.now();
    const ends = await Promise.all([silent.closed, half.closed, dripping.closed]);
    clearInterval(drip);
    expect(ends.map(({ code }) => code)).toEqual([4408, 4408, 4408]);
    expect(performance.now() - start_).toBeGreaterThan(500);
    expect(performance.now() - start_).toBeLessThan(2500);
    await pause(1500);
    expect((await idle.ask(get(1, 'k'))).status).toBe(1);
    await friend.part();
    await idle.close();
  });

  it('takes a large frame that arrives slowly but in time', async () => {
    const { url } = await start(['--frame-timeout', '5s']);
    const socket = await RawSocket.greeted(url);
    const frame = Buffer.from(frameOf(set(1, 'slow', Buffer.alloc(5 * MIB, 5))));
    socket.stream.write(framed(frame.length));
    for (let part = 0; part < 10; part++) {
      const size = Math.ceil(frame.length / 10);
      socket.stream.write(frame.subarray(part * size, (part + 1) * size));
      await pause(100);
    }
    expect((await socket.take(1))[0]).toMatchObject({ id: 1, status: 0 });
    await socket.close();
  });

  it('ends a reader that never reads, and its memory stays bounded', async () => {
    const limits = ['--max-value', '1mb', '--max-backpressure', '4mb', '--frame-timeout', '800ms'];
    const node = await start([...limits, '--max-pipelined', '4mb']);
    const friend = await Friend.meet(node.url);
    const before = residentMiB(node);
    const deaf = await RawSocket.greeted(node.url);
    await deaf.ask(set(1, 'big', Buffer.alloc(MIB)));
    deaf.stream.pause();
    for (let id = 0; id < 400; id++) deaf.send(get(id, 'big'));
    const slow = 'orlop_connections_refused_total{cause="slow_reader"}';
    await until(async () => (await metric(node, slow)) === 1, 5000);
    expect(residentMiB(node) - before).toBeLessThan(60);
    await friend.part();
    expect(friend.worstMs).toBeLessThan(1000);
    deaf.socket.terminate();
  });

  it('ends a client that goes on asking while it does not read', async () => {
    const limits = ['--max-value', '1mb', '--max-backpressure', '2mb', '--max-pipelined', '2mb'];
    const node = await start(limits);
    const friend = await Friend.meet(node.url);
    const deaf = await RawSocket.greeted(node.url);
    await deaf.ask(set(1, 'big', Buffer.alloc(MIB)));
    deaf.stream.pause();
    const frame = frameOf(...Array.from({ length: 500 }, (_, id) => get(id, 'big')));
    const pipelined = 'orlop_connections_refused_total{cause="pipelined"}';
    for (let sent = 0; sent < 40 * MIB && deaf.socket.readyState === 1; sent += frame.length) {
      deaf.socket.send(frame);
    }
    await until(async () => (await metric(node, pipelined)) === 1, 5000);
    deaf.stream.resume();
    expect([1006, 4413]).toContain((await deaf.closed).code);
    await friend.part();
  });

  it('turns connections away when it has as many as it may', async () => {
    const { url } = await start(['--max-connections', '5']);
    const sockets = await Promise.all(Array.from({ length: 5 }, () => RawSocket.greeted(url)));
    const sixth = await RawSocket.open(url);
    expect((await sixth.closed).code).toBe(1013);
    await sockets[0]?.close();
    await pause(100);
    const again = await RawSocket.greeted(url);
    expect((await again.ask({ id: 1, opcode: OP_PING })).status).toBe(0);
    for (const socket of [...sockets.slice(1), again]) await socket.close();
  });

  it('answers NO_SPACE for what can never fit, and goes on', async () => {
    const { url } = await start(['--memory', '40mb', '--max-value', '36mb']);
    const socket = await RawSocket.greeted(url);
    const huge = await socket.ask(set(1, 'huge', Buffer.alloc(36 * MIB)));
    expect([0, 23]).toContain(huge.status);
    expect((await socket.ask(set(2, 'small', 'x'))).status).toBe(0);
    await socket.close();
  });

  it('is not slowed by keys chosen to collide', async () => {
    const { url } = await start([]);
    const socket = await RawSocket.greeted(url);
    // All of these have one hash in the function that multiplies by 31 and adds.
    const colliding = Array.from({ length: 4096 }, (_, n) =>
      n.toString(2).padStart(12, '0').replaceAll('0', 'Aa').replaceAll('1', 'BB'),
    );
    const other = colliding.map((key, n) => `${n}`.padStart(key.length, 'k'));
    const time = async (keys: readonly string[]): Promise<number> => {
      const start = performance.now();
      for (let round = 0; round < 5; round++) {
        socket.send(...keys.map((key, id) => set(id, key, key)));
        socket.send(...keys.map((key, id) => get(id, key)));
        const answers = await socket.take(2 * keys.length);
        expect(answers.every(({ status }) => status === 0)).toBe(true);
      }
      return performance.now() - start;
    };
    await time(other);
    const usual = await time(other);
    expect(await time(colliding)).toBeLessThan(4 * usual + 100);
    await socket.close();
  });

  it('holds ten thousand idle connections', async () => {
    const node = await start(['--max-connections', '12000'], { openFiles: 16_384 });
    const friend = await Friend.meet(node.url);
    const before = residentMiB(node);
    const sockets: Socket[] = [];
    while (sockets.length < 10_000) {
      const batch = Array.from({ length: 250 }, () => bareSocket(node.port));
      sockets.push(...(await Promise.all(batch)));
    }
    expect(await metric(node, 'orlop_connections')).toBe(10_001);
    expect(residentMiB(node) - before).toBeLessThan(400);
    const late = await RawSocket.greeted(node.url);
    expect((await late.ask({ id: 1, opcode: OP_SET, key: 'k', value: 'v' })).status).toBe(0);
    await late.close();
    for (const socket of sockets) socket.destroy();
    await until(async () => (await metric(node, 'orlop_connections')) === 1, 10_000);
    await friend.part();
    expect(friend.worstMs).toBeLessThan(2000);
  });
});

describe.concurrent('half of an HTTP request', () => {
  it.each(LISTENERS)(
    'is ended ($name)',
    async ({ flags }) => {
      const server = await startServer({ flags: [...flags] });
      const half = connect(server.port, '127.0.0.1');
      half.on('error', () => {});
      half.on('data', () => {});
      half.write('GET /livez HTTP/1.1\r\nhost: a\r\n');
      const drip = setInterval(() => half.writable && half.write('x: y\r\n'), 500);
      await once(half, 'close');
      clearInterval(drip);
      await server.stop();
    },
    40_000,
  );
});
