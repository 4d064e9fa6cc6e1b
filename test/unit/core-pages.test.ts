import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { MIB, type Rig } from '../model/support/rig.js';
import { FLAG, OP, STATUS } from '../model/support/wire.js';

/** Bytes that differ from place to place and from seed to seed. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761 + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function holds(rig: Rig, key: string, expected: Uint8Array): boolean {
  const { value } = rig.one({ op: OP.GET, key });
  return value !== undefined && Buffer.compare(value, expected) === 0;
}

describeBuilds('large values', (open) => {
  test('come back whole, up to 16 MiB', () => {
    const rig = open({ memoryBytes: 256 * MIB, maxValueBytes: 16 * MIB });
    for (const [index, length] of [MIB, 4 * MIB + 1, 16 * MIB - 1, 16 * MIB].entries()) {
      const value = pattern(length, index);
      expect(rig.set(`of ${length}`, value, { encoding: 0 }).status).toBe(STATUS.OK);
      expect(holds(rig, `of ${length}`, value)).toBe(true);
    }
    const over = rig.set('over', new Uint8Array(16 * MIB + 1));
    expect(over.status).toBe(STATUS.TOO_LARGE);
  });

  test('of the largest size go on working in a full arena', () => {
    const rig = open({ memoryBytes: 256 * MIB, maxValueBytes: 16 * MIB });
    const values = [pattern(16 * MIB, 1), pattern(16 * MIB - 77, 2), pattern(11 * MIB, 3)];
    for (let round = 0; round < 40; round++) {
      const value = values[round % 3] as Uint8Array;
      expect(rig.set(`key ${round}`, value, { encoding: 0 }).status).toBe(STATUS.OK);
      expect(holds(rig, `key ${round}`, value)).toBe(true);
    }
  });

  test('give their pages back when they are overwritten, deleted or expire', () => {
    const rig = open({ memoryBytes: 8 * MIB });
    for (let round = 0; round < 100; round++) {
      const value = pattern(700_000 + round, round);
      expect(rig.set('same', value).status).toBe(STATUS.OK);
      expect(holds(rig, 'same', value)).toBe(true);
      rig.set('gone', value);
      rig.delete('gone');
      rig.set('brief', value, { ttlMs: 1 });
      rig.nowMs += 1;
      expect(rig.get('brief')).toBeUndefined();
      rig.lane.sweep(rig.nowMs, rig.lane.sweepLines());
    }
    const { evicted } = rig.arena.stats();
    expect(evicted.policy + evicted.chain + evicted.forced).toBe(0);
  });

  test('and small ones live together under churn', () => {
    const rig = open({ memoryBytes: 8 * MIB });
    const sizes = new Map<string, [number, number]>();
    for (let round = 0; round < 3000; round++) {
      const key = `key ${(round * 7) % 113}`;
      const length = [3, 90, 1500, 9000, 40_000, 130_000, 600_000][(round * 5) % 7] as number;
      expect(rig.set(key, pattern(length, round)).status).toBe(STATUS.OK);
      sizes.set(key, [length, round]);
      const other = `key ${(round * 31) % 113}`;
      const { value } = rig.one({ op: OP.GET, key: other });
      const [otherLength, seed] = sizes.get(other) ?? [0, 0];
      if (value !== undefined) expect(Buffer.compare(value, pattern(otherLength, seed))).toBe(0);
    }
  });

  test('are returned by the write that replaces them', () => {
    const rig = open({ memoryBytes: 16 * MIB });
    const old = pattern(900_000, 1);
    rig.set('key', old);
    const replaced = rig.set('key', pattern(900_001, 2), { flags: FLAG.RETURN_OLD });
    expect(Buffer.compare(replaced.value ?? new Uint8Array(0), old)).toBe(0);
    const removed = rig.delete('key', { flags: FLAG.RETURN_OLD });
    expect(Buffer.compare(removed.value ?? new Uint8Array(0), pattern(900_001, 2))).toBe(0);
  });
});
