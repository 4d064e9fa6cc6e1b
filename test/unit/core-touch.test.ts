import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

const DAY_MS = 24 * 3600 * 1000;
const YEAR_MS = 365 * DAY_MS;

describeBuilds('touch', (open) => {
  test('changes the expiry and nothing else', () => {
    const rig = open();
    rig.set('key', 'value', { encoding: 2, ttlMs: 100 });
    expect(rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 5000 }).status).toBe(STATUS.OK);
    rig.nowMs += 4999;
    expect(rig.meta('key')).toMatchObject({ status: STATUS.OK, encoding: 2, ttlMs: 1 });
    expect(rig.get('key')).toBe('value');
  });

  test('gives the item a new version', () => {
    const rig = open();
    const { version = 0n } = rig.set('key', 'value');
    const touched = rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 10, flags: FLAG.WITH_META });
    expect(touched).toMatchObject({ status: STATUS.OK, ttlMs: 10 });
    expect(touched.version).toBeGreaterThan(version);
    expect(rig.meta('key').version).toBe(touched.version);
  });

  test('without a time lets the item live for ever', () => {
    const rig = open();
    rig.set('key', 'value', { ttlMs: 100 });
    const answer = rig.one({ op: OP.TOUCH, key: 'key', flags: FLAG.WITH_META });
    expect(answer).toMatchObject({ status: STATUS.OK, ttlMs: undefined });
    rig.nowMs += YEAR_MS;
    expect(rig.get('key')).toBe('value');
  });

  test('takes an absolute expiry', () => {
    const rig = open();
    rig.set('key', 'value');
    rig.one({ op: OP.TOUCH, key: 'key', expiryMs: rig.nowMs + 50 });
    expect(rig.meta('key').ttlMs).toBe(50);
  });

  test('does not create, and does not wake what has expired', () => {
    const rig = open();
    expect(rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 10 }).status).toBe(STATUS.NOT_FOUND);
    rig.set('key', 'value', { ttlMs: 10 });
    rig.nowMs += 10;
    expect(rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 10 }).status).toBe(STATUS.NOT_FOUND);
    expect(rig.get('key')).toBeUndefined();
  });

  test('with a version touches only that version', () => {
    const rig = open();
    const { version = 0n } = rig.set('key', 'value');
    const refused = rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 9, version: version - 1n });
    expect(refused).toMatchObject({ status: STATUS.VERSION_MISMATCH, version });
    expect(rig.meta('key').ttlMs).toBeUndefined();
    expect(rig.one({ op: OP.TOUCH, key: 'key', ttlMs: 9, version }).status).toBe(STATUS.OK);
  });

  test('works on a value that lies in pages', () => {
    const rig = open();
    const value = 'page '.repeat(60_000);
    rig.set('large', value);
    for (let round = 1; round <= 50; round++) {
      rig.one({ op: OP.TOUCH, key: 'large', ttlMs: round * 1000 });
      expect(rig.meta('large').ttlMs).toBe(round * 1000);
    }
    expect(rig.get('large')).toBe(value);
  });

  test('keeps times of days to the millisecond and of years to the second', () => {
    const rig = open();
    rig.set('key', 'value');
    for (const ttlMs of [1, 999, 1001, DAY_MS + 1, 12 * DAY_MS + 345]) {
      rig.one({ op: OP.TOUCH, key: 'key', ttlMs });
      expect(rig.meta('key').ttlMs).toBe(ttlMs);
    }
    for (const ttlMs of [13 * DAY_MS + 345, YEAR_MS + 1, 10 * YEAR_MS + 999, 34 * YEAR_MS]) {
      rig.one({ op: OP.TOUCH, key: 'key', ttlMs });
      const keptMs = rig.meta('key').ttlMs ?? 0;
      expect(keptMs).toBeGreaterThanOrEqual(ttlMs);
      expect(keptMs).toBeLessThan(ttlMs + 1000);
    }
  });

  test('an expiry of years does not drift when it is kept from version to version', () => {
    const rig = open();
    const { ttlMs = 0 } = rig.set('key', 'value', { ttlMs: 34 * YEAR_MS + 77 });
    const expiryMs = rig.nowMs + ttlMs;
    for (let round = 0; round < 200; round++) {
      rig.nowMs += 123_456_789;
      const kept = rig.set('key', 'value', { flags: FLAG.KEEP_TTL });
      expect(rig.nowMs + (kept.ttlMs ?? 0)).toBe(expiryMs);
    }
    rig.nowMs = expiryMs - 1;
    expect(rig.get('key')).toBe('value');
    rig.nowMs = expiryMs;
    expect(rig.get('key')).toBeUndefined();
  });
});
