/** Nodes find each other, notice who dies, and find each other again. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts, nodesOf, seen, startMember, viewOf } from '../e2e/support/cluster.js';
import type { TestServer } from '../e2e/support/server.js';

const running: TestServer[] = [];
afterEach(async () => {
  const servers = running.splice(0);
  for (const { process } of servers) process.kill('SIGCONT');
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
});

async function start(...args: Parameters<typeof startMember>): Promise<TestServer> {
  const server = await startMember(...args);
  running.push(server);
  return server;
}

async function three(flags: readonly string[] = [], environment = {}): Promise<TestServer[]> {
  const ports = await freePorts(3);
  const names = ['a', 'b', 'c'];
  const all = await Promise.all(
    names.map((name, at) => start(name, ports[at] ?? 0, ports, flags, environment)),
  );
  for (const server of all) await seen(server, 'a alive, b alive, c alive');
  return all;
}

describe('three nodes with the same list', () => {
  it('find each other, and say what they are', async () => {
    const [a] = (await three(['--zone', 'rack-1', '--weight', '3'])) as [TestServer];
    const { cluster, self, nodes, seeds } = await nodesOf(a);
    expect([cluster, self]).toEqual(['orlop', 'a']);
    expect(nodes.map(({ zone, weight }) => `${zone} ${weight}`)).toEqual(Array(3).fill('rack-1 3'));
    expect(new Set(nodes.map(({ boot }) => boot)).size).toBe(3);
    expect(seeds.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(seeds.map(({ self }) => self)).toEqual([true, false, false]);
    const metrics = async (): Promise<string> => (await fetch(`${a.httpUrl}/metrics`)).text();
    expect(await metrics()).toMatch(/orlop_cluster_members\{state="alive"\} 3/);
    // They know each other before the first probe is due.
    const probed = /orlop_gossip_probe_seconds_count [1-9]/;
    await expect.poll(metrics, { timeout: 10_000 }).toMatch(probed);
  });

  it('take back the one that stood still', async () => {
    const [a, b, c] = (await three()) as [TestServer, TestServer, TestServer];
    c.process.kill('SIGSTOP');
    await seen(a, 'a alive, b alive, c dead');
    await seen(b, 'a alive, b alive, c dead');
    c.process.kill('SIGCONT');
    for (const server of [a, b, c]) await seen(server, 'a alive, b alive, c alive');
    // While it stood still it has not taken the others for dead.
    expect(c.output()).not.toContain('member dead');
  });

  it('know the one that left from one that died', async () => {
    const [a, b, c] = (await three()) as [TestServer, TestServer, TestServer];
    expect(await c.stop()).toEqual({ code: 0, signal: null });
    await seen(a, 'a alive, b alive, c left');
    await seen(b, 'a alive, b alive, c left');
    await wait(4_000);
    expect(await viewOf(a)).toBe('a alive, b alive, c left');
  });
});

describe('a key', () => {
  const key = randomBytes(32).toString('base64');

  it('lets in those who have it and nobody else', async () => {
    const ports = await freePorts(4);
    const [a] = await Promise.all(
      ['a', 'b'].map((name, at) => {
        return start(name, ports[at] ?? 0, ports, [], { ORLOP_CLUSTER_KEY: key });
      }),
    );
    const other = { ORLOP_CLUSTER_KEY: randomBytes(32).toString('hex') };
    const stranger = await start('x', ports[2] ?? 0, ports, [], other);
    const open = await start('y', ports[3] ?? 0, ports);
    await seen(a as TestServer, 'a alive, b alive');
    await wait(3_000);
    expect(await viewOf(a as TestServer)).toBe('a alive, b alive');
    expect(await viewOf(stranger)).toBe('x alive');
    expect(await viewOf(open)).toBe('y alive');
    const metrics = await (await fetch(`${(a as TestServer).httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/orlop_gossip_refused_total\{reason="forged"\} [1-9]/);
    expect((a as TestServer).output()).not.toContain(key);
  });

  it('is changed while the nodes run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orlop-keys-'));
    const file = join(folder, 'keys');
    const next = randomBytes(32).toString('base64');
    writeFileSync(file, key, { mode: 0o600 });
    const all = await three(['--cluster-key-file', file]);
    for (const text of [`${key}\n${next}`, `${next}\n${key}`, next]) {
      writeFileSync(file, text);
      await wait(3_000);
      for (const server of all) expect(await viewOf(server)).toBe('a alive, b alive, c alive');
    }
    for (const server of all) {
      expect(server.output().match(/cluster keys read again/g)?.length).toBe(3);
      expect(server.output()).not.toContain('member dead');
      expect(server.output()).not.toContain(next);
    }
    rmSync(folder, { recursive: true });
  });
});

describe('a file of nodes to join', () => {
  it('may name the others later', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'orlop-join-'));
    const file = join(folder, 'nodes');
    const ports = await freePorts(2);
    const a = await start('a', ports[0] ?? 0, []);
    const b = await start('b', ports[1] ?? 0, [], ['--join-file', file]);
    expect(await viewOf(b)).toBe('b alive');
    writeFileSync(file, `# the first node\nlocalhost:${ports[0]}\n`);
    await seen(b, 'a alive, b alive');
    await seen(a, 'a alive, b alive');
    rmSync(folder, { recursive: true });
  });
});

describe('nodes of clusters with other names', () => {
  it('do not mix', async () => {
    const ports = await freePorts(2);
    const a = await start('a', ports[0] ?? 0, []);
    const b = await start('b', ports[1] ?? 0, [ports[0] ?? 0], ['--cluster', 'other']);
    await wait(2_500);
    expect(await viewOf(a)).toBe('a alive');
    expect(await viewOf(b)).toBe('b alive');
  });
});
