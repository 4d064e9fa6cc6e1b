/** Several nodes in processes of their own that gossip with each other on loopback. */
import { createSocket } from 'node:dgram';
import { setTimeout as wait } from 'node:timers/promises';
import { startServer, type TestServer } from './server.js';

/** A member as `GET /cache/cluster/nodes` shows it. */
export interface SeenMember {
  readonly id: string;
  readonly boot: string;
  readonly state: string;
  readonly port: number;
  readonly gossipPort: number;
  readonly incarnation: number;
  readonly zone: string;
  readonly weight: number;
}

/** The configuration that a node holds. */
export interface SeenConfiguration {
  readonly cluster: string;
  readonly number: number;
  readonly members: readonly { id: string; weight: number }[];
  readonly moving: boolean;
}

/** What `GET /cache/cluster/nodes` answers. */
export interface SeenNodes {
  readonly cluster: string;
  readonly self: string;
  readonly nodes: readonly SeenMember[];
  readonly seeds: readonly { address: string; id?: string; self: boolean }[];
  readonly configuration?: SeenConfiguration;
}

/** UDP ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4'));
  const ports = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<number>((resolve) => {
          socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
        }),
    ),
  );
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(done))));
  return ports;
}

/** Starts a node of a cluster; whether it finds the others is for the test to see. */
export function startMember(
  name: string,
  gossipPort: number,
  join: readonly number[],
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const addresses = join.map((port) => `127.0.0.1:${port}`).join(',');
  const own = ['--name', name, '--gossip-port', String(gossipPort), '--memory', '16mb'];
  const seeds = addresses === '' ? [] : ['--join', addresses];
  return startServer({ flags: [...own, ...seeds, ...flags], environment, alone: true });
}

/** The members as a node sees them. */
export async function nodesOf({ httpUrl }: TestServer): Promise<SeenNodes> {
  return (await fetch(`${httpUrl}/cache/cluster/nodes`)).json() as Promise<SeenNodes>;
}

/** States by name, as a node sees them: `a alive, b dead`. */
export async function viewOf(server: TestServer): Promise<string> {
  const { nodes } = await nodesOf(server);
  return nodes.map(({ id, state }) => `${id} ${state}`).join(', ');
}

/**
 * Waits until a node sees just that; how long it took, in milliseconds. Throws after `atMostMs`.
 */
export async function seen(server: TestServer, view: string, atMostMs = 15_000): Promise<number> {
  const startMs = performance.now();
  let last = '';
  while (performance.now() - startMs < atMostMs) {
    last = await viewOf(server);
    if (last === view) return performance.now() - startMs;
    await wait(20);
  }
  throw new Error(`expected "${view}", but after ${atMostMs} ms it is "${last}"`);
}
