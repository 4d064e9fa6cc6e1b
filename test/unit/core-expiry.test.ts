import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { FLAG, STATUS } from '../model/support/wire.js';

describeBuilds('expiry', (open) => {
  test('is noticed by the sweep without anybody asking for the key', () => {
    const rig = open();
    for (let index = 0; index < 3000; index++) {
      rig.set(`key ${index}`, 'v', index % 3 === 0 ? {} : { ttlMs: 50 });
    }
    expect(rig.arena.stats().items).toBe(3000);
    expect(rig.lane.sweep(rig.nowMs + 49, rig.lane.sweepLines())).toBe(0);
    rig.nowMs += 50;
    const before = rig.arena.stats();
    let removed = 0;
    const step = Math.ceil(rig.lane.sweepLines() / 10);
    for (let round = 0; round < 11; round++) removed += rig.lane.sweep(rig.nowMs, step);
    expect(removed).toBe(2000);
    const after = rig.arena.stats();
    expect(after.items).toBe(1000);
    expect(after.expired - before.expired).toBe(2000);
    expect(after.itemBytes).toBeLessThan(before.itemBytes);
    for (let index = 0; index < 3000; index++) {
      expect(rig.get(`key ${index}`)).toBe(index % 3 === 0 ? 'v' : undefined);
    }
  });

  test('is counted once, whether a read or the sweep finds it', () => {
    const rig = open();
    for (let index = 0; index < 100; index++) rig.set(`key ${index}`, 'v', { ttlMs: 5 });
    rig.nowMs += 5;
    for (let index = 0; index < 100; index++) expect(rig.get(`key ${index}`)).toBeUndefined();
    rig.lane.sweep(rig.nowMs, rig.lane.sweepLines() + 1);
    rig.lane.sweep(rig.nowMs, rig.lane.sweepLines() + 1);
    expect(rig.arena.stats()).toMatchObject({ expired: 100, items: 0, itemBytes: 0 });
  });

  test('lets a later insert take a greater version', () => {
    const rig = open();
    const { version = 0n } = rig.set('key', 'v', { ttlMs: 5 });
    rig.nowMs += 5;
    rig.lane.sweep(rig.nowMs, rig.lane.sweepLines() + 1);
    rig.nowMs -= 1000;
    expect(rig.set('key', 'v').version).toBeGreaterThan(version);
  });

  test('a clock that steps back does not take versions back', () => {
    const rig = open();
    let last = 0n;
    for (const stepMs of [0, 100, -5000, 0, 10, -100_000, 1]) {
      rig.nowMs += stepMs;
      const { version = 0n } = rig.set('key', 'v', { flags: FLAG.KEEP_TTL });
      expect(version).toBeGreaterThan(last);
      last = version;
    }
  });

  test('an expiry in the past is an item that has expired', () => {
    const rig = open();
    rig.set('key', 'old');
    const answer = rig.set('key', 'v', { expiryMs: rig.nowMs - 1 });
    expect([STATUS.OK, STATUS.BAD_REQUEST]).toContain(answer.status);
    expect(rig.get('key')).toBe(answer.status === STATUS.OK ? undefined : 'old');
  });

  test('expired items make room before living ones are evicted', () => {
    const rig = open({ memoryBytes: 5 * 1024 * 1024 });
    for (let index = 0; index < 200; index++) rig.set(`living ${index}`, 'v'.repeat(1000));
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 1000; index++) {
        rig.set(`brief ${round} ${index}`, 'v'.repeat(1000), { ttlMs: 100 });
      }
      for (let index = 0; index < 200; index++) rig.get(`living ${index}`);
      rig.nowMs += 200;
    }
    for (let index = 0; index < 200; index++) {
      expect(rig.get(`living ${index}`)).toBe('v'.repeat(1000));
    }
  });
});
