import { describe, expect, test } from 'vitest';
import { stretchesOf } from '../../../src/cluster/ownership.js';
import { type Sight, type StatusSources, statusDocument } from '../../../src/cluster/status.js';
import { applied } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { ownersOf, placementOf } from '../../../src/ring/placement.js';
import { founding, member } from '../ring/support/clusters.js';

const three = founding(['a', 'b', 'c'].map((id) => member(id)));

function sight(id: string, state: Sight['state'] = 'alive'): Sight {
  return { id, host: '10.0.0.1', port: 7700, state, forMs: 12_400 };
}

function sourcesOf(
  configuration: Configuration | undefined,
  sights: readonly Sight[],
  more: Partial<StatusSources> = {},
): StatusSources {
  const placement = configuration && placementOf(configuration.layout, configuration.partitioner);
  const base = {
    cluster: 'test',
    figures: new Map(),
    moved: undefined,
    thresholdPercent: 10,
    lagMs: 40,
  };
  return { ...base, configuration, placement, sights, ...more };
}

const all = ['a', 'b', 'c'].map((id) => sight(id));

describe('the status of a cluster', () => {
  test('has just the fields that are promised', () => {
    const figures = new Map([['b', { keys: 7, memoryBytes: 4096, uptimeMs: 61_700 }]]);
    const status = statusDocument(sourcesOf(three, all, { figures }));
    expect(status).toEqual({
      cluster_name: 'test',
      nodes: ['a', 'b', 'c'].map((id) => ({
        ...{ id, host: '10.0.0.1', port: 7700, status: 'alive', role: 'owner' },
        ...(id === 'b'
          ? { memory_usage: 4096, keys: 7, uptime: 62 }
          : { memory_usage: null, keys: null, uptime: null }),
      })),
      partitioning: {
        algorithm: 'consistent-hashing',
        distribution: { a: 33.33, b: 33.33, c: 33.33 },
      },
      replication: {
        ...{ factor: 3, strategy: 'multi-master', consistency: 'one', sync_status: 'in_sync' },
      },
      health: { overall: 'healthy', issues: [] },
    });
  });

  test('says who is away, and that nothing can be changed without a majority', () => {
    const one = statusDocument(sourcesOf(three, [sight('a'), sight('b'), sight('c', 'dead')]));
    expect(one.health).toEqual({
      overall: 'degraded',
      issues: ['c is dead since 12 s', '16384 partitions lack an owner that can be reached'],
    });
    expect(one.replication.sync_status).toBe('degraded');
    const two = statusDocument(sourcesOf(three, [sight('a'), sight('b', 'left')]));
    expect(two.health.issues).toContain('c has not been met');
    expect(two.health.issues.join()).toContain('no majority');
    expect(two.health.overall).toBe('degraded');
    expect(statusDocument(sourcesOf(three, [])).health.overall).toBe('unavailable');
  });

  test('tells who joins, leaves and stands by, and how far moves are', () => {
    const four = applied(three, { kind: 'remove', id: 'c' });
    const moving = applied(four, { kind: 'admit', member: member('d', { weight: 0 }) });
    const sights = [...all, sight('d'), sight('e')];
    const status = statusDocument(sourcesOf(moving, sights, { moved: 0.257 }));
    const roles = Object.fromEntries(status.nodes.map(({ id, role }) => [id, role]));
    expect(roles).toEqual({ a: 'owner', b: 'owner', c: 'leaving', d: 'standby', e: 'joining' });
    expect(status.replication.sync_status).toBe('moving');
    expect(status.health).toEqual({
      overall: 'rebalancing',
      issues: ['partitions move: 25 % have arrived'],
    });
  });

  test('says when changes wait for long', () => {
    const { replication } = statusDocument(sourcesOf(three, all, { lagMs: 6_000 }));
    expect(replication.sync_status).toBe('lagging');
  });

  test('is unavailable before there is a configuration', () => {
    const { health, replication } = statusDocument(sourcesOf(undefined, all));
    expect(health.overall).toBe('unavailable');
    expect(replication.sync_status).toBe('unknown');
  });

  test('names who owns more than its share', () => {
    // Two zones of one and two nodes: a zone has a copy of everything, whoever is in it.
    const zones = { a: 'x', b: 'y', c: 'y' };
    const members = Object.entries(zones).map(([id, zone]) => member(id, { zone }));
    const { health } = statusDocument(sourcesOf(founding(members, 2), all));
    expect(health.issues).toEqual(['a owns 50 % more than its share']);
  });
});

describe('the stretches of a placement', () => {
  test('are all partitions with their owners, once', () => {
    const placement = placementOf(founding([member('a'), member('b')], 1).layout, 'hash');
    const stretches = stretchesOf(placement);
    let next = 0;
    for (const { from, to, owners } of stretches) {
      expect(from).toBe(next);
      for (let slot = from; slot <= to; slot++) {
        expect(ownersOf(placement, slot).map(({ id }) => id)).toEqual(owners);
      }
      next = to + 1;
    }
    expect(next).toBe(16_384);
    expect(stretches.length).toBeLessThan(1000);
  });
});
