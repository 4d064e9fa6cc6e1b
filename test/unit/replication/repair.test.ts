import { describe, expect, test } from 'vitest';
import { type Finding, resolve } from '../../../src/replication/findings.js';
import { type Hint, Hints } from '../../../src/replication/hints.js';
import { MAX_MARKS, SessionToken } from '../../../src/replication/session.js';
import { FormatError } from '../../../src/ring/fields.js';

const bootOf = (n: number): string => n.toString(16).padStart(16, '0');

describe('a session token', () => {
  const token = new SessionToken();
  token.note({ id: 'a', boot: bootOf(1), position: 5 });
  token.note({ id: 'b', boot: bootOf(2), position: 9 });
  token.note({ id: 'a', boot: bootOf(1), position: 4 });

  test('knows the last write at each node, and what a replica lacks of them', () => {
    expect(token.missing(() => 9)).toEqual([]);
    expect(token.missing(() => undefined).length).toBe(2);
    expect(token.missing((id) => (id === 'a' ? 5 : 8)).map(({ id }) => id)).toEqual(['b']);
    expect(token.missing((_, boot) => (boot === bootOf(2) ? 9 : 4)).map(({ id }) => id)).toEqual([
      'a',
    ]);
  });

  test('begins anew with another boot', () => {
    const one = new SessionToken();
    one.note({ id: 'a', boot: bootOf(1), position: 50 });
    one.note({ id: 'a', boot: bootOf(2), position: 1 });
    expect(one.marks).toEqual([{ id: 'a', boot: bootOf(2), position: 1 }]);
  });

  test('comes back from its bytes, and nothing else does', () => {
    const bytes = token.encode();
    expect(SessionToken.decode(bytes).marks).toEqual(token.marks);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => SessionToken.decode(bytes.subarray(0, end))).toThrow(FormatError);
    }
    expect(() => SessionToken.decode(Uint8Array.of(...bytes, 0))).toThrow(FormatError);
    expect(() => SessionToken.decode(Uint8Array.of(1, 0, 33, 0))).toThrow(FormatError);
  });

  test('forgets the node that was written to longest ago', () => {
    const one = new SessionToken();
    for (let n = 0; n <= MAX_MARKS; n++) one.note({ id: `n${n}`, boot: bootOf(1), position: n });
    expect(one.marks.length).toBe(MAX_MARKS);
    expect(one.marks[0]?.id).toBe('n1');
  });
});

const hint = (key: string, version: number, length = 10): Hint => ({
  key,
  version: BigInt(version),
  record: new Uint8Array(length),
});

describe('hints', () => {
  const limits = { bytes: 100, ageMs: 1000 };

  test('keep the newest change of each key until it is delivered', () => {
    const hints = new Hints(limits);
    hints.keep('a', hint('k', 2), 0);
    hints.keep('a', hint('k', 1), 1);
    hints.keep('a', hint('l', 1), 2);
    const first = hints.next('a', 15, 3);
    expect(first.map(({ key, version }) => [key, version])).toEqual([['k', 2n]]);
    hints.keep('a', hint('k', 3), 4);
    hints.delivered('a', first);
    expect(hints.next('a', 100, 5).map(({ version }) => version)).toEqual([1n, 3n]);
    hints.delivered('a', hints.next('a', 100, 5));
    expect([hints.bytes, hints.countFor('a'), hints.isIncomplete('a')]).toEqual([0, 0, false]);
  });

  test('let go of the oldest beyond their bytes, and say whom they fail', () => {
    const hints = new Hints(limits);
    hints.keep('a', hint('k', 1, 60), 0);
    hints.keep('b', hint('k', 1, 30), 1);
    hints.keep('b', hint('l', 1, 30), 2);
    expect([hints.countFor('a'), hints.countFor('b'), hints.bytes]).toEqual([0, 2, 60]);
    expect([hints.isIncomplete('a'), hints.isIncomplete('b')]).toEqual([true, false]);
    hints.settle('b');
    hints.settle('a');
    expect([hints.bytes, hints.isIncomplete('a')]).toEqual([0, false]);
  });

  test('say how many they are for each node, and how old, until they are made up for', () => {
    const hints = new Hints(limits);
    hints.keep('a', hint('k', 1, 60), 5);
    hints.keep('a', hint('l', 1, 30), 7);
    expect([hints.bytesFor('a'), hints.ageMs('a', 25)]).toEqual([90, 20]);
    expect([hints.bytesFor('b'), hints.ageMs('b', 25)]).toEqual([0, 0]);
    hints.keep('a', hint('m', 1, 30), 8);
    expect(hints.isIncomplete('a')).toBe(true);
    hints.madeUpFor('a');
    expect(hints.isIncomplete('a')).toBe(false);
  });

  test('let go of what is too old', () => {
    const hints = new Hints(limits);
    hints.keep('a', hint('k', 1), 0);
    hints.keep('a', hint('l', 1), 500);
    expect(hints.next('a', 100, 1000).map(({ key }) => key)).toEqual(['l']);
    expect(hints.isIncomplete('a')).toBe(true);
  });
});

describe('findings', () => {
  const finding = (id: string, version?: number, more: Partial<Finding> = {}): Finding => ({
    id,
    version: version === undefined ? undefined : BigInt(version),
    tombstone: false,
    forgotten: 0n,
    ...more,
  });

  test('give the newest to who is behind', () => {
    const { newest, stale } = resolve([finding('a', 3), finding('b', 5), finding('c')]);
    expect([newest?.id, stale]).toEqual(['b', ['a', 'c']]);
    expect(resolve([finding('a', 5), finding('b', 5)]).stale).toEqual([]);
    expect(resolve([finding('a'), finding('b')])).toEqual({ newest: undefined, stale: [] });
  });

  test('prefer the tombstone at equal versions, whoever has it', () => {
    const [item, tomb] = [finding('a', 5), finding('b', 5, { tombstone: true })];
    for (const order of [
      [item, tomb],
      [tomb, item],
    ]) {
      const { newest, stale } = resolve(order);
      expect([newest?.id, stale]).toEqual(['b', ['a']]);
    }
  });

  test('do not bring back what was evicted or purged', () => {
    const evicted = finding('a', undefined, { forgotten: 5n });
    expect(resolve([evicted, finding('b', 5)]).stale).toEqual([]);
    expect(resolve([evicted, finding('b', 6)]).stale).toEqual(['a']);
    expect(resolve([finding('a', 2, { forgotten: 5n }), finding('b', 5)]).stale).toEqual(['a']);
  });
});
