import { describe, expect, test } from 'vitest';
import { applied } from '../../../src/ring/change.js';
import { ownersOf, placementOf } from '../../../src/ring/placement.js';
import { ClusterView } from '../../../src/ring/view.js';
import { founding, member } from './support/clusters.js';

const three = founding(
  ['a', 'b', 'c'].map((id) => member(id)),
  2,
);
const keyOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const keys = Array.from({ length: 200 }, (_, n) => keyOf(`key-${n}`));
const ids = (members: readonly { id: string }[]): string[] => members.map(({ id }) => id);

describe('the view of a cluster', () => {
  test('names nobody before there is a configuration', () => {
    const view = new ClusterView();
    expect(view.groupsOf(keyOf('k'))).toEqual([]);
    expect(view.route(keyOf('k'))).toEqual([]);
    expect([view.selfIndex, view.leavingIndex, view.partitionOf(keyOf('k'))]).toEqual([-1, -1, 0]);
  });

  test('names the owners of its configuration', () => {
    const view = new ClusterView();
    view.identify('b');
    view.learn(three);
    const placement = placementOf(three.layout, 'hash');
    expect([view.self, view.selfIndex, view.leavingIndex]).toEqual(['b', 1, -1]);
    for (const key of keys) {
      const owners = ownersOf(placement, view.partitionOf(key));
      expect(view.groupsOf(key)).toEqual([owners]);
      expect(view.groupsOfSlot(view.partitionOf(key))).toEqual([owners]);
      expect(view.route(key)).toEqual(owners);
    }
  });

  test('names two groups while partitions move, those who have the data first', () => {
    const view = new ClusterView();
    view.identify('d');
    const four = applied(three, { kind: 'admit', member: member('d') });
    view.learn(four);
    expect([view.selfIndex, view.leavingIndex]).toEqual([3, -1]);
    const moved = keys.filter((key) => ids(view.groupsOf(key)[1] ?? []).includes('d'));
    expect(moved.length).toBeGreaterThan(50);
    for (const key of moved) {
      const [before = [], after = []] = view.groupsOf(key);
      const route = ids(view.route(key));
      expect(route.slice(0, 2)).toEqual(ids(before));
      expect(new Set(route)).toEqual(new Set([...ids(before), ...ids(after)]));
      // This node gets the data only now.
      expect(view.holds(key)).toBe(false);
    }
    view.learn(applied(four, { kind: 'settle', number: 2 }));
    expect(view.leaving).toBeUndefined();
    for (const key of keys) expect(view.groupsOf(key).length).toBe(1);
    for (const key of moved) expect(view.holds(key)).toBe(true);
  });

  test('asks those who are away last, and tells who listens', () => {
    const view = new ClusterView();
    let [configurations, changes] = [0, 0];
    const stop = view.onConfiguration(() => configurations++);
    view.onLiveness(() => changes++);
    view.learn(three);
    view.setAway(['a']);
    view.setAway(['a']);
    expect([configurations, changes]).toEqual([1, 1]);
    for (const key of keys) {
      const [owners = []] = view.groupsOf(key);
      const route = ids(view.route(key));
      expect(route.length).toBe(2);
      if (ids(owners).includes('a')) expect(route[1]).toBe('a');
    }
    stop();
    view.learn(three);
    view.setAway([]);
    expect([configurations, changes]).toEqual([1, 2]);
  });
});
