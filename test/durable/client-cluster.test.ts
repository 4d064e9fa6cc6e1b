/** The client against real nodes of a cluster: where its calls go. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Client,
  type ClientEvent,
  type ClientOptions,
  connect,
} from '../../src/client/index.js';
import { freePorts, nodesOf, startMember } from '../e2e/support/cluster.js';
import { orlop } from '../e2e/support/command.js';
import type { TestServer } from '../e2e/support/server.js';

const running: TestServer[] = [];
const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ drainMs: 100 })));
  const servers = running.splice(0);
  for (const { process } of servers) process.kill('SIGCONT');
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
});

async function start(...args: Parameters<typeof startMember>): Promise<TestServer> {
  const server = await startMember(...args);
  running.push(server);
  return server;
}

async function until(what: () => boolean | Promise<boolean>, why: string): Promise<void> {
  for (let look = 0; look < 1200; look++) {
    if (await what()) return;
    await wait(50);
  }
  throw new Error(`it never came about that ${why}`);
}

/** Waits until all hold one configuration with this many members. */
async function agreed(servers: readonly TestServer[], members: number): Promise<void> {
  await until(async () => {
    const all = await Promise.all(servers.map(nodesOf));
    const held = all.map(({ configuration }) => configuration);
    return held.every((one) => one?.members.length === members && one.number === held[0]?.number);
  }, `${members} nodes agree`);
}

interface Cluster {
  readonly servers: readonly [TestServer, TestServer, TestServer];
  readonly ports: readonly number[];
}

async function three(flags: readonly string[] = []): Promise<Cluster> {
  const ports = await freePorts(4);
  const list = ports.slice(0, 3);
  const servers = await Promise.all(
    ['a', 'b', 'c'].map((name, at) => start(name, ports[at] ?? 0, list, flags)),
  );
  await agreed(servers, 3);
  return { servers: servers as unknown as Cluster['servers'], ports };
}

interface Opened {
  readonly client: Client;
  readonly events: ClientEvent[];
}

async function open(
  urls: string | readonly string[],
  options: ClientOptions = {},
): Promise<Opened> {
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent): void => void events.push(event);
  const client = connect(urls, { onEvent, ...options });
  clients.push(client);
  await client.ping({ timeoutMs: 20_000 });
  return { client, events };
}

function connectedTo(events: readonly ClientEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'connected' ? [event.url] : []));
}

describe('a client of three nodes', () => {
  it('learns them from one, and has one connection to each that it asks', async () => {
    const { servers } = await three();
    const { client, events } = await open(servers[0].url);
    const keys = Array.from({ length: 600 }, (_, n) => `key:${n}`);
    expect(await client.setMany(keys.map((key) => [key, key] as const))).toBe(keys.length);
    expect(await client.getMany(keys)).toEqual(keys);
    expect(await Promise.all(keys.slice(0, 50).map((key) => client.get(key)))).toEqual(
      keys.slice(0, 50),
    );
    expect(await client.incr('counter', 5)).toBe(5);
    expect(await client.set('key:0', 'x', { ifAbsent: true })).toBe(false);
    // Whom it has nothing to ask it does not connect to: the nodes may have been founded by two.
    const urls = servers.map(({ port }) => `ws://127.0.0.1:${port}/v1`);
    const connected = connectedTo(events);
    expect(connected.length).toBeGreaterThan(1);
    expect(new Set(connected).size).toBe(connected.length);
    expect(connected.filter((url) => !urls.includes(url))).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'topology' }));
    const scanned: string[] = [];
    for await (const key of client.scan({ prefix: 'key:', pageSize: 50 })) scanned.push(key);
    expect(scanned.length).toBe(keys.length);
    expect(new Set(scanned)).toEqual(new Set(keys));
    const listed = await orlop(['scan', '--prefix', 'key:', '--url', servers[1].url]);
    expect(new Set(listed.stdout.trim().split('\n'))).toEqual(new Set(keys));
    expect(await client.delMany(keys)).toBe(keys.length);
  });

  it('takes any of several addresses', async () => {
    const { servers } = await three();
    const nobody = `ws://127.0.0.1:${(await freePorts(1))[0]}`;
    const { client } = await open([nobody, servers[2].url]);
    expect(await client.set('k', 'v', { level: 'all' })).toBe(true);
    expect(await client.get('k', { level: 'quorum' })).toBe('v');
    const url = ['--url', `${nobody},${servers[1].url}`];
    expect(await orlop(['get', 'k', ...url])).toMatchObject({ code: 0, stdout: 'v\n' });
    const written = await orlop(['set', 'k', 'w', ...url, '--level', 'quorum']);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(await client.get('k', { level: 'quorum' })).toBe('w');
    expect(await orlop(['get', 'k', ...url, '--level', 'most'])).toMatchObject({ code: 2 });
    expect(await orlop(['ping', '--url', `${nobody},${nobody}`])).toMatchObject({ code: 3 });
  });
});
