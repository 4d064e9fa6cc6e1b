import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { slotOf } from '../../../src/base/slot.js';
import {
  type DigestRequest,
  decodeDigestAnswer,
  decodeDigestRequest,
  encodeDigestAnswer,
  encodeDigestRequest,
} from '../../../src/replication/digestMessage.js';
import {
  countIn,
  Digests,
  differing,
  GROUP_SLOTS,
  SLOT_LEAVES,
} from '../../../src/replication/digests.js';

const keyOf = (n: number): Uint8Array => new TextEncoder().encode(`key:${n}`);

function add(digests: Digests, n: number, version: number): void {
  const key = keyOf(n);
  digests.add(slotOf(key), key, 0, key.length, version, 7);
}

/** The leaves in which `theirs` differs, as somebody finds them who looks closer and closer. */
function leavesOf(mine: Digests, theirs: Digests): number[] {
  const groups = differing(mine.below('groups', 0), theirs.below('groups', 0));
  const slots = groups.flatMap((group) =>
    differing(mine.below('slots', group), theirs.below('slots', group)).map(
      (at) => group * GROUP_SLOTS + at,
    ),
  );
  return slots.flatMap((slot) =>
    differing(mine.below('leaves', slot), theirs.below('leaves', slot)).map(
      (at) => slot * SLOT_LEAVES + at,
    ),
  );
}

const leafOf = (digests: Digests, n: number): number => {
  const key = keyOf(n);
  return digests.leafOf(slotOf(key), key, 0, key.length);
};

describe('digests', () => {
  const numbers = Array.from({ length: 5000 }, (_, n) => n);

  test('do not depend on the order, and lead to each leaf that differs', () => {
    const random = seededRandom(11);
    const [mine, theirs] = [new Digests(99), new Digests(99)];
    for (const n of numbers) add(mine, n, 1);
    const changed = [3, 77, 400, 4999];
    const shuffled = [...numbers].sort(() => random.fraction() - 0.5);
    for (const n of shuffled) add(theirs, n, 1);
    expect(leavesOf(mine, theirs)).toEqual([]);
    const other = new Digests(99);
    for (const n of shuffled) add(other, n, changed.includes(n) ? 2 : 1);
    const leaves = [...new Set(changed.map((n) => leafOf(mine, n)))].sort((a, b) => a - b);
    expect(leavesOf(mine, other)).toEqual(leaves);
  });

  test('lead to what only the other one has, and not to what only this one has', () => {
    const [mine, theirs] = [new Digests(5), new Digests(5)];
    for (const n of numbers) if (n !== 10) add(mine, n, 1);
    for (const n of numbers) if (n !== 20) add(theirs, n, 1);
    const others = numbers.filter((n) => n !== 20 && leafOf(mine, n) === leafOf(mine, 20));
    const expected = new Set([leafOf(mine, 10), ...(others.length > 0 ? [leafOf(mine, 20)] : [])]);
    expect(new Set(leavesOf(mine, theirs))).toEqual(expected);
  });

  test('count keys, and tell versions whose halves are exchanged', () => {
    const [mine, theirs] = [new Digests(1), new Digests(1)];
    const key = keyOf(1);
    mine.add(slotOf(key), key, 0, key.length, 1, 2);
    theirs.add(slotOf(key), key, 0, key.length, 2, 1);
    expect(leavesOf(mine, theirs)).toEqual([leafOf(mine, 1)]);
    const groups = theirs.below('groups', 0);
    expect(countIn(groups, differing(mine.below('groups', 0), groups))).toBe(1);
  });

  test('are others under another seed', () => {
    const [mine, theirs] = [new Digests(1), new Digests(2)];
    for (const digests of [mine, theirs]) for (const n of numbers) add(digests, n, 1);
    const groups = differing(mine.below('groups', 0), theirs.below('groups', 0));
    expect(groups.length).toBe(128);
  });
});

describe('what nodes say about digests', () => {
  const requests: DigestRequest[] = [
    { kind: 'begin', cluster: '0123456789abcdef', number: 7, seed: 0xfedcba98 },
    { kind: 'look', survey: 3, level: 'leaves', shares: [0, 16_383] },
    { kind: 'list', survey: 3, leaves: [1, 262_143] },
    { kind: 'page', survey: 3, from: 1000 },
    { kind: 'again' },
  ];

  test('comes back from its bytes, and nothing else does', () => {
    for (const request of requests) {
      const bytes = encodeDigestRequest(request);
      expect(decodeDigestRequest(bytes)).toEqual(request);
      for (let end = 0; end < bytes.length; end++) {
        expect(decodeDigestRequest(bytes.subarray(0, end))).toBeUndefined();
      }
      expect(decodeDigestRequest(Uint8Array.of(...bytes, 0))).toBeUndefined();
    }
    expect(decodeDigestRequest(Uint8Array.of(9))).toBeUndefined();
    expect(decodeDigestAnswer(Uint8Array.of(4))).toBeUndefined();
    expect(decodeDigestAnswer(undefined)).toBeUndefined();
    const body = Uint8Array.of(1, 2);
    expect(decodeDigestAnswer(encodeDigestAnswer('many', body))).toEqual({ kind: 'many', body });
  });
});
