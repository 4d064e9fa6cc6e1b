import { expect, test } from 'vitest';
import { describeStores } from '../model/support/builds.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

describeStores('clear', (open) => {
  test('removes everything at once', () => {
    const rig = open();
    for (let index = 0; index < 5000; index++) rig.set(`key ${index}`, 'v');
    rig.set('large', 'x'.repeat(500_000));
    expect(rig.clear()).toMatchObject({ status: STATUS.OK, op: OP.CLEAR });
    for (let index = 0; index < 5000; index++) expect(rig.get(`key ${index}`)).toBeUndefined();
    expect(rig.get('large')).toBeUndefined();
    expect(rig.scan()).toEqual([]);
  });

  test('leaves the cache ready for what comes in the same millisecond', () => {
    const rig = open();
    for (let round = 0; round < 50; round++) {
      rig.set('key', `round ${round}`);
      expect(rig.get('key')).toBe(`round ${round}`);
      rig.clear();
      expect(rig.get('key')).toBeUndefined();
    }
  });

  test('in a frame divides what is before it from what is after it', () => {
    const rig = open();
    const answers = rig.run([
      { op: OP.SET, key: 'a', value: '1' },
      { op: OP.CLEAR },
      { op: OP.GET, key: 'a' },
      { op: OP.SET, key: 'a', value: '2', flags: FLAG.IF_ABSENT },
      { op: OP.GET, key: 'a' },
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([0, 0, STATUS.NOT_FOUND, 0, 0]);
    expect(rig.get('a')).toBe('2');
  });

  test('makes the next version of a key greater', () => {
    const rig = open();
    let last = 0n;
    for (let round = 0; round < 20; round++) {
      const { version = 0n } = rig.set('key', 'v');
      expect(version).toBeGreaterThan(last);
      last = version;
      rig.clear();
    }
  });

  test('makes what was there absent to every verb', () => {
    const rig = open();
    for (const key of ['a', 'b', 'c', 'd', 'e']) rig.set(key, '7', { ttlMs: 1000 });
    rig.clear();
    expect(rig.delete('a').status).toBe(STATUS.NOT_FOUND);
    expect(rig.one({ op: OP.TOUCH, key: 'b', ttlMs: 1 }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.set('c', 'v', { flags: FLAG.IF_PRESENT }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.set('d', 'v', { flags: FLAG.KEEP_TTL | FLAG.RETURN_OLD })).toMatchObject({
      ttlMs: undefined,
      value: undefined,
    });
    expect(rig.incr('e', { initial: 100n }).value).toEqual(new TextEncoder().encode('101'));
  });

  test('gives the memory back, and the count of items, as lines are swept', () => {
    const rig = open();
    for (let index = 0; index < 5000; index++) rig.set(`key ${index}`, 'v');
    rig.clear();
    rig.lane.sweep(rig.nowMs, rig.lane.sweepLines() + 1);
    expect(rig.store.stats()).toMatchObject({ items: 0, itemBytes: 0 });
  });

  test('that was made elsewhere removes what is not above it', () => {
    const rig = open();
    const { version = 0n } = rig.set('old', 'v');
    rig.nowMs += 1000;
    rig.set('new', 'v');
    expect(rig.one({ op: OP.CLEAR, version }).status).toBe(STATUS.OK);
    expect(rig.one({ op: OP.CLEAR, version }).status).toBe(STATUS.EXISTS);
    expect(rig.get('old')).toBeUndefined();
    expect(rig.get('new')).toBe('v');
    expect(rig.one({ op: OP.MERGE, key: 'old', value: 'v', version }).status).toBe(STATUS.EXISTS);
    const later = rig.one({ op: OP.MERGE, key: 'old', value: 'v', version: version + 1n });
    expect(later.status).toBe(STATUS.OK);
  });
});
