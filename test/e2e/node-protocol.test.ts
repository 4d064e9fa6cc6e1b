import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/base/version.js';
import { STATUS } from '../../src/protocol/status.js';
import {
  FLAG_TTL,
  FLAG_WITH_META,
  OP_CLEAR,
  OP_DELETE,
  OP_HELLO,
  OP_INCR,
  OP_MERGE,
  OP_PING,
  OP_SCAN,
  OP_SET,
} from '../../src/protocol/wire.js';
import { LISTENERS } from './support/listeners.js';
import { frameOf, get, hello, helloValue, RawSocket, set } from './support/rawSocket.js';
import { startServer, type TestServer } from './support/server.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe.each(LISTENERS)('the wire protocol ($name)', ({ flags }) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ flags: [...flags, '--memory', '64mb', '--max-value', '1mb'] });
  });
  afterAll(async () => {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it('greets with its version and its limits', async () => {
    const socket = await RawSocket.open(server.url);
    const answer = await socket.ask(hello(7));
    expect(answer).toMatchObject({ id: 7, status: STATUS.OK, opcode: OP_HELLO, hasValue: true });
    const { node, cluster, boot, run, ...greeting } = JSON.parse(text(answer.body));
    expect(node).toMatch(/^[A-Za-z0-9._-]+-\d+$/);
    // It is a cluster of its own as long as nobody else is there.
    expect(cluster).toEqual({ id: expect.stringMatching(/^[0-9a-f]{16}$/), number: 1 });
    for (const id of [boot, run]) expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(greeting).toEqual({
      server: `orlop/${VERSION}`,
      protocol: 1,
      maxKey: 65_535,
      maxValue: 1024 * 1024,
      maxFrame: 1024 * 1024 + 128 * 1024,
      session: true,
    });
    await socket.close();
  });

  it('answers ping, and nothing else, before hello', async () => {
    const socket = await RawSocket.open(server.url);
    socket.send({ id: 1, opcode: OP_PING, value: 'echo' }, get(2, 'a'), set(3, 'a', 'b'));
    const [ping, read, write] = await socket.take(3);
    expect(ping).toMatchObject({ id: 1, status: STATUS.OK });
    expect(text(ping?.body ?? new Uint8Array())).toBe('echo');
    expect(read).toMatchObject({ id: 2, status: STATUS.UNAUTHENTICATED });
    expect(write).toMatchObject({ id: 3, status: STATUS.UNAUTHENTICATED });
    expect(await socket.ask(hello(4))).toMatchObject({ id: 4, status: STATUS.OK });
    expect(await socket.ask(get(5, 'a'))).toMatchObject({ status: STATUS.NOT_FOUND });
    await socket.close();
  });

  it('executes what follows the hello in the same frame', async () => {
    const socket = await RawSocket.open(server.url);
    socket.send(hello(1), set(2, 'first', 'frame'), get(3, 'first'));
    const [greeting, write, read] = await socket.take(3);
    expect([greeting?.status, write?.status, read?.status]).toEqual([0, 0, 0]);
    expect(text(read?.body ?? new Uint8Array())).toBe('frame');
    await socket.close();
  });

  it('refuses another version of the protocol and closes', async () => {
    const socket = await RawSocket.open(server.url);
    const answer = await socket.ask(hello(1, '', 2));
    expect(answer.status).toBe(STATUS.UNSUPPORTED_VERSION);
    expect((await socket.closed).code).toBe(4400);
  });

  it('keeps the connection when a hello is merely malformed', async () => {
    const socket = await RawSocket.open(server.url);
    const bad = [
      { id: 1, opcode: OP_HELLO, value: helloValue() },
      { id: 2, opcode: OP_HELLO, key: 'x'.repeat(256), value: helloValue() },
      { id: 3, opcode: OP_HELLO, key: Uint8Array.of(0xff), value: helloValue() },
      { id: 4, opcode: OP_HELLO, key: 'test', value: Uint8Array.of(1, 0) },
      { id: 5, opcode: OP_HELLO, key: 'test', value: Uint8Array.of(1, 0, 1, 0) },
    ];
    for (const request of bad) {
      expect(await socket.ask(request)).toMatchObject({ id: request.id, status: 16 });
    }
    expect((await socket.ask(hello())).status).toBe(STATUS.OK);
    await socket.close();
  });

  it('stores, reads, counts, scans, removes and clears', async () => {
    const socket = await RawSocket.greeted(server.url);
    const stored = await socket.ask({
      id: 1,
      opcode: OP_SET,
      flags: FLAG_TTL | FLAG_WITH_META,
      ttlMs: 60_000,
      key: 'k',
      value: 'v',
    });
    const read = await socket.ask(get(2, 'k'));
    expect(text(read.body)).toBe('v');
    expect(read.version).toBe(stored.version);
    expect(read.ttlMs).toBeGreaterThan(50_000);
    const counted = await socket.ask({ id: 3, opcode: OP_INCR, key: 'n' });
    expect(text(counted.body)).toBe('1');
    const page = await socket.ask({ id: 4, opcode: OP_SCAN });
    expect(page.status).toBe(STATUS.OK);
    expect((await socket.ask({ id: 5, opcode: OP_DELETE, key: 'k' })).status).toBe(STATUS.OK);
    expect((await socket.ask(get(6, 'k'))).status).toBe(STATUS.NOT_FOUND);
    expect((await socket.ask({ id: 7, opcode: OP_CLEAR })).status).toBe(STATUS.OK);
    expect((await socket.ask(get(8, 'n'))).status).toBe(STATUS.NOT_FOUND);
    await socket.close();
  });

  it('does not let clients merge', async () => {
    const socket = await RawSocket.greeted(server.url);
    const merge = { id: 1, opcode: OP_MERGE, flags: 1 << 1, version: 1n, key: 'k', value: 'v' };
    expect((await socket.ask(merge)).status).toBe(STATUS.FORBIDDEN);
    await socket.close();
  });

  it('answers many frames of many connections, each in its order', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 10 }, () => RawSocket.greeted(server.url)),
    );
    await Promise.all(
      sockets.map(async (socket, who) => {
        for (let id = 0; id < 200; id++)
          socket.send(set(id, `own:${who}`, `${id}`), get(id, `own:${who}`));
        const answers = await socket.take(400);
        const reads = answers.filter(({ hasValue }) => hasValue);
        expect(answers.map(({ id }) => id)).toEqual(answers.map((_, index) => index >> 1));
        expect(reads.map(({ id, body }) => text(body) === `${id}`)).toEqual(reads.map(() => true));
      }),
    );
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  it('takes values up to the limit and answers TOO_LARGE above', async () => {
    const socket = await RawSocket.greeted(server.url);
    const largest = Buffer.alloc(1024 * 1024, 7);
    expect((await socket.ask(set(1, 'big', largest))).status).toBe(STATUS.OK);
    expect(Buffer.from((await socket.ask(get(2, 'big'))).body).equals(largest)).toBe(true);
    const larger = await socket.ask(set(3, 'bigger', Buffer.alloc(1024 * 1024 + 1)));
    expect(larger.status).toBe(STATUS.TOO_LARGE);
    expect((await socket.ask(get(4, 'bigger'))).status).toBe(STATUS.NOT_FOUND);
    await socket.close();
  });

  it('serves a reader that is slow but reads, whole and in order', async () => {
    const socket = await RawSocket.greeted(server.url);
    const value = Buffer.alloc(1024 * 1024, 9);
    await socket.ask(set(1, 'slow', value));
    socket.stream.pause();
    const count = 150;
    for (let id = 0; id < count; id++)
      socket.socket.send(frameOf(get(id, 'slow'), get(id, 'none')));
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.stream.resume();
    const answers = await socket.take(2 * count);
    // The order is that of each key.
    for (const found of [true, false]) {
      const ids = answers.filter(({ status }) => (status === 0) === found).map(({ id }) => id);
      expect(ids).toEqual(Array.from({ length: count }, (_, id) => id));
    }
    expect(
      answers.every(({ body, status }) => body.length === (status === 0 ? value.length : 0)),
    ).toBe(true);
    await socket.close();
  });
});
