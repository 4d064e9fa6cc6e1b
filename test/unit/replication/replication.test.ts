import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { Inbox } from '../../../src/replication/inbox.js';
import { Outbox, type OutboxBatch } from '../../../src/replication/outbox.js';
import { type Level, type Owners, Tally, type Verdict } from '../../../src/replication/tally.js';

function verdictOf(owners: Owners, level: Level, yes: string, no = ''): Verdict {
  const tally = new Tally(owners, level);
  for (const id of yes) tally.acknowledge(id);
  for (const id of no) tally.fail(id);
  return tally.verdict;
}

describe('a tally', () => {
  test.each<[Owners, Level, string, string, Verdict]>([
    [[['a', 'b', 'c']], 'one', '', 'ab', 'open'],
    [[['a', 'b', 'c']], 'one', 'c', 'ab', 'reached'],
    [[['a', 'b', 'c']], 'one', '', 'abc', 'impossible'],
    [[['a', 'b', 'c']], 'quorum', 'a', 'b', 'open'],
    [[['a', 'b', 'c']], 'quorum', 'ac', '', 'reached'],
    [[['a', 'b', 'c']], 'quorum', 'a', 'bc', 'impossible'],
    [[['a', 'b']], 'quorum', 'a', '', 'open'],
    [[['a', 'b']], 'quorum', 'a', 'b', 'impossible'],
    [[['a']], 'quorum', 'a', '', 'reached'],
    [[['a', 'b', 'c']], 'all', 'ab', '', 'open'],
    [[['a', 'b', 'c']], 'all', 'ab', 'c', 'impossible'],
    [[['a', 'b', 'c']], 'all', 'abc', '', 'reached'],
  ])('of %j at %s with %s and without %s is %s', (owners, level, yes, no, verdict) => {
    expect(verdictOf(owners, level, yes, no)).toBe(verdict);
  });

  test('needs a majority of both groups while a partition moves', () => {
    const owners = [
      ['a', 'b', 'c'],
      ['c', 'd', 'e'],
    ];
    expect(verdictOf(owners, 'quorum', 'abc')).toBe('open');
    expect(verdictOf(owners, 'quorum', 'de')).toBe('open');
    expect(verdictOf(owners, 'quorum', 'acd')).toBe('reached');
    expect(verdictOf(owners, 'quorum', 'abc', 'de')).toBe('impossible');
    expect(verdictOf(owners, 'one', 'e', 'abcd')).toBe('reached');
    expect(verdictOf(owners, 'all', 'abcd')).toBe('open');
  });

  test('counts owners only, and each of them once', () => {
    const tally = new Tally([['a', 'b', 'c']], 'quorum');
    expect(tally.begun).toBe(false);
    expect(tally.acknowledge('a')).toBe('open');
    expect(tally.acknowledge('a')).toBe('open');
    expect(tally.acknowledge('x')).toBe('open');
    expect(tally.begun).toBe(true);
    expect(tally.fail('a')).toBe('open');
    expect(tally.fail('b')).toBe('open');
    expect(tally.acknowledge('b')).toBe('reached');
  });

  test('makes any two quorums of one configuration or its neighbours meet', () => {
    const groups = [
      ['a', 'b', 'c'],
      ['b', 'c', 'd'],
    ];
    const ids = ['a', 'b', 'c', 'd'];
    const stages = [[groups[0]], groups, [groups[1]]] as string[][][];
    const sets = Array.from({ length: 2 ** ids.length }, (_, bits) =>
      ids.filter((__, at) => (bits >> at) & 1),
    );
    const quorums = stages.map((owners) =>
      sets.filter((set) => verdictOf(owners, 'quorum', set.join('')) === 'reached'),
    );
    for (const [at, some] of quorums.entries()) {
      for (const others of quorums.slice(at, at + 2)) {
        for (const one of some) {
          for (const other of others) expect(one.some((id) => other.includes(id))).toBe(true);
        }
      }
    }
  });
});

const record = (n: number, length = 10): Uint8Array => new Uint8Array(length).fill(n);

describe('an outbox', () => {
  test('sends no more than its window until the peer acknowledges', () => {
    const outbox = new Outbox({ window: 25, capacity: 1000 });
    for (let n = 1; n <= 5; n++) expect(outbox.add(record(n))).toBe(n);
    expect(outbox.take(15)).toEqual({ first: 1, records: [record(1)] });
    expect(outbox.take(100)).toEqual({ first: 2, records: [record(2)] });
    expect(outbox.take(100)).toBeUndefined();
    outbox.acknowledge(3);
    expect(outbox.take(100)).toEqual({ first: 3, records: [record(3), record(4)] });
    expect([outbox.lag, outbox.bytes, outbox.end]).toEqual([3, 30, 6]);
  });

  test('sends a record that is larger than the window alone', () => {
    const outbox = new Outbox({ window: 25, capacity: 1000 });
    outbox.add(record(1, 90));
    outbox.add(record(2));
    expect(outbox.take(50)?.records.length).toBe(1);
    expect(outbox.take(50)).toBeUndefined();
    outbox.acknowledge(2);
    expect(outbox.take(50)?.first).toBe(2);
  });

  test('goes on where the peer is, and knows what it has given up', () => {
    const outbox = new Outbox({ window: 100, capacity: 35 });
    for (let n = 1; n <= 3; n++) outbox.add(record(n));
    outbox.take(100);
    expect(outbox.resume(2)).toBe(true);
    expect(outbox.take(100)).toEqual({ first: 2, records: [record(2), record(3)] });
    for (let n = 4; n <= 8; n++) outbox.add(record(n));
    expect(outbox.gapUpTo).toBe(6);
    expect(outbox.bytes).toBe(30);
    expect(outbox.resume(4)).toBe(false);
    expect(outbox.take(100)?.first).toBe(6);
    outbox.acknowledge(100);
    expect(outbox.lag).toBe(3);
  });
});

/** A link that loses, repeats and delays until it is renewed. */
function delivered(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  const outbox = new Outbox({ window: 60, capacity: 1e9 });
  const inbox = new Inbox('b1');
  const applied: number[] = [];
  let link: OutboxBatch[] = [];
  for (let n = 0; inbox.next <= count; ) {
    const dice = random.below(10);
    if (dice < 3 && n < count) outbox.add(record(++n % 256));
    const batch = dice < 5 ? outbox.take(1 + random.below(50)) : undefined;
    if (batch !== undefined) link.push(batch);
    if (dice === 9) {
      link = [];
      expect(outbox.resume(inbox.greet('b1'))).toBe(true);
    }
    const at = random.below(link.length + 1);
    const some = link[at];
    if (some === undefined) continue;
    if (random.below(3) > 0) link.splice(at, 1);
    const arrival = inbox.arrive(some.first, some.records.length);
    if (arrival.kind === 'apply') {
      for (const one of some.records.slice(arrival.from)) applied.push(one[0] as number);
    }
    if (random.below(2) > 0) outbox.acknowledge(inbox.next);
  }
  return applied;
}

describe('an outbox and an inbox', () => {
  test('bring everything once and in order, whatever the link does', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 300 }), (seed, count) => {
        const expected = Array.from({ length: count }, (_, n) => (n + 1) % 256);
        expect(delivered(seed, count)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('begin anew with another boot of the sender, and skip what was given up', () => {
    const inbox = new Inbox('b1');
    expect(inbox.arrive(1, 3)).toEqual({ kind: 'apply', from: 0 });
    expect(inbox.arrive(2, 2)).toEqual({ kind: 'known' });
    expect(inbox.arrive(5, 2)).toEqual({ kind: 'ahead' });
    inbox.skipTo(5);
    expect(inbox.arrive(4, 3)).toEqual({ kind: 'apply', from: 1 });
    expect(inbox.greet('b1')).toBe(7);
    expect([inbox.greet('b2'), inbox.boot]).toEqual([1, 'b2']);
  });
});
