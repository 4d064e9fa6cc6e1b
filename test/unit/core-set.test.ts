import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { MIB } from '../model/support/rig.js';
import { FLAG, OP, STATUS, textOf } from '../model/support/wire.js';

describeBuilds('set', (open) => {
  test('stores and overwrites, with growing versions', () => {
    const rig = open();
    const first = rig.set('key', 'one');
    const second = rig.set('key', 'two, which is longer');
    const third = rig.set('key', '3');
    expect([first.status, second.status, third.status]).toEqual([0, 0, 0]);
    expect(second.version).toBeGreaterThan(first.version ?? 0n);
    expect(third.version).toBeGreaterThan(second.version ?? 0n);
    expect(rig.get('key')).toBe('3');
    expect(rig.arena.stats().items).toBe(1);
  });

  test('of the same new key, again and again in one frame, each goes over the one before', () => {
    const rig = open();
    const again = (n: number) => {
      return { op: OP.SET, key: 'key', value: `value ${n}`, flags: FLAG.WITH_META };
    };
    const frame = [again(1), { op: OP.DELETE, key: 'key' }, again(2), again(3), again(4)];
    const versions = rig.run(frame).flatMap(({ version }) => version ?? []);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => (a < b ? -1 : 1)));
    expect(versions).toHaveLength(4);
    expect(rig.get('key')).toBe('value 4');
    expect(rig.arena.stats()).toMatchObject({ items: 1, itemsAdded: 4, itemsRemoved: 3 });
  });

  test('says nothing about version and time unless asked', () => {
    const rig = open();
    const answer = rig.one({ op: OP.SET, key: 'key', value: 'v', ttlMs: 1000 });
    expect(answer).toMatchObject({ status: STATUS.OK, version: undefined, ttlMs: undefined });
    expect(answer.body).toHaveLength(0);
    expect(rig.set('key', 'v', { ttlMs: 1000 })).toMatchObject({ ttlMs: 1000 });
  });

  test('with a time to live expires to the millisecond', () => {
    const rig = open();
    rig.set('key', 'value', { ttlMs: 100 });
    rig.nowMs += 99;
    expect(rig.get('key')).toBe('value');
    expect(rig.meta('key').ttlMs).toBe(1);
    rig.nowMs += 1;
    expect(rig.get('key')).toBeUndefined();
  });

  test('takes an absolute expiry', () => {
    const rig = open();
    rig.set('key', 'value', { expiryMs: rig.nowMs + 777 });
    expect(rig.meta('key').ttlMs).toBe(777);
  });

  test('without a time clears the one that was there', () => {
    const rig = open();
    rig.set('key', 'value', { ttlMs: 100 });
    rig.set('key', 'value');
    rig.nowMs += 1000;
    expect(rig.get('key')).toBe('value');
  });

  test('with KEEP_TTL keeps the time that was there, and its absence', () => {
    const rig = open();
    rig.set('mortal', 'old', { ttlMs: 1000 });
    rig.set('eternal', 'old');
    rig.nowMs += 400;
    expect(rig.set('mortal', 'new', { flags: FLAG.KEEP_TTL }).ttlMs).toBe(600);
    expect(rig.set('eternal', 'new', { flags: FLAG.KEEP_TTL }).ttlMs).toBeUndefined();
    expect(rig.set('absent', 'new', { flags: FLAG.KEEP_TTL }).ttlMs).toBeUndefined();
    rig.nowMs += 600;
    expect(rig.get('mortal')).toBeUndefined();
    expect(rig.get('eternal')).toBe('new');
    expect(rig.get('absent')).toBe('new');
  });

  test('with KEEP_TTL takes nothing over from an item that has expired', () => {
    const rig = open();
    rig.set('key', 'old', { ttlMs: 10 });
    rig.nowMs += 50;
    expect(rig.set('key', 'new', { flags: FLAG.KEEP_TTL }).ttlMs).toBeUndefined();
    rig.nowMs += 50;
    expect(rig.get('key')).toBe('new');
  });

  test('with IF_ABSENT stores only what is not there', () => {
    const rig = open();
    expect(rig.set('key', 'one', { flags: FLAG.IF_ABSENT }).status).toBe(STATUS.OK);
    const refused = rig.set('key', 'two', { flags: FLAG.IF_ABSENT | FLAG.RETURN_OLD });
    expect(refused.status).toBe(STATUS.EXISTS);
    expect(textOf(refused.value)).toBe('one');
    expect(rig.get('key')).toBe('one');
    rig.set('brief', 'one', { ttlMs: 5 });
    rig.nowMs += 5;
    expect(rig.set('brief', 'two', { flags: FLAG.IF_ABSENT }).status).toBe(STATUS.OK);
  });

  test('with IF_PRESENT stores only what is there', () => {
    const rig = open();
    expect(rig.set('key', 'one', { flags: FLAG.IF_PRESENT }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.get('key')).toBeUndefined();
    rig.set('key', 'one');
    expect(rig.set('key', 'two', { flags: FLAG.IF_PRESENT }).status).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('two');
  });

  test('with a version stores only over that version', () => {
    const rig = open();
    expect(rig.set('key', 'x', { version: 5n }).status).toBe(STATUS.NOT_FOUND);
    const { version = 0n } = rig.set('key', 'one');
    const refused = rig.set('key', 'two', { version: version - 1n, flags: FLAG.RETURN_OLD });
    expect(refused).toMatchObject({ status: STATUS.VERSION_MISMATCH, version });
    expect(textOf(refused.value)).toBe('one');
    expect(rig.one({ op: OP.SET, key: 'key', value: 'two', version: version + 1n })).toMatchObject({
      status: STATUS.VERSION_MISMATCH,
      version,
    });
    expect(rig.set('key', 'three', { version }).status).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('three');
  });

  test('with RETURN_OLD answers what was there, with its encoding', () => {
    const rig = open();
    expect(rig.set('key', 'one', { flags: FLAG.RETURN_OLD, encoding: 2 }).value).toBeUndefined();
    const answer = rig.set('key', 'two', { flags: FLAG.RETURN_OLD, encoding: 0 });
    expect(answer).toMatchObject({ status: STATUS.OK, encoding: 2 });
    expect(textOf(answer.value)).toBe('one');
    rig.set('brief', 'gone', { ttlMs: 5 });
    rig.nowMs += 5;
    expect(rig.set('brief', 'new', { flags: FLAG.RETURN_OLD }).value).toBeUndefined();
  });

  test('refuses more than one way to say how long', () => {
    const rig = open();
    const expiryMs = rig.nowMs + 1000;
    const refused = [
      rig.set('key', 'v', { ttlMs: 1, expiryMs }),
      rig.set('key', 'v', { ttlMs: 1, flags: FLAG.KEEP_TTL }),
      rig.set('key', 'v', { expiryMs, flags: FLAG.KEEP_TTL }),
    ];
    expect(refused.map((answer) => answer.status)).toEqual([16, 16, 16]);
    expect(rig.get('key')).toBeUndefined();
  });

  test('refuses a time to live of nothing, and of more than 34 years', () => {
    const rig = open();
    expect(rig.set('key', 'v', { ttlMs: 0 }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.set('key', 'v', { ttlMs: 2n ** 40n }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.set('key', 'v', { ttlMs: 2n ** 53n }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.set('key', 'v', { ttlMs: 2n ** 64n - 1n }).status).toBe(STATUS.BAD_REQUEST);
    expect(rig.get('key')).toBeUndefined();
  });

  test('takes a value up to the limit and refuses one byte more', () => {
    const rig = open({ maxValueBytes: 100_000 });
    expect(rig.set('key', 'v'.repeat(100_000)).status).toBe(STATUS.OK);
    expect(rig.set('key', 'v'.repeat(100_001)).status).toBe(STATUS.TOO_LARGE);
    expect(rig.get('key')).toBe('v'.repeat(100_000));
  });

  test('takes every size around the ends of segments and pages', () => {
    const rig = open({ memoryBytes: 4 * MIB, segmentBytes: 16_384, maxValueBytes: 65_536 });
    const sizes = [0, 1, 7, 8, 9, 1000, 1023, 1024, 1025, 4000, 4047, 4048, 4095, 4096, 4097];
    for (const size of [...sizes, 8191, 8192, 8193, 16_383, 16_384, 16_385, 65_535, 65_536]) {
      const value = Uint8Array.from({ length: size }, (_, index) => (index * 31 + size) & 0xff);
      expect(rig.set(`of ${size}`, value, { encoding: 0 }).status).toBe(STATUS.OK);
      expect(rig.one({ op: OP.GET, key: `of ${size}` }).value).toEqual(value);
    }
  });
});
