import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { CLIENT_GRANTS, MIB } from '../model/support/rig.js';
import { FLAG, OP, STATUS, textOf } from '../model/support/wire.js';

describeBuilds('get', (open) => {
  test('answers NOT_FOUND without a body for a key that was never set', () => {
    const rig = open();
    const answer = rig.one({ op: OP.GET, key: 'nothing' });
    expect(answer).toMatchObject({ status: STATUS.NOT_FOUND, op: OP.GET, value: undefined });
    expect(answer.body).toHaveLength(0);
  });

  test('answers the value with its encoding', () => {
    const rig = open();
    for (const encoding of [0, 1, 2]) {
      rig.set('key', `value ${encoding}`, { encoding });
      const answer = rig.one({ op: OP.GET, key: 'key' });
      expect(answer).toMatchObject({ status: STATUS.OK, encoding, version: undefined });
      expect(textOf(answer.value)).toBe(`value ${encoding}`);
    }
  });

  test('tells an empty value from no value', () => {
    const rig = open();
    rig.set('empty', '');
    const answer = rig.one({ op: OP.GET, key: 'empty' });
    expect(answer.status).toBe(STATUS.OK);
    expect(answer.value).toHaveLength(0);
  });

  test('answers version and remaining time with WITH_META', () => {
    const rig = open();
    const { version } = rig.set('key', 'value', { ttlMs: 5000 });
    rig.nowMs += 1200;
    expect(rig.meta('key')).toMatchObject({ status: STATUS.OK, version, ttlMs: 3800 });
    rig.set('key', 'value');
    expect(rig.meta('key').ttlMs).toBeUndefined();
  });

  test('leaves the body out with NO_VALUE', () => {
    const rig = open();
    rig.set('key', 'value');
    const answer = rig.one({ op: OP.GET, key: 'key', flags: FLAG.NO_VALUE | FLAG.WITH_META });
    expect(answer.status).toBe(STATUS.OK);
    expect(answer.version).toBeDefined();
    expect(answer.body).toHaveLength(0);
  });

  test('keeps keys of every length apart', () => {
    const rig = open();
    const lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 4095, 4096, 65534, 65535];
    for (const length of lengths) {
      rig.set('k'.repeat(length), `of ${length}`);
      rig.set(`${'k'.repeat(length - 1)}x`, `other ${length}`);
    }
    for (const length of lengths) {
      expect(rig.get('k'.repeat(length))).toBe(`of ${length}`);
      expect(rig.get(`${'k'.repeat(length - 1)}x`)).toBe(`other ${length}`);
    }
  });

  test('takes keys as bytes, zero bytes and invalid UTF-8 included', () => {
    const rig = open();
    const keys = [[0], [0, 0], [0xff, 0xfe], [0xc3, 0x28], [0, 255, 0]].map((k) =>
      Uint8Array.from(k),
    );
    keys.forEach((key, index) => {
      rig.set(key, `value ${index}`);
    });
    keys.forEach((key, index) => {
      expect(rig.get(key)).toBe(`value ${index}`);
    });
  });

  test('counts hits and misses', () => {
    const rig = open();
    rig.set('key', 'value');
    rig.get('key');
    rig.get('key');
    rig.get('other');
    expect(rig.arena.stats()).toMatchObject({ hits: 2, misses: 1, items: 1 });
  });

  test('peeks without anybody noticing, which takes the right to merge', () => {
    const rig = open();
    const { version } = rig.set('key', 'value');
    const peek = { op: OP.GET, key: 'key', flags: FLAG.PEEK | FLAG.WITH_META };
    for (let n = 0; n < 3; n++) {
      expect(rig.one(peek)).toMatchObject({ status: STATUS.OK, version });
      expect(rig.one({ ...peek, key: 'absent' }).status).toBe(STATUS.NOT_FOUND);
    }
    expect(rig.arena.stats()).toMatchObject({ hits: 0, misses: 0 });
    rig.grants = CLIENT_GRANTS;
    expect(rig.one(peek).status).toBe(STATUS.FORBIDDEN);
    expect(rig.one({ op: OP.SET, key: 'key', value: 'v', flags: FLAG.PEEK }).status).toBe(
      STATUS.BAD_REQUEST,
    );
  });

  test('keeps what is read again, and not what is peeked at', () => {
    const survivors = (flags: number): number => {
      const rig = open({ memoryBytes: 5 * MIB, maxValueBytes: 10_000 });
      for (let n = 0; n < 90_000; n++) {
        rig.set(`key ${n}`, 'x'.repeat(100));
        rig.one({ op: OP.GET, key: `key ${n % 100}`, flags });
      }
      const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
      return keys.filter((key) => rig.get(key) !== undefined).length;
    };
    expect(survivors(0)).toBeGreaterThan(90);
    expect(survivors(FLAG.PEEK)).toBeLessThan(10);
  });
});
