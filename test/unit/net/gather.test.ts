import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIGURE } from '../../../src/net/board.js';
import { frameOf, get, set } from '../../e2e/support/rawSocket.js';
import { Loop, type NotingParty } from './support/loop.js';

const MIB = 1024 * 1024;
const ids = (party: NotingParty): number[] => party.answers.map(({ id }) => id);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, id) => id);

describe.each([1, 3])('the gather loop over %i arenas', (arenas) => {
  test('executes the frames of a turn in one go, and gives each its own answers', () => {
    const loop = new Loop(arenas);
    const [a, b] = [loop.party(), loop.party()];
    loop.gather.submit(a, frameOf(set(0, 'a', '1'), get(1, 'a')));
    loop.gather.submit(b, frameOf(get(0, 'a'), get(1, 'b')));
    loop.gather.submit(a, frameOf(get(2, 'b')));
    expect(a.answers).toEqual([]);
    expect(loop.timers.turn()).toBe(1);
    expect(a.answers.map(({ status }) => status)).toEqual([0, 0, 1]);
    expect(b.answers.map(({ status }) => status)).toEqual([0, 1]);
    expect(loop.tally[FIGURE.turns]).toBe(1);
    expect(loop.gather.idle).toBe(true);
    expect(loop.timers.turn()).toBe(0);
  });

  test('copies what it is given', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    const frame = frameOf(set(0, 'key', 'value'));
    loop.gather.submit(party, frame);
    frame.fill(0xff);
    loop.timers.settle();
    expect(party.answers.map(({ status }) => status)).toEqual([0]);
    expect(party.closeCodes).toEqual([]);
  });

  test('goes on over several turns when there is more than the outbox holds', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    const other = loop.party();
    loop.gather.submit(party, frameOf(set(0, 'big', Buffer.alloc(MIB, 1))));
    loop.timers.settle();
    party.answers.length = 0;
    loop.gather.submit(party, frameOf(...upTo(20).map((id) => get(id, 'big'))));
    loop.gather.submit(other, frameOf(get(0, 'none')));
    loop.timers.turn();
    const early = party.answers.length;
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(20);
    loop.timers.settle();
    expect(ids(party)).toEqual(upTo(20));
    expect(ids(other)).toEqual([0]);
  });

  test('executes at once when the inbox is full', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    const frame = frameOf(set(0, 'k', Buffer.alloc(MIB)));
    for (let n = 0; n < 8; n++) loop.gather.submit(party, frame);
    expect(party.answers.length).toBeGreaterThan(0);
    loop.timers.settle();
    expect(party.answers.length).toBe(8);
  });

  test('holds back a party that takes no answers, and serves the others', () => {
    const loop = new Loop(arenas);
    const [deaf, other] = [loop.party(), loop.party()];
    loop.gather.submit(other, frameOf(set(0, 'big', Buffer.alloc(MIB, 1))));
    loop.timers.settle();
    other.answers.length = 0;
    deaf.appetite = 1;
    for (const id of upTo(10)) {
      loop.gather.submit(deaf, frameOf(get(id, 'big')));
      loop.gather.submit(other, frameOf(get(id, 'big')));
    }
    loop.timers.settle();
    expect(ids(other)).toEqual(upTo(10));
    expect(deaf.answers.length).toBe(1);
    expect(loop.gather.idle).toBe(true);
    deaf.appetite = Number.POSITIVE_INFINITY;
    loop.gather.resume(deaf);
    loop.timers.settle();
    expect(ids(deaf)).toEqual(upTo(10));
  });

  test('says when too much waits for a party', () => {
    const loop = new Loop(arenas, 1000);
    const deaf = loop.party();
    deaf.appetite = 1;
    loop.gather.submit(deaf, frameOf(get(0, 'k')));
    loop.timers.settle();
    for (let n = 0; n < 40; n++) loop.gather.submit(deaf, frameOf(get(n, 'k')));
    expect(deaf.overflowed).toBe(0);
    for (let n = 0; n < 10; n++) loop.gather.submit(deaf, frameOf(get(n, 'k')));
    expect(deaf.overflowed).toBeGreaterThan(0);
  });

  test('executes what a party sent before it left, and gives its slot away only afterwards', () => {
    const loop = new Loop(arenas);
    const gone = loop.party();
    const { slot } = gone;
    loop.gather.submit(gone, frameOf(set(0, 'last', 'words')));
    loop.gather.leave(gone);
    const next = loop.party();
    expect(next.slot).not.toBe(slot);
    loop.gather.submit(next, frameOf(get(7, 'nothing')));
    loop.timers.settle();
    expect(gone.answers).toEqual([]);
    expect(ids(next)).toEqual([7]);
    const third = loop.party();
    expect(third.slot).toBe(slot);
    loop.gather.submit(third, frameOf(get(0, 'last')));
    loop.timers.settle();
    expect(third.answers[0]?.status).toBe(0);
  });

  test('passes the close code of a malformed frame on', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    loop.gather.submit(party, Buffer.concat([frameOf(get(1, 'k')), Buffer.from([1, 2, 3])]));
    loop.timers.settle();
    expect(ids(party)).toEqual([1]);
    expect(party.closeCodes).toEqual([4400]);
  });

  test('books the time of a turn with the verbs it held', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    loop.gather.submit(party, frameOf(set(0, 'k', 'v'), get(1, 'k'), get(2, 'k')));
    loop.timers.settle();
    const histograms = loop.tally.slice(FIGURE.loopDelayMaxUs + 1);
    expect(histograms.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  test('stops for good when the core fails', () => {
    const loop = new Loop(arenas);
    const party = loop.party();
    loop.lane.execute = () => {
      throw new Error('trap');
    };
    loop.gather.submit(party, frameOf(get(0, 'k')));
    loop.timers.settle();
    expect(loop.failures).toEqual([new Error('trap')]);
    loop.gather.submit(party, frameOf(get(1, 'k')));
    loop.timers.settle();
    expect(loop.failures.length).toBe(1);
    expect(party.answers).toEqual([]);
  });
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('ask'), who: fc.nat(3), count: fc.nat(6) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('choke'), who: fc.nat(3), count: fc.nat(2) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('resume'), who: fc.nat(3), count: fc.nat(3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('turn'), who: fc.nat(3), count: fc.nat(2) }),
  },
);

test.each([1, 3])(
  'over %i arenas, whoever is held back whenever gets every answer, in order',
  (arenas) => {
    const check = fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
      const loop = new Loop(arenas);
      const parties = upTo(4).map(() => loop.party());
      const asked = [0, 0, 0, 0];
      const first = loop.party();
      loop.gather.submit(first, frameOf(set(0, 'big', Buffer.alloc(MIB / 2))));
      loop.timers.settle();
      for (const { kind, who, count } of steps) {
        const party = parties[who];
        if (party === undefined) continue;
        if (kind === 'choke') party.appetite = count + 1;
        else if (kind === 'turn') for (let n = 0; n <= count; n++) loop.timers.turn();
        else if (kind === 'resume') {
          party.appetite = Number.POSITIVE_INFINITY;
          loop.gather.resume(party);
        } else {
          const requests = upTo(count).map(() => {
            const id = asked[who] ?? 0;
            asked[who] = id + 1;
            return get(id, id % 2 === 0 ? 'big' : 'none');
          });
          if (requests.length > 0) loop.gather.submit(party, frameOf(...requests));
        }
      }
      for (const party of parties) {
        party.appetite = Number.POSITIVE_INFINITY;
        loop.gather.resume(party);
      }
      loop.timers.settle();
      // The order is that of each key: even ids ask for one, odd ids for the other.
      const shares = (all: number[]) => [0, 1].map((rest) => all.filter((id) => id % 2 === rest));
      const got = parties.map((party) => shares(ids(party)));
      expect(got).toEqual(asked.map((count) => shares(upTo(count))));
      if (arenas === 1) expect(parties.map(ids)).toEqual(asked.map(upTo));
      expect(loop.failures).toEqual([]);
    });
    fc.assert(check, { numRuns: 100 });
  },
  60_000,
);
