import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { FLAG, OP } from '../model/support/wire.js';

const COUNTER_BITS = 22n;

describeBuilds('versions', (open) => {
  test('hold the clock in milliseconds above a counter', () => {
    const rig = open();
    const { version = 0n } = rig.set('key', 'v');
    expect(version >> COUNTER_BITS).toBe(BigInt(rig.nowMs));
  });

  test('grow within a millisecond', () => {
    const rig = open();
    const frame = Array.from({ length: 1000 }, () => ({
      op: OP.SET,
      key: 'key',
      value: 'v',
      flags: FLAG.WITH_META,
    }));
    const versions = rig.run(frame).map((answer) => answer.version ?? 0n);
    versions.forEach((version, index) => {
      if (index > 0) expect(version).toBeGreaterThan(versions[index - 1] ?? 0n);
    });
  });

  test('grow through deletes and inserts while the clock stands or steps back', () => {
    const rig = open();
    const last = new Map<string, bigint>();
    for (let round = 0; round < 200; round++) {
      if (round % 7 === 0) rig.nowMs -= 3;
      for (let key = 0; key < 20; key++) {
        const { version = 0n } = rig.set(`key ${key}`, 'v');
        expect(version).toBeGreaterThan(last.get(`key ${key}`) ?? 0n);
        last.set(`key ${key}`, version);
        if ((round + key) % 2 === 0) rig.delete(`key ${key}`);
      }
    }
  });

  test('grow through evictions while the clock steps back', () => {
    const rig = open({ memoryBytes: 1024 * 1024, segmentBytes: 4096 });
    const last = new Map<number, bigint>();
    for (let round = 0; round < 6; round++) {
      for (let key = 0; key < 10_000; key++) {
        const { version = 0n } = rig.set(`key ${key}`, 'value of some length '.repeat(4));
        expect(version).toBeGreaterThan(last.get(key) ?? 0n);
        last.set(key, version);
      }
      rig.nowMs -= 10;
    }
    const { evicted } = rig.arena.stats();
    expect(evicted.policy + evicted.chain + evicted.forced).toBeGreaterThan(10_000);
  });

  test('of an item do not change by reading it or by moving it', () => {
    const rig = open({ memoryBytes: 2 * 1024 * 1024, segmentBytes: 4096 });
    const { version } = rig.set('key', 'v');
    for (let index = 0; index < 20_000; index++) {
      rig.set(`other ${index}`, 'x'.repeat(200));
      if (index % 50 === 0) expect(rig.meta('key').version).toBe(version);
    }
    expect(rig.arena.stats().moved).toBeGreaterThan(0);
  });
});
