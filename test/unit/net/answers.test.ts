import { expect, test } from 'vitest';
import { mustWait, withoutChanges } from '../../../src/net/answers.js';
import { describeBuilds } from '../../model/support/builds.js';
import {
  concat,
  decodeAnswers,
  encodeFrame,
  FLAG,
  OP,
  type Request,
  STATUS,
} from '../../model/support/wire.js';

/** What the core answers, as it lies in its messages. */
describeBuilds('messages of answers', (open) => {
  const ask = (requests: readonly Request[]): Uint8Array => {
    const rig = open();
    rig.set('there', 'value');
    const frame = encodeFrame(requests.map((request, id) => ({ ...request, id })));
    return concat(rig.send(frame).map(({ bytes }) => bytes));
  };

  test('wait when they tell of a change', () => {
    const waits = (request: Request): boolean => mustWait(ask([{ op: OP.PING }, request]));
    expect(waits({ op: OP.GET, key: 'there' })).toBe(false);
    expect(waits({ op: OP.GET, key: 'absent' })).toBe(false);
    expect(waits({ op: OP.SCAN })).toBe(false);
    expect(waits({ op: OP.SET, key: 'a', value: 'b' })).toBe(true);
    expect(waits({ op: OP.DELETE, key: 'there' })).toBe(true);
    expect(waits({ op: OP.TOUCH, key: 'there', ttlMs: 1000 })).toBe(true);
    expect(waits({ op: OP.INCR, key: 'n' })).toBe(true);
    expect(waits({ op: OP.CLEAR })).toBe(true);
    expect(waits({ op: OP.MERGE, key: 'a', value: 'b', version: 5n })).toBe(true);
  });

  test('wait when they tell that there was none, because of what was there', () => {
    const waits = (request: Request): boolean => mustWait(ask([request]));
    expect(waits({ op: OP.SET, key: 'there', value: 'b', flags: FLAG.IF_ABSENT })).toBe(true);
    expect(waits({ op: OP.SET, key: 'absent', value: 'b', flags: FLAG.IF_PRESENT })).toBe(true);
    expect(waits({ op: OP.SET, key: 'there', value: 'b', version: 7n })).toBe(true);
    expect(waits({ op: OP.DELETE, key: 'absent' })).toBe(true);
    expect(waits({ op: OP.INCR, key: 'there' })).toBe(true);
    expect(waits({ op: OP.SET, key: 'k', value: 'b', level: 9 })).toBe(false);
    expect(mustWait(new Uint8Array(0))).toBe(false);
  });

  test('tell of no change when the log is gone, and of everything else as before', () => {
    const requests: Request[] = [
      { op: OP.GET, key: 'there', flags: FLAG.WITH_META },
      { op: OP.SET, key: 'there', value: 'b', flags: FLAG.RETURN_OLD | FLAG.WITH_META },
      { op: OP.PING, value: 'pong' },
      { op: OP.DELETE, key: 'absent' },
      { op: OP.SET, key: 'k', value: 'b', level: 9 },
      { op: OP.GET, key: 'absent' },
    ];
    const before = decodeAnswers(ask(requests));
    const after = decodeAnswers(withoutChanges(ask(requests), 28));
    expect(after.map(({ id, op }) => [id, op])).toEqual(before.map(({ id, op }) => [id, op]));
    const statuses = after.map(({ status }) => status);
    expect(statuses).toEqual([0, 28, 0, 28, STATUS.UNSUPPORTED, STATUS.NOT_FOUND]);
    for (const n of [1, 3]) {
      expect(after[n]).toMatchObject({ flags: 0, encoding: 0, version: undefined });
      expect(after[n]?.body).toHaveLength(0);
    }
    for (const n of [2, 4, 5]) expect(after[n]).toEqual(before[n]);
    expect(after[0]?.value).toEqual(before[0]?.value);
  });
});
