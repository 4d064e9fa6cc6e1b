import { describe, expect, test } from 'vitest';
import { encodeFence, fenceOf } from '../../../src/replication/fence.js';
import { applied } from '../../../src/ring/change.js';
import type { Configuration, Strategy } from '../../../src/ring/configuration.js';
import { ownersFor } from '../../../src/ring/roles.js';
import { ClusterView } from '../../../src/ring/view.js';
import { founding, member } from './support/clusters.js';

const ids = (members: readonly { id: string }[]): string => members.map(({ id }) => id).join('');
const [a, b, c] = ['a', 'b', 'c'].map((id) => member(id)) as [
  ReturnType<typeof member>,
  ReturnType<typeof member>,
  ReturnType<typeof member>,
];
const KEY = Buffer.from('key');

function led(strategy: Strategy): Configuration {
  return { ...founding([a, b, c], 3), strategy };
}

/** The view of the first owner of the key, under a strategy. */
function leader(strategy: Strategy): { view: ClusterView; step: Configuration } {
  const step = led(strategy);
  const view = new ClusterView();
  view.learn(step);
  view.identify(view.askedFor('write', KEY)[0]?.id ?? '');
  return { view, step };
}

const passed = (id: string, passedOver: boolean) => ({ kind: 'pass', id, passedOver }) as const;

describe('roles', () => {
  test.each([
    ['multi-master', 'abc', 'abc'],
    ['primary-replica', 'a', 'abc'],
    ['chain', 'a', 'c'],
  ] as const)('of %s: %s change, %s answer', (strategy, writers, readers) => {
    expect(ids(ownersFor('write', strategy, [a, b, c]))).toBe(writers);
    expect(ids(ownersFor('read', strategy, [a, b, c]))).toBe(readers);
  });

  test('are not for those who are passed over', () => {
    const late = { ...c, passedOver: true };
    expect(ids(ownersFor('read', 'primary-replica', [a, b, late]))).toBe('ab');
    expect(ids(ownersFor('read', 'chain', [a, b, late]))).toBe('b');
    expect(ownersFor('write', 'chain', [late])).toEqual([]);
    expect(ids(ownersFor('read', 'multi-master', [a, b, late]))).toBe('abc');
  });

  test('are taken up when the others have confirmed, and kept over steps that leave them', () => {
    const { view, step } = leader('primary-replica');
    expect(view.mayDo('write', KEY)).toBe(false);
    view.confirm(1);
    expect(view.mayDo('write', KEY)).toBe(true);
    const [other = ''] = ['a', 'b', 'c'].filter((id) => id !== view.self);
    view.learn(applied(step, passed(other, true)));
    expect([view.isConfirmed, view.mayDo('write', KEY)]).toEqual([false, true]);
  });

  test('that were lost in between are new ones', () => {
    const { view, step } = leader('chain');
    view.confirm(1);
    const second = applied(step, passed(view.self, true));
    view.learn(second);
    expect([view.isDeposed, view.mayDo('write', KEY)]).toEqual([true, false]);
    view.learn(applied(second, passed(view.self, false)));
    expect([view.isDeposed, view.mayDo('write', KEY)]).toEqual([false, false]);
    view.confirm(2);
    expect(view.mayDo('write', KEY)).toBe(false);
    view.confirm(3);
    expect(view.mayDo('write', KEY)).toBe(true);
  });

  test('are not used by who sees so few that the others may have chosen another', () => {
    const { view } = leader('primary-replica');
    view.confirm(1);
    const others = ['a', 'b', 'c'].filter((id) => id !== view.self);
    view.setAway(others.slice(0, 1));
    expect(view.mayDo('write', KEY)).toBe(true);
    view.setAway(others);
    expect([view.mayDo('write', KEY), view.mayDo('read', KEY)]).toEqual([false, true]);
  });

  test('go to owners that are being left, until the moves are settled under a new epoch', () => {
    const step = led('primary-replica');
    const moving = applied(step, { kind: 'admit', member: member('d') });
    const view = new ClusterView();
    view.learn(moving);
    const before = new ClusterView();
    before.learn(step);
    for (let n = 0; n < 100; n++) {
      const key = Buffer.from(`key ${n}`);
      expect(view.askedFor('write', key)).toEqual(before.askedFor('write', key));
    }
    expect(applied(moving, { kind: 'settle', number: 2 })).toMatchObject({ number: 3, epoch: 3 });
  });

  test('of one that leaves are lost as those of others are', () => {
    const leaving = applied(led('chain'), { kind: 'remove', id: 'c' });
    const after = applied(leaving, passed('c', true));
    expect(after).toMatchObject({ number: 3, epoch: 3, layout: leaving.layout });
    expect(after.leaving?.members.find(({ id }) => id === 'c')?.passedOver).toBe(true);
    expect(applied(after, passed('c', true))).toBe(after);
  });
});

describe('a fence', () => {
  test('says who tells, and under which epoch', () => {
    const fence = encodeFence(7, 'node-1', 12);
    const frame = Buffer.concat([fence, Buffer.from('rest')]);
    expect(fenceOf(frame)).toEqual({ id: 7, from: 'node-1', epoch: 12, end: fence.length });
    expect(fenceOf(frame.subarray(0, 10))).toBeUndefined();
    expect(fenceOf(Buffer.alloc(40))).toBeUndefined();
  });
});
