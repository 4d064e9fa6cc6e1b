import { describe, expect, test } from 'vitest';
import { applied, type Change, ChangeError } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { digestOfConfiguration } from '../../../src/ring/configurationCodec.js';
import { founding, member } from './support/clusters.js';

const before = founding([member('a'), member('b'), member('c')], 2);
const idsOf = (one: Configuration): string[] => one.layout.members.map(({ id }) => id);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const ranged: Configuration = {
  ...before,
  partitioner: 'range',
  layout: { ...before.layout, ranges: [{ id: 0, from: bytes('') }] },
};

describe('a change of the configuration', () => {
  test('is one step that names the step before', () => {
    const after = applied(before, { kind: 'admit', member: member('ab') });
    expect(after).toMatchObject({ number: 2, previous: digestOfConfiguration(before), epoch: 2 });
    expect(idsOf(after)).toEqual(['a', 'ab', 'b', 'c']);
    expect(after.leaving).toEqual(before.layout);
  });

  test.each<[Change, boolean]>([
    [{ kind: 'admit', member: member('b') }, true],
    [{ kind: 'admit', member: member('b', { boot: 'f'.repeat(16) }) }, false],
    [{ kind: 'remove', id: 'x' }, true],
    [{ kind: 'weigh', id: 'b', weight: 1 }, true],
    [{ kind: 'pass', id: 'b', passedOver: false }, true],
    [{ kind: 'pass', id: 'b', passedOver: true }, false],
    [{ kind: 'replicas', count: 2 }, true],
    [{ kind: 'replicas', count: 3 }, false],
    [{ kind: 'settle', number: 1 }, true],
  ])('%j is made already: %s', (change, made) => {
    const after = applied(before, change);
    expect(after === before).toBe(made);
    expect(applied(after, change) === after).toBe(true);
  });

  test('moves nothing and turns no primary when only addresses or boots are new', () => {
    const boot = 'f'.repeat(16);
    const after = applied(before, { kind: 'admit', member: member('b', { host: 'b2', boot }) });
    expect(after).toMatchObject({ number: 2, epoch: 1 });
    expect(after.leaving).toBeUndefined();
  });

  test('lets who is there again keep its weight, and passes it over when it is blank', () => {
    const heavy = applied(before, { kind: 'weigh', id: 'b', weight: 5 });
    const blank = member('b', { boot: 'f'.repeat(16), host: 'b2' });
    const again = applied(heavy, { kind: 'admit', member: blank });
    expect(again.layout.members[1]).toEqual({ ...blank, weight: 5 });
    const chain: Configuration = { ...heavy, strategy: 'chain' };
    const passed = applied(chain, { kind: 'admit', member: blank });
    expect(passed.layout.members[1]).toEqual({ ...blank, weight: 5, passedOver: true });
    const moved = applied(passed, { kind: 'admit', member: { ...blank, host: 'b3' } });
    expect(moved.layout.members[1]).toMatchObject({ host: 'b3', passedOver: true });
  });

  test('gives a node another place among the owners without moving anything', () => {
    const after = applied(before, { kind: 'pass', id: 'a', passedOver: true });
    expect(after).toMatchObject({ number: 2, epoch: 2 });
    expect(after.leaving).toBeUndefined();
  });

  test('goes on leaving the first layout until it is settled, with news of its members', () => {
    const second = applied(before, { kind: 'admit', member: member('d') });
    const third = applied(second, { kind: 'weigh', id: 'b', weight: 3 });
    expect(third.leaving).toEqual(before.layout);
    const moved = applied(third, { kind: 'admit', member: member('a', { host: 'new' }) });
    expect(moved.leaving?.members.map(({ host }) => host)).toEqual([
      'new',
      '127.0.0.1',
      '127.0.0.1',
    ]);
    expect(applied(moved, { kind: 'settle', number: 3 })).toBe(moved);
    const settled = applied(moved, { kind: 'settle', number: 4 });
    expect(settled).toMatchObject({ number: 5, epoch: 3, previous: digestOfConfiguration(moved) });
    expect('leaving' in settled).toBe(false);
  });

  test('leaves nothing when it takes back what had begun', () => {
    const second = applied(before, { kind: 'admit', member: member('d') });
    const third = applied(second, { kind: 'remove', id: 'd' });
    expect(third).toMatchObject({ number: 3, epoch: 3, layout: before.layout });
    expect(third.leaving).toBeUndefined();
  });

  test('puts a new node in the place of one that is gone', () => {
    const after = applied(before, { kind: 'replace', id: 'b', member: member('z') });
    expect(idsOf(after)).toEqual(['a', 'c', 'z']);
    expect(applied(after, { kind: 'replace', id: 'b', member: member('z') })).toBe(after);
  });

  test('splits a range once at a key, under a number of its own', () => {
    const second = applied(ranged, { kind: 'split', from: bytes('m') });
    const third = applied(second, { kind: 'split', from: bytes('d') });
    expect(third.layout.ranges).toEqual([
      { id: 0, from: bytes('') },
      { id: 2, from: bytes('d') },
      { id: 1, from: bytes('m') },
    ]);
    expect(applied(third, { kind: 'split', from: bytes('m') })).toBe(third);
    expect(third.leaving?.ranges.length).toBe(1);
  });

  test.each<[Change, RegExp]>([
    [{ kind: 'weigh', id: 'x', weight: 1 }, /not a member/],
    [{ kind: 'weigh', id: 'a', weight: 5000 }, /weight of a/],
    [{ kind: 'replicas', count: 0 }, /replicas/],
    [{ kind: 'split', from: bytes('m') }, /not split/],
    [{ kind: 'admit', member: member('not a name') }, /no name/],
  ])('%j can not be made', (change, why) => {
    expect(() => applied(before, change)).toThrow(ChangeError);
    expect(() => applied(before, change)).toThrow(why);
  });

  test('never leaves a cluster without anybody who owns', () => {
    const alone = founding([member('a'), member('b', { weight: 0 })]);
    expect(() => applied(alone, { kind: 'remove', id: 'a' })).toThrow(/weigh/);
    expect(() => applied(alone, { kind: 'weigh', id: 'a', weight: 0 })).toThrow(/weigh/);
  });
});
