import { describe, expect, test } from 'vitest';
import { scatter } from '../../../src/client/routing/convoy.js';
import { Topology } from '../../../src/client/routing/topology.js';
import { decodeTopology, followRequest } from '../../../src/client/routing/topologyFrames.js';
import { ProtocolError } from '../../../src/protocol/errors.js';
import { OP_FOLLOW } from '../../../src/protocol/wire.js';
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

function ownersIn(configuration: Configuration, one: Uint8Array): string[] {
  const { layout, partitioner } = configuration;
  const partition = partitionOf(layout, partitioner, one);
  return ownersOf(placementOf(layout, partitioner), partition).map(({ id }) => id);
}

function idsOf(
  topology: Topology,
  one: Uint8Array,
  intent: 'read' | 'write' | 'list' = 'write',
): string[] {
  return topology.routeOf(one, intent).map(({ id }) => id);
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
      const zones = topology.routeOf(one, 'read').map(({ zone }) => zone);
      expect(zones).toEqual(['y', 'x']);
      expect(idsOf(topology, one, 'write')).toEqual(ownersIn(first, one));
    }
    topology.take({ ...first, number: 2, strategy: 'chain' });
    const [one] = keys as [Uint8Array];
    expect(idsOf(topology, one, 'read')).toEqual(ownersIn(first, one).slice(-1));
    expect(idsOf(topology, one, 'write')).toEqual(ownersIn(first, one).slice(0, 1));
    expect(idsOf(topology, one, 'list')).toEqual(ownersIn(first, one));
  });

  test('knows the owners of a key as text, as bytes, and of a long one', () => {
    const topology = new Topology();
    topology.take(first);
    for (const text of ['user:7', '{tag}x', 'schlüssel', 'k'.repeat(5000)]) {
      expect(topology.routeOf(text, 'write').map(({ id }) => id)).toEqual(
        ownersIn(first, key(text)),
      );
    }
    expect(() => topology.routeOf('\ud800', 'read')).toThrow(/surrogate/);
  });

  test('divides ranges as each layout does', () => {
    const topology = new Topology();
    const from = new Uint8Array(0);
    const ranges = [{ id: 1, from }];
    const ranged = { ...first, partitioner: 'range' as const };
    const old = { ...first.layout, ranges };
    const layout = { ...first.layout, ranges: [...ranges, { id: 2, from: key('m') }] };
    topology.take({ ...ranged, layout, leaving: old });
    for (const one of [key('a'), key('z'), key('b'), key('y')]) {
      const before = ownersIn({ ...ranged, layout: old }, one);
      const now = ownersIn({ ...ranged, layout }, one);
      expect(idsOf(topology, one)).toEqual([...new Set([...before, ...now])]);
    }
  });
});

describe('a call about many keys', () => {
  test('is taken apart by node, and each key keeps its place', () => {
    const topology = new Topology();
    topology.take(first);
    const nodeOf = (place: number): string => idsOf(topology, keys[place] as Uint8Array)[0] ?? '';
    const parts = scatter(keys.keys(), nodeOf);
    expect([...parts.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([...parts.values()].flat().sort((a, b) => a - b)).toEqual([...keys.keys()]);
    for (const [node, places] of parts) {
      for (const place of places) expect(nodeOf(place)).toBe(node);
    }
  });
});

describe('frames about the topology', () => {
  test('say what the client knows', () => {
    expect(followRequest(7)).toMatchObject({ opcode: OP_FOLLOW, version: 7n, flags: 2 });
  });

  test('are refused when they make no sense', () => {
    expect(() => decodeTopology(Uint8Array.of(1, 2, 3))).toThrow(ProtocolError);
  });
});
