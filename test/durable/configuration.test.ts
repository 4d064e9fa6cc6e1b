/** Nodes agree on who owns what: founding, joining, restarts, and minorities. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePorts,
  nodesOf,
  type SeenConfiguration,
  seen,
  startMember,
} from '../e2e/support/cluster.js';
import { startServer, type TestServer } from '../e2e/support/server.js';

const running: TestServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  const servers = running.splice(0);
  for (const { process } of servers) process.kill('SIGCONT');
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(...args: Parameters<typeof startMember>): Promise<TestServer> {
  const server = await startMember(...args);
  running.push(server);
  return server;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'orlop-members-'));
  folders.push(path);
  return path;
}

async function held(server: TestServer): Promise<SeenConfiguration | undefined> {
  return (await nodesOf(server)).configuration;
}

/** Waits until all of them are in one configuration with just these members. */
async function agreed(servers: readonly TestServer[], members: string): Promise<SeenConfiguration> {
  let last = '';
  for (let look = 0; look < 600; look++) {
    const all = await Promise.all(servers.map(held));
    const [first] = all;
    last = JSON.stringify(all);
    const same = new Set(all.map((one) => `${one?.cluster} ${one?.number}`)).size === 1;
    const ids = first?.members.map(({ id }) => id).join(' ');
    if (first !== undefined && same && ids === members) return first;
    await wait(50);
  }
  throw new Error(`expected ${members} to agree, but they hold ${last}`);
}

describe('nodes with one list', () => {
  it('found one cluster, whoever comes first', async () => {
    const ports = await freePorts(3);
    const c = await start('c', ports[2] ?? 0, ports);
    await wait(1_500);
    expect(await held(c)).toBeUndefined();
    expect((await fetch(`${c.httpUrl}/readyz`)).status).toBe(503);
    const b = await start('b', ports[1] ?? 0, ports);
    const { cluster } = await agreed([b, c], 'b c');
    const a = await start('a', ports[0] ?? 0, ports);
    expect((await agreed([a, b, c], 'a b c')).cluster).toBe(cluster);
    for (const { httpUrl } of [a, b, c]) {
      expect((await fetch(`${httpUrl}/readyz`)).status).toBe(200);
    }
  });

  it('change nothing while they are a minority, and stay one cluster', async () => {
    const ports = await freePorts(3);
    const flags = ['--replace-after', '1s', '--replicas', '1'];
    const [a, b, c] = (await Promise.all(
      ['a', 'b', 'c'].map((name, at) => start(name, ports[at] ?? 0, ports, flags)),
    )) as [TestServer, TestServer, TestServer];
    const before = await agreed([a, b, c], 'a b c');
    for (const { process } of [b, c]) process.kill('SIGSTOP');
    await seen(a, 'a alive, b dead, c dead');
    await wait(3_000);
    expect((await held(a))?.number).toBe(before.number);
    for (const { process } of [b, c]) process.kill('SIGCONT');
    for (const server of [a, b, c]) await seen(server, 'a alive, b alive, c alive');
    expect((await agreed([a, b, c], 'a b c')).cluster).toBe(before.cluster);
  });
});

describe('a node that comes back', () => {
  it('is what it was with its folder, and is admitted anew without', async () => {
    const ports = await freePorts(3);
    const own = folder();
    const flags = ['--data-dir', own];
    const [a, b] = await Promise.all([
      start('a', ports[0] ?? 0, ports),
      start('b', ports[1] ?? 0, ports),
    ]);
    const c = await start('c', ports[2] ?? 0, ports, flags);
    const whole = await agreed([a, b, c], 'a b c');
    await c.stop('SIGKILL');
    const kept = await start('c', ports[2] ?? 0, ports, flags);
    // The port for clients is another one, and that is all there is to agree on.
    const moved = await agreed([a, b, kept], 'a b c');
    expect(moved.cluster).toBe(whole.cluster);
    await kept.stop();
    const bare = await start('c', ports[2] ?? 0, ports);
    await expect
      .poll(async () => (await held(bare))?.number ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(moved.number);
    expect((await agreed([a, b, bare], 'a b c')).cluster).toBe(whole.cluster);
  });

  it('alone remembers its cluster, and joins another when it is told to', async () => {
    const ports = await freePorts(2);
    const own = folder();
    const first = await start('a', ports[0] ?? 0, [], ['--data-dir', own]);
    const alone = await agreed([first], 'a');
    await first.stop();
    const again = await start('a', ports[0] ?? 0, [], ['--data-dir', own]);
    expect((await agreed([again], 'a')).cluster).toBe(alone.cluster);
    await again.stop();
    const b = await start('b', ports[1] ?? 0, []);
    const other = await agreed([b], 'b');
    const joined = await start('a', ports[0] ?? 0, [ports[1] ?? 0], ['--data-dir', own]);
    expect((await agreed([b, joined], 'a b')).cluster).toBe(other.cluster);
  });

  it('keeps the name it was given by its first port, and refuses another one', async () => {
    const flags = ['--data-dir', folder(), '--memory', '16mb'];
    const unnamed = async (): Promise<TestServer> => {
      const server = await startServer({ flags });
      running.push(server);
      return server;
    };
    const first = await unnamed();
    const { self } = await nodesOf(first);
    await first.stop('SIGKILL');
    const again = await unnamed();
    expect(again.port).not.toBe(first.port);
    expect((await nodesOf(again)).self).toBe(self);
    await again.stop();
    const renamed = startServer({ flags: [...flags, '--name', 'other'], alone: true });
    await expect(renamed).rejects.toThrow(`the data folder is that of node ${self}`);
  });
});
