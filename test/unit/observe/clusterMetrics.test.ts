import { describe, expect, test } from 'vitest';
import { aggregate, familiesIn } from '../../../src/observe/clusterMetrics.js';
import { type Family, histogram, many, one } from '../../../src/observe/family.js';

function familiesOf(items: number, uptime: number): Family[] {
  const name = 'orlop_probe_seconds';
  const samples = histogram(name, {}, { bounds: [0.1], counts: [items, 1], sum: 2 });
  return [
    one('gauge', 'orlop_items', 'Items', items),
    one('gauge', 'orlop_uptime_seconds', 'Uptime', uptime),
    many('gauge', 'orlop_cluster_members', 'Members', 'state', [['alive', 3]]),
    { name, help: 'Probes', type: 'histogram', samples },
  ];
}

const valuesOf = (families: readonly Family[], name: string): unknown[] =>
  families.find((one) => one.name === name)?.samples.map(({ value, labels }) => [value, labels]) ??
  [];

describe('the metrics of a cluster', () => {
  const all = aggregate([
    { id: 'a', families: familiesOf(5, 10) },
    { id: 'b', families: [...familiesOf(7, 30), one('counter', 'orlop_b_total', 'B', 1)] },
    { id: 'c', families: undefined },
  ]);

  test('are sums, but for what has none, and name who is not among them', () => {
    expect(valuesOf(all, 'orlop_items')).toEqual([[12, {}]]);
    expect(valuesOf(all, 'orlop_uptime_seconds')).toEqual([[30, {}]]);
    expect(valuesOf(all, 'orlop_cluster_members')).toEqual([[3, { state: 'alive' }]]);
    expect(valuesOf(all, 'orlop_b_total')).toEqual([[1, {}]]);
    expect(valuesOf(all, 'orlop_cluster_answered')).toEqual([
      [1, { node: 'a' }],
      [1, { node: 'b' }],
      [0, { node: 'c' }],
    ]);
    const buckets = [
      [12, { le: 0.1 }],
      [14, { le: '+Inf' }],
      [4, {}],
      [14, {}],
    ];
    expect(valuesOf(all, 'orlop_probe_seconds')).toEqual(buckets);
  });

  test('come from what makes sense only', () => {
    const told = JSON.parse(JSON.stringify(familiesOf(1, 2)));
    expect(familiesIn(told)).toEqual(familiesOf(1, 2));
    for (const wrong of [
      undefined,
      {},
      [1],
      [{ ...told[0], type: 'summary' }],
      [{ ...told[0], samples: [{ value: '1', labels: {} }] }],
      [{ ...told[0], samples: [{ value: 1, labels: { a: {} } }] }],
    ]) {
      expect(familiesIn(wrong)).toBeUndefined();
    }
  });
});
