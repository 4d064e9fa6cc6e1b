import { expect } from 'vitest';
import { freePorts, nodesOf, startMember } from './cluster.js';
import type { TestServer } from './server.js';

const LIMIT = { timeout: 20_000, interval: 50 };

const running: TestServer[] = [];

/** Ends all nodes that were started, stopped ones, too. */
export async function endTrios(): Promise<void> {
  const servers = running.splice(0);
  for (const { process } of servers) process.kill('SIGCONT');
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
}

/** Nodes of one cluster, three by default, which all hold a configuration with all of them. */
export class Trio {
  readonly servers: TestServer[] = [];
  readonly #ports: number[];
  readonly #flags: readonly string[];

  private constructor(ports: number[], flags: readonly string[]) {
    this.#ports = ports;
    this.#flags = flags;
  }

  static async start(flags: readonly string[] = [], count = 3): Promise<Trio> {
    const trio = new Trio(await freePorts(count), flags);
    await Promise.all(trio.#ports.map((_, n) => trio.launch(n)));
    await trio.settled();
    return trio;
  }

  /** Starts the node of a number, perhaps again. */
  async launch(n: number): Promise<void> {
    const name = 'abcde'[n] ?? 'x';
    const server = await startMember(name, this.#ports[n] ?? 0, this.#ports, this.#flags);
    running.push(server);
    this.servers[n] = server;
  }

  at(n: number): TestServer {
    return this.servers[n] as TestServer;
  }

  /** Waits until all know all, and their links stand: a change at level `all` is answered. */
  async settled(): Promise<void> {
    for (const server of this.servers) {
      const settled = async (): Promise<string> => {
        const { configuration } = await nodesOf(server);
        return `${configuration?.members.length} ${configuration?.moving}`;
      };
      await expect.poll(settled, LIMIT).toBe(`${this.#ports.length} false`);
    }
    for (const n of this.#ports.keys()) {
      await expect.poll(() => this.put(n, `settled ${n}`, '1', 'all'), LIMIT).toBe(204);
    }
  }

  async put(n: number, key: string, body: string, level = 'one'): Promise<number> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    return (await fetch(path, { method: 'PUT', body, headers })).status;
  }

  async get(n: number, key: string, level = 'one'): Promise<string | undefined> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    const reply = await fetch(path, { headers });
    const body = await reply.text();
    return reply.status === 200 ? body : undefined;
  }

  async del(n: number, key: string, level = 'one'): Promise<number> {
    const headers = { 'orlop-level': level };
    const path = `${this.at(n).httpUrl}/v1/keys/${encodeURIComponent(key)}`;
    return (await fetch(path, { method: 'DELETE', headers })).status;
  }
}
