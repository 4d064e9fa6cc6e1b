/** What an operator sees and does, over HTTP and with the command line, on real nodes. */
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/packageRoot.js';
import { freePorts, nodesOf, seen, startMember } from '../e2e/support/cluster.js';
import { orlop } from '../e2e/support/command.js';
import { plainEnvironment, type TestServer } from '../e2e/support/server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')));
});

async function three(flags: readonly string[] = []): Promise<[TestServer, TestServer, TestServer]> {
  const ports = await freePorts(3);
  const names = ['a', 'b', 'c'];
  const all = await Promise.all(
    names.map((name, at) => startMember(name, ports[at] ?? 0, ports, flags)),
  );
  running.push(...all);
  for (const server of all) {
    await seen(server, 'a alive, b alive, c alive');
    await expect
      .poll(async () => (await nodesOf(server)).configuration?.members.length, { timeout: 20_000 })
      .toBe(3);
  }
  return all as [TestServer, TestServer, TestServer];
}

async function status({ httpUrl }: TestServer): Promise<{
  nodes: { id: string; status: string; keys: number | null; uptime: number | null }[];
  health: { overall: string; issues: string[] };
}> {
  return (await fetch(`${httpUrl}/cache/cluster/status`)).json() as ReturnType<typeof status>;
}

function send(server: TestServer, path: string, method: string, body?: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const text = body === undefined ? null : JSON.stringify(body);
  return fetch(`${server.httpUrl}${path}`, { method, headers, body: text });
}

describe('an operator', () => {
  it('sees how far copies are, and the figures of all nodes at any of them', async () => {
    const [a, b, c] = await three();
    for (let n = 0; n < 20; n++) {
      const body = { method: 'PUT', body: 'x', headers: { 'orlop-level': 'all' } };
      await expect
        .poll(async () => (await fetch(`${a.httpUrl}/v1/keys/k${n}`, body)).status)
        .toBe(204);
    }
    const replication = async (): Promise<unknown> =>
      (await fetch(`${b.httpUrl}/cache/replication`)).json();
    await expect.poll(replication, { timeout: 20_000 }).toMatchObject({
      factor: 3,
      peers: ['a', 'c'].map((id) => ({
        ...{ id, connected: true, lag: { records: 0, seconds: 0 }, hints: { count: 0, bytes: 0 } },
        compared: { complete: true },
      })),
      repairs: { runs: expect.any(Number), equal: expect.any(Number) },
    });
    const figure = async (server: TestServer, line: RegExp, query = ''): Promise<number> => {
      const body = await (await fetch(`${server.httpUrl}/metrics${query}`)).text();
      return Number(line.exec(body)?.[1] ?? Number.NaN);
    };
    const items = /^orlop_items (\d+)$/m;
    expect(await figure(a, items)).toBe(20);
    expect(await figure(b, items, '?scope=cluster')).toBe(60);
    expect(
      await figure(b, /^orlop_cluster_members\{state="alive"\} (\d+)$/m, '?scope=cluster'),
    ).toBe(3);
    expect(await figure(b, /^orlop_replication_lag_records\{peer="a"\} (\d+)$/m)).toBe(0);
    c.process.kill('SIGSTOP');
    expect(await figure(b, items, '?scope=cluster')).toBe(40);
    expect(await figure(b, /^orlop_cluster_answered\{node="c"\} (\d)$/m, '?scope=cluster')).toBe(0);
    c.process.kill('SIGCONT');
    expect((await fetch(`${a.httpUrl}/metrics?scope=all`)).status).toBe(400);
  });

  it('sees the cluster from any node, and changes it', async () => {
    const [a, b, c] = await three();
    const whole = await status(a);
    expect(whole).toMatchObject({
      cluster_name: 'orlop',
      partitioning: { algorithm: 'consistent-hashing' },
      replication: { factor: 3, consistency: 'one' },
    });
    expect(whole.nodes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'a alive',
      'b alive',
      'c alive',
    ]);
    for (const { keys, uptime } of whole.nodes) {
      expect(keys).toBeTypeOf('number');
      expect(uptime).toBeTypeOf('number');
    }
    const weighed = await send(b, '/cache/cluster/nodes', 'POST', { id: 'c', weight: 3 });
    expect([weighed.status, await weighed.json()]).toMatchObject([
      200,
      { number: expect.any(Number) },
    ]);
    const { configuration } = await nodesOf(b);
    expect(configuration?.members).toContainEqual({ id: 'c', weight: 3 });
    expect((await send(b, '/cache/cluster/nodes', 'POST', { id: 'x', weight: 3 })).status).toBe(
      409,
    );
    expect((await send(b, '/cache/cluster/nodes', 'POST', { id: 'c' })).status).toBe(400);
    expect((await send(b, '/cache/cluster/nodes/x', 'DELETE')).status).toBe(404);
    const rebalanced = await orlop(['cluster', 'rebalance', '--url', c.url]);
    expect(rebalanced).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await nodesOf(a)).configuration?.members, { timeout: 10_000 })
      .toContainEqual({ id: 'c', weight: 1 });
    const partitioning = await (await fetch(`${a.httpUrl}/cache/partitioning`)).json();
    expect(partitioning).toMatchObject({ partitions: 16_384, copies: 3 });
    const paced = await send(a, '/cache/cluster/rebalance', 'POST', {
      rate: 1 << 20,
      threshold: 25,
    });
    expect(await paced.json()).toEqual({ rate: 1 << 20, threshold: 25, unheard: [] });
    const there = await (await fetch(`${b.httpUrl}/cache/partitioning`)).json();
    expect(there).toMatchObject({ pace: { rate: 1 << 20, threshold: 25 } });
    expect((await send(a, '/cache/cluster/rebalance', 'POST', { rate: 1 })).status).toBe(400);
    expect(await orlop(['cluster', 'pace', '64mb', '--url', c.url])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('64mb a second, threshold 25 %'),
    });
    const shown = await orlop(['cluster', 'status', '--url', a.url]);
    expect(shown.stdout).toMatch(/^cluster orlop: /);
    expect(shown.stdout).toMatch(/^c +127\.0\.0\.1:\d+ +alive +owner +33\.33 % /m);
    const owners = await orlop(['cluster', 'slots', '866', '--url', a.url]);
    expect(owners.stdout.trim().split(' ').sort()).toEqual(['a', 'b', 'c']);
    expect(await orlop(['cluster', 'slots', '16384', '--url', a.url])).toMatchObject({ code: 2 });
    expect(await orlop(['cluster', 'nodes', '--url', a.url])).toMatchObject({ code: 0 });
    const forbidden = await orlop(['cluster', 'forget', 'b', '--url', a.url]);
    expect(forbidden).toMatchObject({ code: 2 });
    expect(forbidden.stderr).toContain('b is alive');
  });

  it('takes out a node that is gone, and hears of it', async () => {
    const [a, , c] = await three();
    await c.stop('SIGKILL');
    await seen(a, 'a alive, b alive, c dead');
    const { health } = await status(a);
    expect(health.overall).toBe('degraded');
    expect(health.issues[0]).toMatch(/^c is dead since \d+ s$/);
    expect(await orlop(['cluster', 'forget', 'c', '--url', a.url])).toMatchObject({ code: 0 });
    const { configuration } = await nodesOf(a);
    expect(configuration?.members.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('is refused without the token', async () => {
    const [port = 0] = await freePorts(1);
    const token = { ORLOP_AUTH_TOKEN: 'let-me-in' };
    const a = await startMember('a', port, [], [], token);
    running.push(a);
    for (const path of ['status', 'nodes']) {
      expect((await fetch(`${a.httpUrl}/cache/cluster/${path}`)).status).toBe(401);
    }
    expect((await send(a, '/cache/cluster/nodes', 'POST', { id: 'a', weight: 2 })).status).toBe(
      401,
    );
    const shown = await orlop(['cluster', 'status', '--url', a.url], { variables: token });
    expect(shown).toMatchObject({ code: 0 });
    const simple = await fetch(`${a.httpUrl}/cache/cluster/rebalance`, {
      method: 'POST',
      headers: { authorization: 'Bearer let-me-in' },
    });
    expect(simple.status).toBe(400);
  });

  it('has a node join that was started alone', async () => {
    const ports = await freePorts(2);
    const [a, b] = [
      await startMember('a', ports[0] ?? 0, []),
      await startMember('b', ports[1] ?? 0, []),
    ];
    running.push(a, b);
    const { cluster } = (await nodesOf(a)).configuration ?? {};
    const added = await orlop(['cluster', 'add', `127.0.0.1:${ports[1]}`, '--url', a.url]);
    expect(added).toMatchObject({ code: 0 });
    for (const server of [a, b]) {
      await expect
        .poll(async () => (await nodesOf(server)).configuration, { timeout: 20_000 })
        .toMatchObject({ cluster, members: [{ id: 'a' }, { id: 'b' }] });
    }
  });
});

describe('a local cluster', () => {
  it('runs in one terminal, and ends in order', async () => {
    const base = 20_000 + 40 * Math.floor(Math.random() * 300);
    const main = packageFile('dist', 'src', 'main.js');
    const flags = ['dev', '--nodes', '3', '--port', String(base), '--memory', '16mb'];
    const child = spawn(process.execPath, [main, ...flags], { env: plainEnvironment() });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      const ask = async (): Promise<number | undefined> => {
        const reply = await fetch(`http://127.0.0.1:${base}/cache/cluster/nodes`).catch(
          () => undefined,
        );
        const seenNodes = (await reply?.json()) as
          | { configuration?: { members: object[] } }
          | undefined;
        return seenNodes?.configuration?.members.length;
      };
      await expect.poll(ask, { timeout: 60_000 }).toBe(3);
      for (const name of ['node-1', 'node-2', 'node-3']) expect(output).toContain(`${name} | `);
      child.kill('SIGINT');
      expect(await exited).toBe(0);
      expect(output.match(/ended with 0/g)?.length).toBe(3);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
