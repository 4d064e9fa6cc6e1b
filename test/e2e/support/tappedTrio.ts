import { expect } from 'vitest';
import { freePorts, nodesOf, startMember } from './cluster.js';
import type { TestServer } from './server.js';
import { tappedAddress, Wiretap } from './wiretap.js';

const LIMIT = { timeout: 30_000, interval: 50 };

/** Three nodes of one cluster, with somebody between them. */
export class TappedTrio {
  readonly tap = new Wiretap();
  readonly servers: TestServer[] = [];

  /** Starts them with more flags, and waits until all know all and their links stand. */
  async start(flags: readonly string[]): Promise<void> {
    const ports = await freePorts(3);
    await this.tap.gossip(ports);
    const join = ports.map((port, n) => `${tappedAddress(n)}:${port}`).join(',');
    for (const [n, port] of ports.entries()) {
      const own = ['--advertise', tappedAddress(n), '--join', join, '--replicas', '2'];
      const server = await startMember('abc'[n] ?? 'x', port, [], [...own, ...flags]);
      this.servers.push(server);
      await this.tap.sockets(n, server.port);
    }
    for (const server of this.servers) {
      const members = async () => (await nodesOf(server)).configuration?.members.length;
      await expect.poll(members, LIMIT).toBe(3);
    }
    for (const n of [0, 1, 2]) {
      for (let key = 0; key < 8; key++) {
        await expect.poll(() => this.put(n, `settled-${key}`, '1'), LIMIT).toBe(204);
      }
    }
  }

  /** Stores at all owners, asked at the node of a number; the status. */
  async put(n: number, key: string, body: string): Promise<number> {
    const path = `${this.servers[n]?.httpUrl}/v1/keys/${key}`;
    const headers = { 'orlop-level': 'all' };
    return (await fetch(path, { method: 'PUT', body, headers })).status;
  }

  /** Reads from the node of a number, which may not be an owner. */
  async get(n: number, key: string): Promise<string> {
    return (await fetch(`${this.servers[n]?.httpUrl}/v1/keys/${key}`)).text();
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop('SIGKILL')));
    this.tap.close();
  }
}
