import { expect, test } from 'vitest';
import { describeStores } from '../model/support/builds.js';
import { decodeKeys, OP, type Request, STATUS, textOf } from '../model/support/wire.js';

const names = (count: number, prefix = 'key '): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describeStores('scan', (open) => {
  test('of nothing comes to an end and has found nothing', () => {
    const rig = open();
    const answer = rig.one({ op: OP.SCAN });
    expect(answer).toMatchObject({ status: STATUS.OK, value: undefined });
    expect(answer.cursor).toBeDefined();
    expect(decodeKeys(answer.body)).toEqual([]);
    expect(rig.scan()).toEqual([]);
  });

  test('returns every key once when nothing changes', () => {
    const rig = open();
    const keys = names(5000);
    for (const key of keys) rig.set(key, 'v');
    for (const limit of [undefined, 1, 7, 10_000]) {
      expect(rig.scan('', limit).sort()).toEqual([...keys].sort());
    }
  });

  test('returns only keys with the prefix', () => {
    const rig = open();
    for (const key of names(500, 'a:')) rig.set(key, 'v');
    for (const key of names(500, 'b:')) rig.set(key, 'v');
    expect(rig.scan('b:').sort()).toEqual(names(500, 'b:').sort());
    expect(rig.scan('c')).toEqual([]);
    expect(rig.scan('b:77').sort()).toEqual(['b:77']);
  });

  test('keeps about to its limit and below the largest', () => {
    const rig = open();
    for (const key of names(30_000)) rig.set(key, 'v');
    const page = (more: Partial<Request>) =>
      decodeKeys(rig.one({ op: OP.SCAN, ...more }).body).length;
    expect(page({})).toBeGreaterThanOrEqual(100);
    expect(page({})).toBeLessThan(200);
    expect(page({ limit: 1 })).toBeLessThan(50);
    expect(page({ limit: 2000 })).toBeGreaterThanOrEqual(2000);
    expect(page({ limit: 10_000 })).toBeGreaterThan(5000);
    expect(page({ limit: 10_000 })).toBeLessThanOrEqual(10_000);
  });

  test('refuses a limit of nothing and answers a huge one with what it may', () => {
    const rig = open();
    for (const key of names(12_000)) rig.set(key, 'v');
    for (const limit of [0n, 10_001n, 2n ** 32n, 2n ** 64n - 1n]) {
      const answer = rig.one({ op: OP.SCAN, limit });
      if (answer.status === STATUS.OK) {
        expect(decodeKeys(answer.body).length).toBeLessThan(10_100);
      } else {
        expect(answer.status).toBe(STATUS.BAD_REQUEST);
      }
    }
  });

  test('sees every key that stays while others come and go', () => {
    const rig = open();
    const staying = names(2000, 'stay ');
    for (const key of staying) rig.set(key, 'v');
    const seen = new Set<string>();
    let cursor: bigint | undefined;
    for (let turn = 0; cursor !== 0n; turn++) {
      const answer = rig.one({
        op: OP.SCAN,
        limit: 50,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const key of decodeKeys(answer.body)) seen.add(textOf(key) ?? '');
      cursor = answer.cursor;
      for (const key of names(40, `turn ${turn} `)) rig.set(key, 'v');
      for (const key of names(40, `turn ${turn - 1} `)) rig.delete(key);
      for (const key of staying.slice(turn * 10, turn * 10 + 20)) rig.set(key, `again ${turn}`);
      if (turn > 20_000) throw new Error('the scan does not come to an end');
    }
    expect(staying.filter((key) => !seen.has(key))).toEqual([]);
  });

  test('does not return what has expired or was cleared', () => {
    const rig = open();
    for (const key of names(200, 'brief ')) rig.set(key, 'v', { ttlMs: 10 });
    for (const key of names(200, 'long ')) rig.set(key, 'v');
    rig.nowMs += 10;
    expect(rig.scan().sort()).toEqual(names(200, 'long ').sort());
    rig.clear();
    expect(rig.scan()).toEqual([]);
  });

  test('takes any cursor without harm', () => {
    const rig = open();
    for (const key of names(1000)) rig.set(key, 'v');
    for (const cursor of [1n, 12_345n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
      const answer = rig.one({ op: OP.SCAN, cursor });
      expect([STATUS.OK, STATUS.BAD_REQUEST]).toContain(answer.status);
      expect(rig.get('key 7')).toBe('v');
    }
  });

  test('returns keys of the greatest length', () => {
    const rig = open();
    const keys = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(65_530 - 2)}`);
    for (const key of keys) expect(rig.set(key, 'v').status).toBe(STATUS.OK);
    expect(rig.scan('', 10_000).sort()).toEqual([...keys].sort());
  });
});
