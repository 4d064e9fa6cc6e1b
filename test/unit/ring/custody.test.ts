import { describe, expect, test } from 'vitest';
import { applied } from '../../../src/ring/change.js';
import type { Configuration } from '../../../src/ring/configuration.js';
import { dutiesOf, type Sighting, stewardOf } from '../../../src/ring/custody.js';
import { founding, member } from './support/clusters.js';

const AFTER_MS = 600_000;
const custody = { replaceAfterMs: AFTER_MS, hasCaughtUp: () => true };
const four = founding(['a', 'b', 'c', 'd'].map((id) => member(id)));

/** Everybody alive but those who are named. */
function seen(
  configuration: Configuration,
  others: Readonly<Record<string, Sighting['state']>>,
): Map<string, Sighting> {
  const entry = (id: string): [string, Sighting] => [
    id,
    { state: others[id] ?? 'alive', sinceMs: 0 },
  ];
  return new Map(configuration.layout.members.map(({ id }) => entry(id)));
}

describe('the steward', () => {
  test('is the living member with the lowest id, and the only one with duties', () => {
    const sightings = seen(four, { a: 'dead', c: 'left' });
    sightings.set('a', { state: 'dead', sinceMs: AFTER_MS });
    expect(stewardOf(four, sightings)).toBe('b');
    expect(dutiesOf('b', four, sightings, AFTER_MS, custody)).toEqual([
      { kind: 'remove', id: 'c' },
    ]);
    for (const id of ['a', 'c', 'd']) {
      expect(dutiesOf(id, four, sightings, AFTER_MS, custody)).toEqual([]);
    }
  });

  test.each(['dead', 'left'] as const)('leaves a %s member its partitions for a time', (state) => {
    const sightings = seen(four, { d: state, c: 'suspect' });
    expect(dutiesOf('a', four, sightings, AFTER_MS - 1, custody)).toEqual([]);
    expect(dutiesOf('a', four, sightings, AFTER_MS, custody)).toEqual([
      { kind: 'remove', id: 'd' },
    ]);
  });

  test('takes nobody out when too few would be left', () => {
    const three = founding(['a', 'b', 'c'].map((id) => member(id)));
    for (const state of ['dead', 'left'] as const) {
      expect(dutiesOf('a', three, seen(three, { c: state }), AFTER_MS, custody)).toEqual([]);
    }
  });

  test('knows nothing bad of members that it has not met', () => {
    const sightings = seen(four, {});
    sightings.delete('d');
    expect(dutiesOf('a', four, sightings, 10 * AFTER_MS, custody)).toEqual([]);
  });

  test('puts who stands by in the place of who is lost, with its weight', () => {
    const members = [member('a'), member('b', { weight: 3 }), member('z', { weight: 0 })];
    const three = founding([...members, member('y', { weight: 2 })], 1);
    const sightings = seen(three, { b: 'dead', y: 'dead' });
    const duties = dutiesOf('a', three, sightings, AFTER_MS, custody);
    expect(duties).toEqual([
      { kind: 'replace', id: 'b', member: member('z', { weight: 3 }) },
      { kind: 'remove', id: 'y' },
    ]);
    const after = duties.reduce(applied, three);
    expect(after.layout.members.map(({ id, weight }) => [id, weight])).toEqual([
      ['a', 1],
      ['z', 3],
    ]);
  });

  test('leaves the last member with any weight where it is', () => {
    const two = founding([member('a', { weight: 0 }), member('b')]);
    const gone = seen(two, { b: 'dead' });
    expect(dutiesOf('a', two, gone, AFTER_MS, custody)).toMatchObject([{ kind: 'replace' }]);
    const idle = founding([member('a'), member('b', { weight: 0 })]);
    expect(dutiesOf('b', idle, seen(idle, { a: 'dead' }), AFTER_MS, custody)).toMatchObject([
      { kind: 'replace', id: 'a', member: { id: 'b', weight: 1 } },
    ]);
    const sleeping = founding([member('a', { weight: 0 }), member('b')]);
    const both = seen(sleeping, { a: 'dead', b: 'left' });
    expect(dutiesOf('a', sleeping, both, AFTER_MS, custody)).toEqual([]);
  });

  test('passes over dead primaries at once, and again not when they have caught up', () => {
    const chain: Configuration = { ...four, strategy: 'chain' };
    const pass = { kind: 'pass', id: 'b', passedOver: true } as const;
    expect(dutiesOf('a', chain, seen(chain, { b: 'dead' }), 0, custody)).toEqual([pass]);
    expect(dutiesOf('a', chain, seen(chain, { b: 'left' }), 0, custody)).toEqual([pass]);
    expect(dutiesOf('a', four, seen(four, { b: 'dead' }), 0, custody)).toEqual([]);
    const passed = applied(chain, pass);
    expect(dutiesOf('a', passed, seen(passed, { b: 'dead' }), 0, custody)).toEqual([]);
    const behind = { ...custody, hasCaughtUp: () => false };
    expect(dutiesOf('a', passed, seen(passed, {}), 0, behind)).toEqual([]);
    expect(dutiesOf('a', passed, seen(passed, {}), 0, custody)).toEqual([
      { kind: 'pass', id: 'b', passedOver: false },
    ]);
  });
});
