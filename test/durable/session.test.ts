/**
 * Three nodes, and clients who see their own writes on any of them. The delay between the nodes is
 * a long value that is on its way to the others when a short one is written behind it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { packageFile } from '../../src/base/packageRoot.js';
import { connect } from '../../src/client/index.js';
import { AnswerReader } from '../../src/protocol/answerReader.js';
import { FrameWriter } from '../../src/protocol/frameWriter.js';
import { decodeGreeting, encodeHello, type Greeting } from '../../src/protocol/hello.js';
import { encodeRequest } from '../../src/protocol/request.js';
import { OP_HELLO, SUBPROTOCOL } from '../../src/protocol/wire.js';
import { freePorts, nodesOf, seen, startMember } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const LIMIT = { timeout: 30_000, interval: 50 };
const NAMES = ['a', 'b', 'c'];
const LONG = 'x'.repeat(6 * 1024 * 1024);

const running: TestServer[] = [];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
});

async function put(server: TestServer, key: string, body: string, session = '') {
  const headers = session === '' ? {} : { 'orlop-session': session };
  return fetch(`${server.httpUrl}/v1/keys/${key}`, { method: 'PUT', body, headers });
}

async function get(server: TestServer, key: string, session = ''): Promise<string | undefined> {
  const headers = session === '' ? {} : { 'orlop-session': session };
  const reply = await fetch(`${server.httpUrl}/v1/keys/${key}`, { headers });
  const body = await reply.text();
  if (reply.status === 200) return body;
  expect(reply.status).toBe(404);
  return undefined;
}

/** Three nodes, each in a zone of its own, which all know each other and reach all owners. */
async function trio(flags: readonly string[]): Promise<[TestServer, TestServer, TestServer]> {
  const ports = await freePorts(3);
  const servers = await Promise.all(
    NAMES.map((name, n) =>
      startMember(name, ports[n] ?? 0, ports, ['--memory', '128mb', '--zone', name, ...flags]),
    ),
  );
  running.push(...servers);
  for (const server of servers) {
    const settled = async (): Promise<string> => {
      const { configuration } = await nodesOf(server);
      return `${configuration?.members.length} ${configuration?.moving}`;
    };
    await expect.poll(settled, LIMIT).toBe('3 false');
    const all = { 'orlop-level': 'all' };
    const url = `${server.httpUrl}/v1/keys/settled`;
    const ask = async () => (await fetch(url, { method: 'PUT', body: 'x', headers: all })).status;
    await expect.poll(ask, LIMIT).toBe(204);
  }
  return servers as [TestServer, TestServer, TestServer];
}

/** What a node says of itself. */
function greetingOf({ url }: TestServer): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}/v1`, [SUBPROTOCOL]);
    socket.on('error', reject);
    socket.on('open', () => {
      const writer = new FrameWriter(64);
      encodeRequest(writer, { id: 1, opcode: OP_HELLO, key: 'test', value: encodeHello('') });
      socket.send(writer.frame());
    });
    socket.on('message', (data: Buffer) => {
      const reader = new AnswerReader();
      reader.reset(new Uint8Array(data));
      reader.next();
      resolve(decodeGreeting(Buffer.from(reader.body()).toString()));
      socket.close();
    });
  });
}

describe('three nodes', () => {
  it('show a session what it has written, and others what there is', async () => {
    const [a, b, c] = await trio(['--replicas', '3']);
    let stale = 0;
    for (let round = 0; round < 100 && (round < 10 || stale === 0); round++) {
      const long = put(a, 'long', LONG);
      const reply = await put(a, 'short', `round ${round}`, 'new');
      expect(reply.status).toBe(204);
      const token = reply.headers.get('orlop-session') ?? '';
      const [plain, mine] = await Promise.all([get(c, 'short'), get(b, 'short', token)]);
      if (plain !== `round ${round}`) stale++;
      expect(mine).toBe(`round ${round}`);
      expect((await long).status).toBe(204);
    }
    // Without a session it may not be there yet, or the test shows nothing.
    expect(stale).toBeGreaterThan(0);
    const odd = { headers: { 'orlop-session': 'a token that nobody told' } };
    expect((await fetch(`${b.httpUrl}/v1/keys/short`, odd)).status).toBe(400);
  });

  it('go on with the session of another process, also when a node is lost', async () => {
    const [a, b, c] = await trio(['--replicas', '3']);
    const writer = connect(a.url, { session: true, zone: 'a' });
    closing.push(() => writer.close());
    const began = writer.session?.token ?? '';
    await Promise.all(Array.from({ length: 100 }, (_, n) => writer.set(`key ${n}`, n)));
    const token = writer.session?.token ?? '';
    expect(token.length).toBeGreaterThan(began.length);
    const reader = connect([b.url, c.url], { session: token, zone: 'b' });
    closing.push(() => reader.close());
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    expect(await reader.getMany(keys)).toEqual(keys.map((_, n) => n));
    await reader.set('key 0', 'mine');
    writer.session?.take(reader.session?.token ?? '');
    expect(await writer.get('key 0')).toBe('mine');
    await a.stop('SIGKILL');
    await seen(b, 'a dead, b alive, c alive');
    expect(await reader.get('key 1')).toBe(1);
    expect(await writer.get('key 1')).toBe(1);
    expect(await writer.set('key 1', 'after')).toBe(true);
    reader.session?.take(writer.session?.token ?? '');
    expect(await reader.get('key 1')).toBe('after');
    expect(() => reader.session?.take('%')).toThrow(/makes no sense/);
  });

  it('pass what they do not own on, with the mark of who carried it out', async () => {
    const servers = await trio(['--replicas', '1']);
    for (let n = 0; n < 30; n++) {
      const [at = servers[0], other = servers[1]] = [servers[n % 3], servers[(n + 1) % 3]];
      const reply = await put(at, `key${n}`, String(n), 'new');
      expect(reply.status).toBe(204);
      expect(await get(other, `key${n}`, reply.headers.get('orlop-session') ?? '')).toBe(String(n));
    }
  });

  it('are who the client takes them for, and commands share a session by a file', async () => {
    const servers = await trio(['--replicas', '3']);
    const greetings = await Promise.all(servers.map(greetingOf));
    expect(greetings.map(({ node, session }) => [node, session])).toEqual(
      NAMES.map((name) => [name, true]),
    );
    expect(new Set(greetings.map(({ run }) => run)).size).toBe(3);
    for (const greeting of greetings) expect(greeting.boot).toMatch(/^[0-9a-f]{16}$/);
    const folder = await mkdtemp(join(tmpdir(), 'orlop-session-'));
    const file = join(folder, 'mine');
    const run = (words: readonly string[], { url }: TestServer) => {
      const command = [packageFile('dist', 'src', 'main.js'), ...words, '--session', file];
      return promisify(execFile)(process.execPath, [...command, '--url', url]);
    };
    await run(['set', 'note', 'kept'], servers[0]);
    expect((await run(['get', 'note'], servers[1])).stdout.trim()).toBe('kept');
    await rm(folder, { recursive: true });
  });
});
