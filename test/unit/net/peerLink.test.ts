import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { PeerLink } from '../../../src/net/peers/peerLink.js';
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
