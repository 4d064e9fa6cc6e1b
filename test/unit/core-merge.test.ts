import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { CLIENT_GRANTS, type Rig, START_MS } from '../model/support/rig.js';
import { FLAG, OP, type Request, STATUS } from '../model/support/wire.js';

/** The version that a write at `ms` takes. */
const at = (ms: number, counter = 0): bigint => (BigInt(ms) << 22n) | BigInt(counter);

function merge(rig: Rig, version: bigint, more: Partial<Request> = {}): number {
  return rig.one({ op: OP.MERGE, key: 'key', encoding: 1, ...more, version }).status;
}

/** What the key holds, in one comparable piece. */
function holds(rig: Rig): unknown {
  const { status, version, ttlMs, encoding, value } = rig.meta('key');
  return { status, version, ttlMs, encoding, value: value && Buffer.from(value).toString('hex') };
}

describeBuilds('merge', (open) => {
  test('creates under the version of the record', () => {
    const rig = open();
    const version = at(rig.nowMs - 5000, 17);
    expect(merge(rig, version, { value: 'v', expiryMs: rig.nowMs + 500 })).toBe(STATUS.OK);
    expect(rig.meta('key')).toMatchObject({ status: STATUS.OK, version, ttlMs: 500, encoding: 1 });
    expect(rig.get('key')).toBe('v');
  });

  test('applies what is newer and refuses what is older or the same', () => {
    const rig = open();
    const version = at(rig.nowMs, 100);
    merge(rig, version, { value: 'middle' });
    expect(merge(rig, version - 1n, { value: 'older' })).toBe(STATUS.EXISTS);
    expect(merge(rig, version, { value: 'middle' })).toBe(STATUS.EXISTS);
    expect(rig.get('key')).toBe('middle');
    expect(merge(rig, version + 1n, { value: 'newer' })).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('newer');
  });

  test('a tombstone removes, and keeps older records out', () => {
    const rig = open();
    rig.set('key', 'value');
    const version = at(rig.nowMs + 1000);
    expect(merge(rig, version, { flags: FLAG.TOMBSTONE })).toBe(STATUS.OK);
    expect(rig.get('key')).toBeUndefined();
    expect(rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 5 }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.delete('key').status).toBe(STATUS.NOT_FOUND);
    expect(rig.scan()).toEqual([]);
    expect(merge(rig, version - 1n, { value: 'late' })).toBe(STATUS.EXISTS);
    expect(rig.get('key')).toBeUndefined();
    expect(merge(rig, version + 1n, { value: 'after' })).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('after');
  });

  test('a key with a tombstone is absent for conditions, and is written above it', () => {
    const rig = open();
    const version = at(rig.nowMs + 60_000);
    merge(rig, version, { flags: FLAG.TOMBSTONE });
    expect(rig.set('key', 'x', { flags: FLAG.IF_PRESENT }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.set('key', 'x', { version }).status).toBe(STATUS.NOT_FOUND);
    const set = rig.set('key', 'x', { flags: FLAG.IF_ABSENT | FLAG.RETURN_OLD });
    expect(set).toMatchObject({ status: STATUS.OK, value: undefined });
    expect(set.version).toBeGreaterThan(version);
    expect(rig.get('key')).toBe('x');
  });

  test('a tombstone outlives a write whose clock is behind', () => {
    const rig = open();
    const version = at(rig.nowMs + 60_000);
    merge(rig, version, { flags: FLAG.TOMBSTONE });
    expect(rig.incr('key').status).toBe(STATUS.OK);
    expect(rig.meta('key').version).toBeGreaterThan(version);
  });

  test('records of equal versions have one order, whichever comes first', () => {
    const expiryMs = START_MS + 5000;
    const version = at(START_MS);
    const records: Partial<Request>[] = [
      { flags: FLAG.TOMBSTONE },
      { value: 'a' },
      { value: 'b' },
      { value: 'ab' },
      { value: '' },
      { value: 'a', expiryMs },
      { value: 'b', expiryMs },
      { value: 'a', expiryMs: expiryMs + 1 },
      { value: 'a', encoding: 0 },
      { value: 'a', encoding: 2 },
      { value: 'a'.repeat(9) },
      { value: `${'a'.repeat(8)}b` },
    ];
    for (const [index, first] of records.entries()) {
      for (const second of records.slice(index + 1)) {
        const one = open({ memoryBytes: 8 * 1024 * 1024 });
        const other = open({ memoryBytes: 8 * 1024 * 1024 });
        merge(one, version, first);
        merge(one, version, second);
        merge(other, version, second);
        merge(other, version, first);
        expect([first, second, holds(one)]).toEqual([first, second, holds(other)]);
      }
    }
  });

  test('a tombstone wins over an item of its version', () => {
    const rig = open();
    const version = at(START_MS);
    merge(rig, version, { value: 'v' });
    expect(merge(rig, version, { flags: FLAG.TOMBSTONE })).toBe(STATUS.OK);
    expect(rig.get('key')).toBeUndefined();
    expect(merge(rig, version, { value: 'v' })).toBe(STATUS.EXISTS);
  });

  test('needs a version and the grant', () => {
    const rig = open();
    expect(rig.one({ op: OP.MERGE, key: 'key', value: 'v' }).status).toBe(STATUS.BAD_REQUEST);
    rig.grants = CLIENT_GRANTS;
    expect(merge(rig, at(rig.nowMs), { value: 'v' })).toBe(STATUS.FORBIDDEN);
    expect(rig.get('key')).toBeUndefined();
  });

  test('takes a record whose value lies in pages', () => {
    const rig = open();
    const value = 'merged '.repeat(50_000);
    expect(merge(rig, at(rig.nowMs), { value })).toBe(STATUS.OK);
    expect(rig.get('key')).toBe(value);
    expect(merge(rig, at(rig.nowMs, 1), { value: 'small' })).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('small');
  });

  test('a write after a merge from the future takes the next version', () => {
    const rig = open();
    const version = at(rig.nowMs + 1_000_000, 5);
    merge(rig, version, { value: 'future' });
    expect(rig.set('key', 'now').version).toBe(version + 1n);
    expect(rig.get('key')).toBe('now');
  });

  test('refuses a version from the end of time, above which there would be no other', () => {
    const rig = open();
    for (const version of [2n ** 64n - 1n, 2n ** 64n - 2n ** 22n]) {
      expect(merge(rig, version, { value: 'v' })).toBe(STATUS.BAD_REQUEST);
    }
    expect(rig.clear().status).toBe(STATUS.OK);
    expect(rig.set('key', 'v').status).toBe(STATUS.OK);
    expect(rig.get('key')).toBe('v');
  });
});
