import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { GetBatch } from '../../../src/client/batches.js';
import { BatchPart, scatter } from '../../../src/client/routing/scatter.js';
import { Topology } from '../../../src/client/routing/topology.js';
import {
  decodeTopology,
  OP_FOLLOW,
  OP_TOPOLOGY,
  topologyRequest,
} from '../../../src/client/routing/topologyFrames.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { applied } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { encodeConfiguration } from '../../../src/ring/configurationCodec.js';
import { partitionOf } from '../../../src/ring/partition.js';
import { ownersOf, placementOf } from '../../../src/ring/placement.js';
import { founding, member } from '../ring/support/clusters.js';

const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const keys = Array.from({ length: 200 }, (_, n) => key(`user:${n}`));
const nodes = ['a', 'b', 'c', 'd'].map((id, n) => member(id, { zone: n % 2 === 0 ? 'x' : 'y' }));
const first = founding(nodes, 2);
const nobody = (): boolean => false;

function ownersIn(configuration: Configuration, one: Uint8Array): string[] {
  const { layout, partitioner } = configuration;
  const partition = partitionOf(layout, partitioner, one);
  return ownersOf(placementOf(layout, partitioner), partition).map(({ id }) => id);
}

function idsOf(topology: Topology, one: Uint8Array, intent: 'read' | 'write' = 'write'): string[] {
  return topology.routeOf(one, intent, nobody).map(({ id }) => id);
}

describe('the topology of a client', () => {
  test('knows nobody before it was told', () => {
    expect(idsOf(new Topology(), key('k'))).toEqual([]);
  });

  test('has the owners that the nodes compute', () => {
    const topology = new Topology();
    expect(topology.take(decodeTopology(encodeConfiguration(first)))).toBe(true);
    for (const one of keys.slice(0, 20)) expect(idsOf(topology, one)).toEqual(ownersIn(first, one));
  });

  test('takes what is newer, and what another cluster says', () => {
    const topology = new Topology();
    const second = applied(first, { kind: 'weigh', id: 'a', weight: 2 });
    expect([second, first, second].map((one) => topology.take(one))).toEqual([true, false, false]);
    expect(topology.configuration).toBe(second);
    expect(topology.take({ ...first, cluster: '0123456789abcdef' })).toBe(true);
  });

  test('asks old owners before new ones while partitions move', () => {
    const topology = new Topology();
    const second = applied(first, { kind: 'admit', member: member('e') });
    topology.take(second);
    let moving = 0;
    for (const one of keys.slice(0, 60)) {
      const [old, now] = [ownersIn(first, one), ownersIn(second, one)];
      const comers = now.filter((id) => !old.includes(id));
      moving += comers.length;
      expect(idsOf(topology, one)).toEqual([...old, ...comers]);
    }
    expect(moving).toBeGreaterThan(0);
    const settled = applied(second, { kind: 'settle', number: second.number });
    topology.take(settled);
    for (const one of keys.slice(0, 10))
      expect(idsOf(topology, one)).toEqual(ownersIn(second, one));
  });

  test('reads in its own zone where any owner may answer, and at the tail of a chain', () => {
    const topology = new Topology('y');
    topology.take(first);
    for (const one of keys.slice(0, 20)) {
      const zones = topology.routeOf(one, 'read', nobody).map(({ zone }) => zone);
      expect(zones).toEqual(['y', 'x']);
      expect(idsOf(topology, one, 'write')).toEqual(ownersIn(first, one));
    }
    topology.take({ ...first, number: 2, strategy: 'chain' });
    const [one] = keys as [Uint8Array];
    expect(idsOf(topology, one, 'read')).toEqual(ownersIn(first, one).reverse());
  });

  test('asks whom it found down last', () => {
    const topology = new Topology();
    topology.take(first);
    for (const one of keys.slice(0, 20)) {
      const [head, next] = ownersIn(first, one) as [string, string];
      const route = topology.routeOf(one, 'read', (id) => id === head).map(({ id }) => id);
      expect(route).toEqual([next, head]);
    }
  });
});

describe('a call about many keys', () => {
  test('is taken apart by node, and each key keeps its place', () => {
    const topology = new Topology();
    topology.take(first);
    const whole = new GetBatch(keys);
    const nodeOf = (place: number): string => idsOf(topology, keys[place] as Uint8Array)[0] ?? '';
    const parts = scatter(keys.keys(), nodeOf);
    expect([...parts.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([...parts.values()].flat().sort((a, b) => a - b)).toEqual([...keys.keys()]);
    const random = seededRandom(7);
    for (const places of parts.values()) {
      const part = new BatchPart(whole, places);
      expect(part.count).toBe(places.length);
      const order = [...places.keys()].sort(() => random.fraction() - 0.5);
      for (const at of order) {
        const asked = part.request(at).key;
        expect(asked).toBe(keys[places[at] as number]);
        expect(part.result()).toContain(places[at]);
        part.accept(at, answer(asked as Uint8Array));
      }
      expect(part.result()).toEqual([]);
    }
    expect(whole.result()).toEqual(keys.map((one) => new TextDecoder().decode(one)));
  });
});

/** The answer of a node to a get whose value is the text of its key. */
function answer(value: Uint8Array): AnswerReader {
  const bytes = new Uint8Array(12 + value.length);
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  bytes.set([0, 0x10, 1, 0x10], 8);
  bytes.set(value, 12);
  const reader = new AnswerReader();
  reader.reset(bytes);
  reader.next();
  return reader;
}

describe('frames about the topology', () => {
  test('say what the client knows', () => {
    expect(topologyRequest(7, false)).toMatchObject({ opcode: OP_TOPOLOGY, version: 7n, flags: 2 });
    expect(topologyRequest(0, true)).toMatchObject({ opcode: OP_FOLLOW, version: 0n });
  });

  test('are refused when they make no sense', () => {
    expect(() => decodeTopology(Uint8Array.of(1, 2, 3))).toThrow(ProtocolError);
  });
});
