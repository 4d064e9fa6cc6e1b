import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { LinkKeys } from '../../../src/net/peers/linkKeys.js';
import { ListenerSeal, NO_FRAME } from '../../../src/net/peers/linkSeal.js';
import { PeerLink } from '../../../src/net/peers/peerLink.js';
import { encodeReply } from '../../../src/net/peers/sealWire.js';
import { NO_PASS } from '../../../src/net/peers/secret.js';
import { answerMessage } from '../../../src/protocol/answer.js';
import type { Greeting } from '../../../src/protocol/hello.js';
import { STATUS } from '../../../src/protocol/status.js';
import { ANSWER_HAS_VALUE, ENCODING_UTF8, OP_HELLO } from '../../../src/protocol/wire.js';

const BOOT = '00000000000000b0';
const RUN = '00000000000000c0';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Somebody who answers hello with `said`, which may change. */
async function listener(said: () => string): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  closing.push(() => server.close());
  server.on('connection', (socket) => {
    closing.push(() => socket.terminate());
    socket.on('message', () => {
      const answer = { id: 0, opcode: OP_HELLO, status: STATUS.OK, flags: ANSWER_HAS_VALUE };
      socket.send(answerMessage({ ...answer, encoding: ENCODING_UTF8, body: said() }));
    });
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test.each([
  ['the node that is meant', { node: 'b', boot: BOOT, run: RUN }, true],
  ['a node of another name', { node: 'c', boot: BOOT, run: RUN }, false],
  ['a node that has lost its memory', { node: 'b', boot: RUN, run: RUN }, false],
  ['a node that keeps to itself', { server: 'orlop/0' }, false],
])('a link to %s', async (_, first, isMeant) => {
  let said: object = first;
  const port = await listener(() => JSON.stringify(said));
  const strangers: Greeting[] = [];
  const runs: (string | undefined)[] = [];
  const link = new PeerLink({
    ...{ host: '127.0.0.1', port, name: 'peer a', pass: NO_PASS, timers: systemTimers },
    random: seededRandom(1),
    expected: () => ({ id: 'b', boot: BOOT }),
    onStranger: (greeting) => strangers.push(greeting),
    onUp: (_send, run) => runs.push(run),
    onDown: () => {},
    onAnswers: () => {},
  });
  closing.push(() => link.stop());
  link.start();
  if (!isMeant) {
    await expect.poll(() => strangers.length, { timeout: 5000 }).toBeGreaterThan(0);
    expect([link.up, runs]).toEqual([false, []]);
    said = { node: 'b', boot: BOOT, run: RUN };
  }
  await expect.poll(() => link.up, { timeout: 5000 }).toBe(true);
  expect(runs).toEqual([RUN]);
});

test('a link to somebody who makes no sense is not up', async () => {
  let asked = 0;
  const port = await listener(() => {
    asked++;
    return 'no greeting';
  });
  const link = new PeerLink({
    ...{ host: '127.0.0.1', port, name: 'peer a', pass: NO_PASS, timers: systemTimers },
    ...{ random: seededRandom(1), expected: () => ({ id: 'b', boot: BOOT }) },
    ...{ onUp: () => {}, onDown: () => {}, onAnswers: () => {} },
  });
  closing.push(() => link.stop());
  link.start();
  await expect.poll(() => asked, { timeout: 5000 }).toBeGreaterThan(1);
  expect(link.up).toBe(false);
});

const KEY = seededRandom(2).bytes(32);

/** A link that is sealed, to somebody who does with each message what `hears` says. */
async function sealedLink(hears: (socket: WebSocket, message: Uint8Array) => void) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  closing.push(() => server.close());
  let asked = 0;
  server.on('connection', (socket) => {
    asked++;
    closing.push(() => socket.terminate());
    socket.on('message', (message: Buffer) => hears(socket, message));
  });
  await once(server, 'listening');
  let refused = 0;
  const { port } = server.address() as AddressInfo;
  const link = new PeerLink({
    ...{ host: '127.0.0.1', port, name: 'peer a', timers: systemTimers },
    pass: { token: '', keys: new LinkKeys([KEY], 'c') },
    ...{ random: seededRandom(1), expected: () => ({ id: 'b', boot: BOOT }) },
    ...{ onUp: () => {}, onDown: () => {}, onAnswers: () => {} },
    onRefused: () => refused++,
  });
  closing.push(() => link.stop());
  link.start();
  return { link, asked: () => asked, refused: () => refused };
}

const GREETING = answerMessage({
  ...{ id: 0, opcode: OP_HELLO, status: STATUS.OK, flags: ANSWER_HAS_VALUE },
  ...{ encoding: ENCODING_UTF8, body: JSON.stringify({ node: 'b', boot: BOOT }) },
});

test('a link with a key is up when the other side has it, too', async () => {
  const seals = new Map<WebSocket, ListenerSeal>();
  const { link } = await sealedLink((socket, message) => {
    const tell = (bytes: Uint8Array): void => socket.send(bytes);
    const parts = { keys: new LinkKeys([KEY], 'c'), random: seededRandom(3), tell };
    const seal = seals.get(socket) ?? new ListenerSeal(parts);
    seals.set(socket, seal);
    if (seal.take(message) !== NO_FRAME) socket.send(seal.seal(GREETING));
  });
  await expect.poll(() => link.up, { timeout: 5000 }).toBe(true);
});

test.each([
  ['refuses the key', 1, (socket: WebSocket) => socket.close(4401)],
  ['knows of no keys', 1, (socket: WebSocket) => socket.close(4400)],
  ['answers in the clear', 0, (socket: WebSocket) => socket.send(GREETING)],
  [
    'replies without the key',
    0,
    (socket: WebSocket) => {
      socket.send(encodeReply(new Uint8Array(32)));
      socket.send(GREETING);
    },
  ],
])('a link with a key is not up when the other side %s', async (_, told, hears) => {
  const { link, asked, refused } = await sealedLink(hears);
  await expect.poll(asked, { timeout: 5000 }).toBeGreaterThan(2);
  expect([link.up, refused()]).toEqual([false, told]);
});
