/** Frames that make no sense: each gets a documented answer or close, and nobody else notices. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { STATUS } from '../../src/protocol/status.js';
import { OP_GET, OP_PING, OP_SET } from '../../src/protocol/wire.js';
import { Friend } from './support/friend.js';
import { LISTENERS } from './support/listeners.js';
import { frameOf, get, hello, RawSocket, set } from './support/rawSocket.js';
import { startServer, type TestServer } from './support/server.js';

const MAX_FRAME = 1024 * 1024 + 128 * 1024;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function withSize(frame: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(frame);
  copy.writeUInt32LE(size, 0);
  return copy;
}

/** What follows a request that is right; with the id that is still readable, if any. */
const MALFORMED: readonly (readonly [string, Uint8Array, number | undefined])[] = [
  ['three bytes', Uint8Array.of(1, 2, 3), undefined],
  ['size and id only', withSize(frameOf(get(9, 'k')), 8).subarray(0, 8), 9],
  ['a header cut short', frameOf(get(9, 'k')).subarray(0, 19), 9],
  ['a size below the header', withSize(frameOf(get(9, 'k')), 19), 9],
  ['a size of zero', withSize(frameOf(get(9, 'k')), 0), 9],
  ['a size beyond the frame', withSize(frameOf(get(9, 'k')), 22), 9],
  ['the largest size', withSize(frameOf(get(9, 'k')), 0xffffffff), 9],
  ['a key beyond its request', withSize(frameOf(get(9, 'long key')), 24).subarray(0, 24), 9],
  [
    'fields beyond their request',
    withSize(frameOf({ id: 9, opcode: OP_SET, flags: 0x7f, key: 'k' }), 40).subarray(0, 40),
    9,
  ],
];

/** A request with one header byte changed: refused, but the connection goes on. */
const REFUSED: readonly (readonly [string, number, number, number])[] = [
  ['an unknown opcode', 8, 0xff, STATUS.UNSUPPORTED],
  ['opcode zero', 8, 0, STATUS.UNSUPPORTED],
  ['a lease', 8, 0x20, STATUS.UNSUPPORTED],
  ['a topology request with a key', 8, 0x30, STATUS.BAD_REQUEST],
  ['a reserved topology request', 8, 0x3f, STATUS.UNSUPPORTED],
  ['a subscription', 8, 0x40, STATUS.UNSUPPORTED],
  ['a transaction', 8, 0x50, STATUS.UNSUPPORTED],
  ['a consistency level that there is not', 9, 3, STATUS.UNSUPPORTED],
  ['a namespace', 10, 1, STATUS.BAD_NAMESPACE],
  ['a flag that get does not have', 13, 0x20, STATUS.BAD_REQUEST],
  ['a reserved type', 18, 0x10, STATUS.BAD_REQUEST],
  ['a byte that must be zero', 19, 1, STATUS.BAD_REQUEST],
];

describe.each(LISTENERS)('frames that make no sense ($name)', ({ flags }) => {
  let server: TestServer;
  let friend: Friend;
  beforeAll(async () => {
    server = await startServer({ flags: [...flags, '--memory', '64mb', '--max-value', '1mb'] });
    friend = await Friend.meet(server.url);
  });
  afterAll(async () => {
    await friend.part();
    expect(friend.served).toBeGreaterThan(10);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  it.each(MALFORMED)('closes on %s, after answering what came before', async (_, bytes, id) => {
    const socket = await RawSocket.greeted(server.url);
    socket.socket.send(join(frameOf(set(8, 'before', 'it')), bytes));
    expect(await socket.closed).toEqual({ code: 4400, reason: 'malformed frame' });
    const expected = [{ id: 8, status: 0 }, ...(id === undefined ? [] : [{ id, status: 16 }])];
    expect(socket.answers.map(({ id, status }) => ({ id, status }))).toEqual(expected);
  });

  it.each(MALFORMED)('closes on %s before hello, too', async (_, bytes, id) => {
    const socket = await RawSocket.open(server.url);
    socket.socket.send(join(frameOf({ id: 8, opcode: OP_PING }), bytes));
    expect(await socket.closed).toEqual({ code: 4400, reason: 'malformed frame' });
    const expected = [{ id: 8, status: 0 }, ...(id === undefined ? [] : [{ id, status: 16 }])];
    expect(socket.answers.map(({ id, status }) => ({ id, status }))).toEqual(expected);
  });

  it.each(REFUSED)('refuses %s and goes on', async (_, at, byte, status) => {
    const socket = await RawSocket.greeted(server.url);
    const bad = Buffer.from(frameOf(get(1, 'k')));
    bad[at] = byte;
    socket.socket.send(join(bad, frameOf(get(2, 'k'))));
    const [refused, served] = await socket.take(2);
    expect([refused?.id, refused?.status]).toEqual([1, status]);
    expect([served?.id, served?.status]).toEqual([2, STATUS.NOT_FOUND]);
    await socket.close();
  });

  it('refuses an empty key and a value where none belongs', async () => {
    const socket = await RawSocket.greeted(server.url);
    expect((await socket.ask({ id: 1, opcode: OP_GET })).status).toBe(STATUS.BAD_REQUEST);
    const withValue = { id: 2, opcode: OP_GET, key: 'k', value: 'v' };
    expect((await socket.ask(withValue)).status).toBe(STATUS.BAD_REQUEST);
    await socket.close();
  });

  it('closes on an empty message', async () => {
    for (const socket of [await RawSocket.open(server.url), await RawSocket.greeted(server.url)]) {
      socket.socket.send(Buffer.alloc(0));
      expect((await socket.closed).code).toBe(4400);
    }
  });

  it('closes on text', async () => {
    for (const socket of [await RawSocket.open(server.url), await RawSocket.greeted(server.url)]) {
      socket.socket.send('GET k');
      expect(await socket.closed).toEqual({
        code: 1003,
        reason: 'only binary messages are spoken here',
      });
    }
  });

  it('answers what came before text', async () => {
    const socket = await RawSocket.greeted(server.url);
    socket.send(set(1, 'before', 'text'), get(2, 'before'));
    socket.socket.send('now text');
    expect((await socket.closed).code).toBe(1003);
    expect(socket.answers.map(({ id, status }) => [id, status])).toEqual([
      [1, 0],
      [2, 0],
    ]);
  });

  it('closes on text that is not UTF-8', async () => {
    const socket = await RawSocket.greeted(server.url);
    socket.stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]));
    expect([1006, 1007]).toContain((await socket.closed).code);
  });

  it('takes the longest frame and closes on a longer one', async () => {
    const socket = await RawSocket.greeted(server.url);
    const ping = (bytes: number): Uint8Array =>
      frameOf({ id: 1, opcode: OP_PING, value: Buffer.alloc(bytes - 20) });
    socket.socket.send(ping(MAX_FRAME));
    expect((await socket.take(1))[0]?.id).toBe(1);
    socket.socket.send(ping(MAX_FRAME + 1));
    expect((await socket.closed).code).toBe(1009);
  });

  it('ends a connection that announces far too much', async () => {
    const socket = await RawSocket.greeted(server.url);
    const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0x40, 0, 0, 0, 0, 1, 2, 3, 4]);
    socket.stream.write(head);
    expect([1006, 1009]).toContain((await socket.closed).code);
  });

  it('survives noise below the framing', async () => {
    const random = seededRandom(20);
    const sockets = await Promise.all(
      Array.from({ length: 40 }, () => RawSocket.greeted(server.url)),
    );
    for (const { stream } of sockets) stream.write(random.bytes(1 + random.below(4096)));
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const { socket } of sockets) socket.terminate();
    await Promise.all(sockets.map(({ closed }) => closed));
  });

  it('survives noise within the framing', async () => {
    const random = seededRandom(21);
    for (let round = 0; round < 100; round++) {
      const socket = await RawSocket.greeted(server.url);
      const bytes = Buffer.from(random.bytes(1 + random.below(200)));
      if (bytes.length > 24) bytes.writeUInt32LE(20 + random.below(bytes.length - 20), 0);
      if (bytes[8] === 0x17) bytes[8] = 0x10;
      socket.socket.send(bytes);
      socket.send({ id: 0, opcode: OP_PING });
      const alive = socket.take(1).then(
        () => 'answered',
        () => 'closed',
      );
      expect(['answered', 'closed']).toContain(await alive);
      socket.socket.terminate();
    }
  });

  it('refuses upgrades that are not for it', async () => {
    const none = new RawSocket(server.url, []);
    expect((await none.closed).code).toBe(1006);
    const other = new RawSocket(server.url, ['chat.v2']);
    expect((await other.closed).code).toBe(1006);
    const foreign = new RawSocket(server.url, 'orlop.v1', { origin: 'https://example.com' });
    expect((await foreign.closed).code).toBe(1006);
    const local = new RawSocket(server.url, 'orlop.v1', { origin: 'http://localhost:3000' });
    await once(local.socket, 'open');
    expect((await local.ask(hello())).status).toBe(0);
    local.socket.terminate();
  });
});
