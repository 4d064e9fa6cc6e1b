import { describe, expect, test } from 'vitest';
import { DONE, WAIT } from '../../src/arena/lane.js';
import { readChanges } from '../model/support/replay.js';
import { ALL_GRANTS } from '../model/support/rig.js';
import { decodeAnswers, encodeRequest, OP, STATUS } from '../model/support/wire.js';
import { BUSY_MS, choked, execute, idsOf, oneOfEach, push } from './support/stores.js';

describe('an arena that has to wait', () => {
  test('does not keep the others from executing', () => {
    const rig = choked(1);
    const [free = '', stuck = ''] = oneOfEach(rig);
    push(rig, 2, [
      { op: OP.SET, key: stuck, value: 'late' },
      { op: OP.SET, key: free, value: 'soon' },
      { op: OP.GET, key: free },
    ]);
    const { result, messages } = execute(rig);
    expect(result).toBe(WAIT);
    expect(messages.flatMap(({ answers }) => idsOf(answers))).toEqual([1, 2]);
    for (const feed of rig.store.openFeeds(0)) readChanges(feed);
    expect(idsOf(rig.drain().flatMap(({ bytes }) => decodeAnswers(bytes)))).toContain(0);
    expect(rig.get(stuck)).toBe('late');
  });

  test('answers BUSY after a second, and the others are none the worse', () => {
    const rig = choked(1);
    const [free = '', stuck = ''] = oneOfEach(rig);
    push(rig, 2, [
      { op: OP.SET, key: stuck, value: 'v' },
      { op: OP.SET, key: free, value: 'v' },
    ]);
    execute(rig);
    rig.nowMs += BUSY_MS;
    const { result, messages } = execute(rig);
    expect(result).toBe(DONE);
    const [answer] = messages.find(({ connection }) => connection === 2)?.answers ?? [];
    expect(answer).toMatchObject({ id: 0, status: STATUS.BUSY });
  });

  test('is waited for by a clear, which leaves nobody behind it in front', () => {
    const rig = choked(1);
    const [free = ''] = oneOfEach(rig);
    push(rig, 2, [{ op: OP.SET, key: free, value: 'before' }, { op: OP.CLEAR }, { op: OP.PING }]);
    push(rig, 2, [{ op: OP.SET, key: free, value: 'after' }]);
    expect(execute(rig).result).toBe(WAIT);
    expect(push(rig, 3, [{ op: OP.GET, key: free }])).toBe(false);
    expect(rig.lane.queuedBytes).toBeGreaterThan(0);
    for (const feed of rig.store.openFeeds(0)) readChanges(feed);
    rig.drain();
    expect(rig.get(free)).toBeUndefined();
    expect(rig.lane.queuedBytes).toBe(0);
  });

  test('makes a clear that it refuses end as INTERNAL: some arenas are cleared', () => {
    const rig = choked(2);
    // What waits is refused first, so that the clear gets its turn.
    rig.nowMs += BUSY_MS;
    execute(rig);
    const [free = ''] = oneOfEach(rig);
    rig.set(free, 'value');
    push(rig, 2, [{ op: OP.CLEAR }], 7);
    expect(execute(rig).result).toBe(WAIT);
    rig.nowMs += BUSY_MS;
    const { result, messages } = execute(rig);
    expect(result).toBe(DONE);
    expect(messages.flatMap(({ answers }) => answers)).toMatchObject([
      { id: 7, status: STATUS.INTERNAL, op: OP.CLEAR },
    ]);
    expect(rig.get(free)).toBeUndefined();
  });

  test('makes a clear BUSY that no arena has begun', () => {
    const rig = choked(0);
    rig.nowMs += BUSY_MS;
    execute(rig);
    const [, other = ''] = oneOfEach(rig);
    rig.set(other, 'value');
    push(rig, 2, [{ op: OP.CLEAR }], 7);
    expect(execute(rig).result).toBe(WAIT);
    rig.nowMs += BUSY_MS;
    const answers = execute(rig).messages.flatMap((message) => message.answers);
    expect(answers).toMatchObject([{ id: 7, status: STATUS.BUSY }]);
    expect(rig.get(other)).toBe('value');
  });
});

describe('what is taken back', () => {
  test('is everything that did not run, in an order that can be pushed again', () => {
    const rig = choked(1);
    const keys = oneOfEach(rig);
    const [free = '', stuck = ''] = keys;
    push(rig, 2, [
      { op: OP.INCR, key: `${stuck}{n}` },
      { op: OP.SET, key: stuck, value: 'first' },
      { op: OP.SET, key: stuck, value: 'second' },
    ]);
    push(rig, 3, [
      { op: OP.SET, key: stuck, value: 'third' },
      { op: OP.CLEAR },
      { op: OP.SET, key: free, value: 'last' },
    ]);
    expect(execute(rig).result).toBe(WAIT);
    const rest = rig.lane.takeRest(rig.nowMs);
    expect(rig.lane.queuedBytes).toBe(0);
    expect(rig.lane.next()).toBe(false);
    expect(execute(rig)).toEqual({ result: DONE, messages: [] });
    for (const feed of rig.store.openFeeds(0)) readChanges(feed);
    const ids = new Map<number, number[]>();
    for (const { connection, bytes } of rest) {
      expect(rig.lane.push(connection, ALL_GRANTS, rig.nowMs, bytes)).toBe(true);
      const answers = rig.drain().flatMap((message) => decodeAnswers(message.bytes));
      ids.set(connection, [...(ids.get(connection) ?? []), ...answers.map(({ id }) => id)]);
    }
    expect(ids.get(3)).toEqual([0, 1, 2]);
    expect(ids.get(2)).toContain(1);
    expect(rig.get(stuck)).toBeUndefined();
    expect(rig.get(free)).toBe('last');
  });

  test('is also what was pushed after the last execution', () => {
    const rig = choked(1);
    const [free = ''] = oneOfEach(rig);
    push(rig, 4, [{ op: OP.SET, key: free, value: 'v' }], 9);
    const rest = rig.lane.takeRest(rig.nowMs);
    const mine = rest.filter(({ connection }) => connection === 4);
    expect(mine.map(({ bytes }) => bytes)).toEqual([
      encodeRequest({ op: OP.SET, id: 9, key: free, value: 'v' }),
    ]);
    expect(rig.lane.queuedBytes).toBe(0);
  });
});
