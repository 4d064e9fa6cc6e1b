import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { MIB } from '../model/support/rig.js';
import { FLAG, OP, STATUS, textOf } from '../model/support/wire.js';

/** Lengths on both sides of what the short header holds. */
const KEYS = [1, 254, 255, 256, 257, 5000, 65_535];
const VALUES = [0, 1, 65_534, 65_535, 65_536, 65_537, 200_000];
/** Segments in which values of all those lengths lie whole. */
const WHOLE = { memoryBytes: 64 * MIB, segmentBytes: MIB } as const;

const keyOf = (length: number): string => 'k'.repeat(length);
const filledWith = (length: number, seed: string): string => seed.repeat(length);

describeBuilds('headers, short and long', (open) => {
  test('keep keys and values of all lengths apart', () => {
    const rig = open(WHOLE);
    for (const key of KEYS) {
      for (const value of VALUES) {
        rig.set(keyOf(key), filledWith(value, 'v'), { ttlMs: 60_000 });
        const read = rig.meta(keyOf(key));
        expect([read.status, read.body.length, read.ttlMs]).toEqual([STATUS.OK, value, 60_000]);
        expect(textOf(read.value)).toBe(filledWith(value, 'v'));
      }
    }
    expect(rig.scan().sort()).toEqual(KEYS.map(keyOf).sort());
    const bytes = KEYS.map((key) => 22 + key + 200_000);
    expect(rig.arena.stats().itemBytes).toBe(bytes.reduce((sum, one) => sum + one, 0));
  });

  test('change from one to the other and back, with every verb', () => {
    const rig = open(WHOLE);
    const key = keyOf(255);
    for (const length of [65_536, 3, 65_535, 65_537]) {
      const old = rig.set(key, filledWith(length, 'w'), { flags: FLAG.RETURN_OLD });
      expect(old.status).toBe(STATUS.OK);
      expect(rig.one({ op: OP.TOUCH, key, ttlMs: 5000 }).status).toBe(STATUS.OK);
      expect(rig.get(key)).toBe(filledWith(length, 'w'));
    }
    expect(rig.delete(key).status).toBe(STATUS.OK);
    rig.incr(keyOf(256));
    rig.incr(keyOf(256), { delta: 41n });
    expect(rig.get(keyOf(256))).toBe('42');
    expect(rig.arena.stats().itemBytes).toBe(22 + 256 + 2);
  });

  test('survive the cleaners, which find the next item by the length of this one', () => {
    const rig = open({ memoryBytes: 16 * MIB, segmentBytes: 256 * 1024 });
    const lengths = [1, 255, 256, 30_000, 60_000];
    const kept = (round: number) => `kept ${round % 10}`.padEnd(250 + (round % 10), '.');
    for (let round = 0; round < 4000; round++) {
      rig.set(`new ${round}`.padEnd(1 + (round % 600), '-'), 'x'.repeat(lengths[round % 5] ?? 1));
      rig.set(kept(round), `value ${round % 10}`);
      rig.get(kept(round));
    }
    expect(rig.arena.stats().segmentsReclaimed).toBeGreaterThan(50);
    for (let n = 0; n < 10; n++) expect(rig.get(kept(n))).toBe(`value ${n}`);
  });
});
