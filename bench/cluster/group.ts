/** Nodes of one cluster on this machine, each with drivers that load it. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../driver/messages.js';
import { DriverProcess } from '../driverProcess.js';
import { Server } from '../servers.js';

const MEMORY_MB = 256;
const SETTLE_LIMIT_MS = 30_000;
const LOOK_MS = 100;

/** How the drivers of a group are told to load it. */
export interface Load {
  readonly keys: number;
  readonly depth: number;
  readonly setShare: number;
  readonly measuredMs: number;
}

/** What all drivers of a group measured together. */
export interface GroupResult {
  readonly operations: number;
  readonly seconds: number;
  /** Of all nodes. */
  readonly cpuSeconds: number;
  readonly latencies: readonly string[];
}

interface Seen {
  readonly configuration?: { readonly members: readonly unknown[]; readonly moving: boolean };
}

/** UDP ports that were free a moment ago. */
async function gossipPorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, (): Socket => createSocket('udp4'));
  const ports: number[] = [];
  for (const socket of sockets) {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    ports.push(socket.address().port);
  }
  for (const socket of sockets) socket.close();
  return ports;
}

/** A cluster of one node or more, each key with a copy on every node. */
export class Group {
  readonly servers: readonly Server[];
  readonly #drivers: readonly DriverProcess[];

  private constructor(servers: readonly Server[], drivers: readonly DriverProcess[]) {
    this.servers = servers;
    this.#drivers = drivers;
  }

  /**
   * Starts `nodes` nodes and as many drivers as `drivers` says, each with `connections` to one of
   * the nodes in turn; resolves when every node owns every key.
   */
  static async start(nodes: number, drivers: number, connections: number): Promise<Group> {
    const servers = await startServers(nodes);
    const opened: DriverProcess[] = [];
    for (let n = 0; n < drivers; n++) {
      const server = servers[n % nodes];
      if (server === undefined) throw new Error('a cluster has at least one node');
      const { system, port, pid } = server;
      opened.push(await DriverProcess.open({ system, port, pid, connections }));
    }
    return new Group(servers, opened);
  }

  /** Stores the keys by one of the nodes. */
  async preload(keys: number): Promise<void> {
    await this.#drivers[0]?.preload(keys);
  }

  /** Loads the group with all its drivers at once. */
  async run(load: Load): Promise<GroupResult> {
    const command = { ...load, perFrame: 1, warmMs: 500 };
    const results = await Promise.all(this.#drivers.map((driver) => driver.run(command)));
    // Drivers of one node all tell of the same processor time.
    const perNode = this.#drivers.length / this.servers.length;
    const sum = (of: (result: RunResult) => number): number =>
      results.reduce((total, result) => total + of(result), 0);
    return {
      operations: sum(({ operations }) => operations),
      seconds: sum(({ seconds }) => seconds) / results.length,
      cpuSeconds: sum(({ serverCpuSeconds }) => serverCpuSeconds) / perNode,
      latencies: results.map(({ latencies }) => latencies),
    };
  }

  async stop(): Promise<void> {
    for (const driver of this.#drivers) await driver.close();
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function startServers(count: number): Promise<Server[]> {
  const ports = await gossipPorts(count);
  const list = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const servers = await Promise.all(
    ports.map((port, n) =>
      Server.start('orlop', {
        threads: 1,
        memoryMb: MEMORY_MB,
        startLimitMs: SETTLE_LIMIT_MS,
        flags: ['--name', `node-${n}`, '--gossip-port', String(port), '--join', list],
      }),
    ),
  );
  await Promise.all(servers.map(({ port }) => settled(port, count)));
  return servers;
}

/** Waits until a node is in a cluster of `count` in which nothing moves any more. */
async function settled(port: number, count: number): Promise<void> {
  const limitMs = performance.now() + SETTLE_LIMIT_MS;
  while (performance.now() < limitMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/cache/cluster/nodes`);
    const { configuration } = (await answer.json()) as Seen;
    if (configuration?.members.length === count && !configuration.moving) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`${count} nodes did not become one cluster`);
}
