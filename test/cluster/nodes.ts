/** Nodes of one cluster, each a process at an address of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Client, type ClientOptions, connect } from '../../src/client/index.js';
import { startServer, type TestServer } from '../e2e/support/server.js';
import { type Found, NOTHING } from './history.js';
import { Network } from './network.js';

const PORT = 7700;
const GOSSIP_PORT = 7701;
const TOKEN = 'token-of-the-cluster-tests';
const CLUSTER_KEY = Buffer.alloc(32, 7).toString('base64');
const LOOK_MS = 100;
const ASK_MS = 10_000;
/** How long a node on a loaded machine may take for what is not timed. */
const PATIENCE_MS = 90_000;

/** What a node knows of the cluster. */
export interface Seen {
  readonly nodes: readonly { readonly id: string; readonly state: string }[];
  readonly configuration?: {
    readonly number: number;
    readonly moving: boolean;
    readonly members: readonly { readonly id: string }[];
  };
}

/** How the nodes are started. */
export interface NodesOptions {
  readonly flags?: readonly string[];
  /** Each has a data directory, and is started over it again. */
  readonly logged?: boolean;
  /** There is room for one more than are started. */
  readonly spare?: boolean;
  /** More variables of a node's process. */
  readonly environment?: (n: number) => Readonly<Record<string, string>>;
}

/** Waits until something is so; how long that took, in milliseconds. Throws after `atMostMs`. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  atMostMs = PATIENCE_MS,
): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < atMostMs) {
    if (await isSo()) return performance.now() - startMs;
    await wait(LOOK_MS);
  }
  throw new Error(`after ${Math.round(atMostMs / 1000)} s it is not so that ${what}`);
}

/** The name of a node. */
export function nameOf(n: number): string {
  return 'abcdefg'[n] ?? `n${n}`;
}

/** A cluster. */
export class Nodes {
  readonly network: Network;
  readonly #options: NodesOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'orlop-cluster-'));
  readonly #servers = new Map<number, TestServer>();
  readonly #clients: Client[] = [];
  readonly #founders: readonly number[];

  private constructor(count: number, options: NodesOptions) {
    this.#options = options;
    this.#founders = Array.from({ length: count }, (_, n) => n);
    this.network = new Network(options.spare === true ? count + 1 : count);
  }

  /** Does something with a cluster of so many nodes, and ends them. */
  static async with<T>(
    count: number,
    options: NodesOptions,
    work: (nodes: Nodes) => Promise<T>,
  ): Promise<T> {
    const nodes = new Nodes(count, options);
    try {
      await Promise.all(nodes.#founders.map((n) => nodes.launch(n)));
      await nodes.settled(count);
      return await work(nodes);
    } finally {
      await nodes.#close();
    }
  }

  async #close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close({ drainMs: 100 })));
    for (const server of this.#servers.values()) server.process.kill('SIGCONT');
    await Promise.all([...this.#servers.keys()].map((n) => this.stop(n, 'SIGKILL')));
    this.network.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts a node, perhaps again; resolves when it listens. */
  async launch(n: number): Promise<void> {
    const host = this.network.addressOf(n);
    const join = this.#founders.map((m) => `${this.network.addressOf(m)}:${GOSSIP_PORT}`).join(',');
    const { flags = [], logged = false, environment } = this.#options;
    const folder = `${this.#folder}/${n}`;
    const server = await startServer({
      flags: [
        ...['--host', host, '--port', String(PORT), '--name', nameOf(n), '--join', join],
        ...['--memory', '32mb', ...(logged ? ['--data-dir', folder] : []), ...flags],
      ],
      environment: {
        ...{ ORLOP_AUTH_TOKEN: TOKEN, ORLOP_CLUSTER_KEY: CLUSTER_KEY },
        ...environment?.(n),
      },
      alone: true,
      under: this.network.enter(n),
      host,
    });
    this.#servers.set(n, server);
  }

  /** The node of a number. Throws when it is not running. */
  at(n: number): TestServer {
    const server = this.#servers.get(n);
    if (server === undefined) throw new RangeError(`node ${n} is not running`);
    return server;
  }

  /** The numbers of those that run. */
  get running(): number[] {
    return [...this.#servers.keys()].sort();
  }

  /** Ends a node by a signal; resolves when it is gone. */
  async stop(n: number, signal: NodeJS.Signals): Promise<void> {
    const server = this.at(n);
    await server.stop(signal);
    if (this.#servers.get(n) === server) this.#servers.delete(n);
  }

  /** A node that ended by itself is not one of those that run any more. */
  async ended(n: number): Promise<number | null> {
    const { code } = await this.at(n).exited;
    this.#servers.delete(n);
    return code;
  }

  /** A client that knows all of them; it is closed with them. */
  async client(options: ClientOptions): Promise<Client> {
    const urls = this.running.map((n) => this.at(n).url);
    const client = connect(urls, { token: TOKEN, ...options });
    this.#clients.push(client);
    await client.ping({ timeoutMs: PATIENCE_MS });
    return client;
  }

  /** Asks a node by HTTP. */
  async ask(n: number, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers };
    const signal = AbortSignal.timeout(ASK_MS);
    const answer = await fetch(`${this.at(n).httpUrl}${path}`, { signal, ...init, headers });
    return answer;
  }

  /** What a node knows of the cluster. */
  async seenBy(n: number): Promise<Seen> {
    return (await (await this.ask(n, '/cache/cluster/nodes')).json()) as Seen;
  }

  /** What a node knows of the state of another. */
  async stateSeenBy(n: number, other: number): Promise<string | undefined> {
    const { nodes } = await this.seenBy(n);
    return nodes.find(({ id }) => id === nameOf(other))?.state;
  }

  /** Whether a node says that it can be used. */
  async isReady(n: number): Promise<boolean> {
    const answer = await this.ask(n, '/readyz').catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }

  /** For how long a node believes to run, by its own clock, in milliseconds. */
  async uptimeMs(n: number): Promise<number> {
    const stats = await (await this.ask(n, '/v1/stats')).json();
    return (stats as { readonly server: { readonly uptimeMs: number } }).server.uptimeMs;
  }

  /** A figure of a node by its name and labels, as `/metrics` has it. */
  async metric(n: number, name: string): Promise<number | undefined> {
    const text = await (await this.ask(n, '/metrics')).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** Waits until all that run hold one configuration of so many members, and nothing moves. */
  async settled(members: number): Promise<void> {
    await until(`${members} nodes are settled`, async () => {
      const looks = this.running.map((n) => this.seenBy(n).catch(() => undefined));
      const all = (await Promise.all(looks)).map((seen) => seen?.configuration);
      return all.every((one) => {
        return one?.members.length === members && !one.moving && one.number === all[0]?.number;
      });
    });
    await until('all can be used', async () => {
      return (await Promise.all(this.running.map((n) => this.isReady(n)))).every(Boolean);
    });
    await until('their links stand', async () => {
      const puts = this.running.map((n) => this.put(n, `settled ${n}`, '1', 'all'));
      return (await Promise.all(puts)).every((version) => version !== undefined);
    });
  }

  /** Writes by a node; the version, or nothing when it was not acknowledged. */
  async put(n: number, key: string, body: string, level: string): Promise<bigint | undefined> {
    const headers = { 'orlop-level': level, 'content-type': 'text/plain' };
    const path = `/v1/keys/${encodeURIComponent(key)}`;
    const answer = await this.ask(n, path, { method: 'PUT', body, headers }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 204 ? versionIn(answer) : undefined;
  }

  /** What a node itself has of a key that it owns. Throws when it does not answer. */
  async holds(n: number, key: string): Promise<Found> {
    const answer = await this.ask(n, `/v1/keys/${encodeURIComponent(key)}`);
    const text = await answer.text();
    if (answer.status === 404) return NOTHING;
    if (answer.status !== 200) throw new Error(`${nameOf(n)} answers ${answer.status} to a read`);
    return { version: versionIn(answer), value: text };
  }
}

function versionIn({ headers }: Response): bigint {
  return BigInt((headers.get('etag') ?? '"0"').replaceAll('"', ''));
}
