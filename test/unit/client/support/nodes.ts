/** The nodes of a cluster as a client in a `World` meets them: they say what a test tells them. */
import type { Client } from '../../../../src/client/client.js';
import { connectThrough } from '../../../../src/client/client.js';
import type { ClientOptions } from '../../../../src/client/options.js';
import { FOLLOW_ID } from '../../../../src/client/routing/topologyFrames.js';
import { STATUS } from '../../../../src/protocol/status.js';
import { ANSWER_HAS_VALUE, OP_FOLLOW } from '../../../../src/protocol/wire.js';
import type { Configuration, Member } from '../../../../src/ring/configuration.js';
import { encodeConfiguration } from '../../../../src/ring/configurationCodec.js';
import { partitionOf } from '../../../../src/ring/partition.js';
import { ownersOf, placementOf } from '../../../../src/ring/placement.js';
import { founding, member } from '../../ring/support/clusters.js';
import type { FakeSocket, SeenRequest, World } from './world.js';

/** Members that differ in their ports: the first is at 7001. */
export function members(...ids: string[]): Member[] {
  return ids.map((id, at) => member(id, { host: '127.0.0.1', port: 7001 + at }));
}

/** Some nodes, and a client of theirs. */
export class Nodes {
  readonly #world: World;
  configuration: Configuration;

  constructor(world: World, ids: readonly string[], replicas: number) {
    this.#world = world;
    this.configuration = founding(members(...ids), replicas);
  }

  /** A client that knows the first node by its address, and the configuration from it. */
  async connect(options: ClientOptions = {}): Promise<Client> {
    const [first] = this.configuration.layout.members as [Member];
    const onEvent = (event: World['events'][number]): void => void this.#world.events.push(event);
    const url = `ws://127.0.0.1:${first.port}`;
    const client = connectThrough(this.#world.runtime, url, { onEvent, ...options });
    this.greet(first.id);
    await this.#world.tick();
    return client;
  }

  /** The connection to a node that was opened last. */
  socket(id: string): FakeSocket {
    const port = this.configuration.layout.members.find((one) => one.id === id)?.port;
    const socket = this.#world.sockets.findLast(({ url }) => url.includes(`:${port}/`));
    if (socket === undefined) throw new Error(`nobody connected to ${id}`);
    return socket;
  }

  /** Lets a connection stand: the node says who it is, and what it holds. */
  greet(id: string, configuration = this.configuration): void {
    const { cluster, number } = configuration;
    const socket = this.socket(id);
    socket.greet(1024, { node: id, cluster: { id: cluster, number } });
    const asked = socket.requests().map(({ opcode }) => opcode);
    if (asked[0] !== OP_FOLLOW) throw new Error(`${id} was asked ${asked} first`);
    this.push(id, configuration);
  }

  /** A node tells of a configuration. */
  push(id: string, configuration: Configuration): void {
    const body = encodeConfiguration(configuration);
    const answer = { id: FOLLOW_ID, opcode: OP_FOLLOW, status: STATUS.OK };
    this.socket(id).answer({ ...answer, flags: ANSWER_HAS_VALUE, body });
  }

  /** What a node was asked about keys. */
  asked(id: string): SeenRequest[] {
    return this.socket(id)
      .requests()
      .filter(({ opcode }) => opcode !== OP_FOLLOW);
  }

  /** The owners of a key, the first first. */
  ownersOf(key: string): string[] {
    const { layout, partitioner } = this.configuration;
    const partition = partitionOf(layout, partitioner, new TextEncoder().encode(key));
    return ownersOf(placementOf(layout, partitioner), partition).map(({ id }) => id);
  }

  /** Some keys whose first owner is this node. */
  keysOf(id: string, count: number): string[] {
    const keys: string[] = [];
    for (let n = 0; keys.length < count; n++) {
      if (this.ownersOf(`key:${n}`)[0] === id) keys.push(`key:${n}`);
    }
    return keys;
  }
}
