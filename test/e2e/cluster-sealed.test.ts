/** What somebody sees, and can do, who stands between nodes of a cluster. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemRandom } from '../../src/base/random.js';
import { LinkKeys } from '../../src/net/peers/linkKeys.js';
import { OpenerSeal } from '../../src/net/peers/linkSeal.js';
import { passOf } from '../../src/net/peers/secret.js';
import { encodeHello } from '../../src/protocol/hello.js';
import { STATUS } from '../../src/protocol/status.js';
import {
  FLAG_VERSION,
  OP_HELLO,
  OP_MERGE,
  SOCKET_PATH,
  SUBPROTOCOL,
} from '../../src/protocol/wire.js';
import { LISTENERS } from './support/listeners.js';
import { frameOf, RawSocket } from './support/rawSocket.js';
import { TappedTrio } from './support/tappedTrio.js';

const KEYS = 30;
const LIMIT = { timeout: 20_000, interval: 50 };
const ending: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function trio(flags: readonly string[]): Promise<TappedTrio> {
  const nodes = new TappedTrio();
  ending.push(() => nodes.end());
  await nodes.start(flags);
  return nodes;
}

function keyFile(): { key: Buffer; text: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'orlop-sealed-'));
  ending.push(() => rmSync(folder, { recursive: true }));
  const key = randomBytes(32);
  const path = join(folder, 'keys');
  writeFileSync(path, key.toString('base64'), { mode: 0o600 });
  return { key, text: key.toString('base64'), path };
}

/** Stores at each and reads from each: two of three own a key, so that all is told and asked. */
async function talk(nodes: TappedTrio): Promise<void> {
  for (let n = 0; n < KEYS; n++) {
    expect(await nodes.put(n % 3, `known-key-${n}`, `known-value-${n}`)).toBe(204);
  }
  for (let n = 0; n < 3 * KEYS; n++) {
    const read = (): Promise<string> => nodes.get(n % 3, `known-key-${n % KEYS}`);
    await expect.poll(read, LIMIT).toBe(`known-value-${n % KEYS}`);
  }
}

it.each(LISTENERS)(
  'nodes with a key say nothing that others could read or say: $name',
  async ({ flags }) => {
    const { key, text, path } = keyFile();
    const nodes = await trio(['--cluster-key-file', path, ...flags]);
    await talk(nodes);
    const { tap, servers } = nodes;
    expect(tap.messages.length).toBeGreaterThan(KEYS);
    for (const known of ['known-', 'settled', 'orlop-peer', 'peer a', '"server"']) {
      expect([known, tap.count(known)]).toEqual([known, 0]);
    }
    for (const server of servers) {
      const output = server.output();
      for (const secret of [text, key.toString('hex'), 'orlop-peer']) {
        expect(output).not.toContain(secret);
      }
    }
    const url = servers[0]?.url ?? '';
    await refusesInTheClear(url, key);
    await refusesTheKey(url, randomBytes(32));
    await refusesRecorded(url, tap.messages);
  },
);

/** Whoever says hello in the clear is a client, whatever it presents. */
async function refusesInTheClear(url: string, key: Buffer): Promise<void> {
  const cluster = 'orlop';
  const tokens = [key.toString('base64'), key.toString('hex')].map((authToken) => {
    return passOf({ cluster, keys: undefined, authToken }).token;
  });
  for (const token of [
    ...tokens,
    passOf({ cluster, keys: undefined, authToken: undefined }).token,
  ]) {
    const peer = await RawSocket.open(url);
    const value = encodeHello(token);
    const change = { id: 1, opcode: OP_MERGE, flags: FLAG_VERSION, key: 'known-key-0', value: 'x' };
    const version = BigInt(Date.now()) << 22n;
    const named = { id: 0, opcode: OP_HELLO, key: 'peer b', value };
    peer.socket.send(frameOf(named, { ...change, version }));
    await expect.poll(() => peer.answers.length, LIMIT).toBe(2);
    expect(peer.answers.map(({ status }) => status)).toEqual([STATUS.OK, STATUS.FORBIDDEN]);
    peer.socket.close();
  }
}

async function refusesTheKey(url: string, key: Uint8Array): Promise<void> {
  const peer = await RawSocket.open(url);
  const keys = new LinkKeys([key], 'orlop');
  const tell = (message: Uint8Array): void => peer.socket.send(message);
  new OpenerSeal({ keys, random: systemRandom, tell }, () => {}).open();
  expect((await peer.closed).code).toBe(4401);
}

/** What another node has said does not count when it is said again. */
async function refusesRecorded(url: string, messages: readonly Buffer[]): Promise<void> {
  const at = messages.findIndex(({ length }) => length === 48);
  const [opening, later] = [messages[at], messages.find(({ length }) => length > 48)];
  const socket = new WebSocket(`${url}${SOCKET_PATH}`, SUBPROTOCOL, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(opening ?? '');
  const [reply] = (await once(socket, 'message')) as [Buffer];
  expect(reply.length).toBe(40);
  socket.send(later ?? '');
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(4401);
}

it('nodes without a key say all of it, so that the tap would have seen it', async () => {
  const nodes = await trio([]);
  await talk(nodes);
  expect(nodes.tap.count('known-value-')).toBeGreaterThan(KEYS);
  expect(nodes.tap.count('known-key-')).toBeGreaterThan(KEYS);
});
