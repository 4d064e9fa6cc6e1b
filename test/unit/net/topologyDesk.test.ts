import { describe, expect, test } from 'vitest';
import { isAboutTopology, TopologyDesk } from '../../../src/net/topologyDesk.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../../src/protocol/request.js';
import { STATUS } from '../../../src/protocol/status.js';
import { FLAG_VERSION, OP_FOLLOW, OP_GET, OP_TOPOLOGY } from '../../../src/protocol/wire.js';
import { applied } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { decodeConfiguration } from '../../../src/ring/configurationCodec.js';
import { ClusterView } from '../../../src/ring/view.js';
import { fieldOf, hex, unhex, vectorsOf } from '../protocol/support/vectors.js';
import { founding, member } from '../ring/support/clusters.js';

const two: Configuration = {
  ...founding(
    [
      member('a', { host: '10.0.0.1', boot: '00000000000000b0' }),
      member('b', { host: '10.0.0.1', boot: '00000000000000b0', weight: 2, zone: 'z' }),
    ],
    2,
  ),
  name: 'orlop',
};

class Client {
  readonly told: Uint8Array[] = [];

  tell(answers: Uint8Array): void {
    this.told.push(answers.slice());
  }

  /** Status, number and configuration of all that was told. */
  read(): [status: number, number: bigint | undefined, configuration: Configuration | undefined][] {
    return this.told.splice(0).map((bytes) => {
      const reader = new AnswerReader();
      reader.reset(bytes);
      expect(reader.next()).toBe(true);
      const body = reader.body();
      const configuration = body.length > 0 ? decodeConfiguration(body) : undefined;
      return [reader.status, reader.version(), configuration];
    });
  }
}

function rig() {
  const view = new ClusterView();
  return { view, desk: new TopologyDesk(view), client: new Client() };
}

function requestOf(opcode: number, known: number): Uint8Array {
  const writer = new FrameWriter(64);
  encodeRequest(writer, { id: 9, opcode, flags: FLAG_VERSION, version: BigInt(known) });
  return writer.frame().slice();
}

describe('a desk', () => {
  test.each(vectorsOf('topology').map((v) => [v.name, v] as const))(
    'answers as the page says: %s',
    (_, vector) => {
      const { view, desk, client } = rig();
      view.learn(two);
      const frame = unhex(fieldOf(vector, 'request') ?? '');
      expect(isAboutTopology(frame)).toBe(true);
      expect(desk.take(client, frame).length).toBe(0);
      expect(client.told.map(hex)).toEqual([hex(unhex(fieldOf(vector, 'answer') ?? ''))]);
    },
  );

  test('has nothing to say before there is a configuration', () => {
    const { desk, client } = rig();
    desk.take(client, requestOf(OP_TOPOLOGY, 0));
    expect(client.read()).toEqual([[STATUS.NOT_FOUND, 0n, undefined]]);
  });

  test('tells followers of each configuration until they leave, and nobody else', () => {
    const { view, desk, client } = rig();
    const other = new Client();
    desk.take(client, requestOf(OP_FOLLOW, 0));
    desk.take(other, requestOf(OP_TOPOLOGY, 0));
    client.told.length = 0;
    other.told.length = 0;
    view.learn(two);
    const next = applied(two, { kind: 'weigh', id: 'a', weight: 5 });
    view.learn(next);
    expect(client.read()).toEqual([
      [STATUS.OK, 1n, two],
      [STATUS.OK, 2n, next],
    ]);
    // A node that has given up its cluster tells of the other one.
    view.learn({ ...two, cluster: '1'.repeat(16) });
    expect(client.read()).toMatchObject([[STATUS.OK, 1n, { cluster: '1'.repeat(16) }]]);
    desk.leave(client);
    view.learn(next);
    expect([client.told, other.told]).toEqual([[], []]);
  });

  test('leaves the rest of a frame to the core, and what can not be taken apart', () => {
    const { view, desk, client } = rig();
    view.learn(two);
    const get = new FrameWriter(64);
    encodeRequest(get, { id: 1, opcode: OP_GET, key: 'k' });
    const rest = get.frame().slice();
    const frame = Uint8Array.of(...requestOf(OP_TOPOLOGY, 0), ...requestOf(OP_FOLLOW, 0), ...rest);
    expect(desk.take(client, frame)).toEqual(rest);
    expect(client.read().length).toBe(2);
    const torn = requestOf(OP_TOPOLOGY, 0);
    torn[0] = 200;
    expect(desk.take(client, torn)).toEqual(torn);
    expect(client.told).toEqual([]);
    expect(isAboutTopology(rest)).toBe(false);
    expect(isAboutTopology(torn.subarray(0, 12))).toBe(false);
  });
});
