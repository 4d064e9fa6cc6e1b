import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { POLICIES } from '../../src/config/config.js';
import { describeBuilds } from '../model/support/builds.js';
import { MIB, type Rig } from '../model/support/rig.js';
import { OP, STATUS } from '../model/support/wire.js';
import { zipf } from '../model/support/zipf.js';

const evictions = (rig: Rig): number => {
  const { policy, chain, forced } = rig.arena.stats().evicted;
  return policy + chain + forced;
};

/** Reads through: what is not there is written, as a program in front of a database would. */
function hitRatio(rig: Rig, keys: Iterable<number>): number {
  let hits = 0;
  let reads = 0;
  for (const key of keys) {
    reads++;
    if (rig.one({ op: OP.GET, key: `key ${key}` }).status === STATUS.OK) hits++;
    else rig.one({ op: OP.SET, key: `key ${key}`, value: 'v'.repeat(200) });
  }
  return hits / reads;
}

/** A popular few in front of a long tail, and now and then a run of keys asked for only once. */
function* withScans(count: number): Generator<number> {
  const random = seededRandom(7);
  const draw = zipf(20_000, 0.9, random);
  let once = 1_000_000;
  for (let index = 0; index < count; index++) {
    if (index % 10_000 < 4000) yield once++;
    else yield draw();
  }
}

describeBuilds('a full arena', (open) => {
  test('evicts and never fails a write that fits', () => {
    for (const policy of POLICIES) {
      const rig = open({ memoryBytes: 2 * MIB, segmentBytes: 8192, policy });
      const random = seededRandom(11);
      for (let index = 0; index < 30_000; index++) {
        const length = random.below(random.below(20) === 0 ? 20_000 : 300);
        const answer = rig.one({ op: OP.SET, key: `key ${index}`, value: 'x'.repeat(length) });
        expect(answer.status).toBe(STATUS.OK);
      }
      expect(evictions(rig)).toBeGreaterThan(10_000);
      expect(rig.get('key 29999')).toBeDefined();
    }
  });

  test.each(POLICIES)('holds no more items than it may (%s)', (policy) => {
    const rig = open({ memoryBytes: 2 * MIB, segmentBytes: 4096, policy, maxItems: 500 });
    const random = seededRandom(3);
    const draw = zipf(5000, 0.9, random);
    let most = 0;
    for (let index = 0; index < 20_000; index++) {
      const key = `key ${draw()}`;
      if (rig.one({ op: OP.GET, key }).status === STATUS.OK) continue;
      expect(rig.one({ op: OP.SET, key, value: 'x'.repeat(random.below(300)) }).status).toBe(0);
      most = Math.max(most, rig.arena.stats().items);
    }
    expect(most).toBe(500);
  });

  test('keeps within its budget and mostly filled with what lives', () => {
    const rig = open({ memoryBytes: 4 * MIB, segmentBytes: 8192 });
    for (let index = 0; index < 100_000; index++) {
      rig.one({ op: OP.SET, key: `key ${index}`, value: 'x'.repeat(100 + (index % 100)) });
    }
    const { itemBytes, memory } = rig.arena.stats();
    expect(itemBytes).toBeLessThanOrEqual(memory.storeBytes);
    expect(itemBytes).toBeGreaterThan(memory.storeBytes * 0.6);
  });

  test('does not let overwrites of a few keys push the others out', () => {
    const rig = open({ memoryBytes: 4 * MIB, segmentBytes: 8192 });
    const value = 'x'.repeat(200);
    for (let index = 0; index < 8000; index++) {
      rig.one({ op: OP.SET, key: `key ${index}`, value });
    }
    expect(evictions(rig)).toBe(0);
    for (let index = 0; index < 200_000; index++) {
      rig.one({ op: OP.SET, key: `key ${index % 500}`, value });
    }
    let left = 0;
    for (let index = 0; index < 8000; index++) {
      if (rig.one({ op: OP.GET, key: `key ${index}` }).status === STATUS.OK) left++;
    }
    expect(left).toBeGreaterThan(7200);
  });

  test('s3fifo keeps more of what is asked for than fifo, through scans', () => {
    const memory = { memoryBytes: MIB, segmentBytes: 4096 };
    const clever = hitRatio(open({ ...memory, policy: 's3fifo' }), withScans(60_000));
    const plain = hitRatio(open({ ...memory, policy: 'fifo' }), withScans(60_000));
    expect(clever).toBeGreaterThan(plain * 1.1);
  });

  test('makes room for one write by a bounded amount of work', () => {
    const rig = open({ memoryBytes: 4 * MIB, segmentBytes: 8192 });
    for (let index = 0; index < 60_000; index++) {
      rig.one({ op: OP.SET, key: `key ${index}`, value: 'x'.repeat(100) });
      rig.one({ op: OP.GET, key: `key ${index}` });
      rig.one({ op: OP.GET, key: `key ${index}` });
    }
    let worst = 0;
    for (let index = 0; index < 3000; index++) {
      const before = rig.arena.stats();
      rig.one({ op: OP.SET, key: `late ${index}`, value: 'x'.repeat(100) });
      const after = rig.arena.stats();
      worst = Math.max(worst, after.segmentsReclaimed - before.segmentsReclaimed);
    }
    expect(worst).toBeLessThanOrEqual(16);
  });

  test('answers NO_SPACE or TOO_LARGE to what can never fit, and goes on', () => {
    const rig = open({ memoryBytes: MIB, segmentBytes: 4096, maxValueBytes: 8 * MIB });
    for (let round = 0; round < 20; round++) {
      const { status } = rig.set('huge', new Uint8Array(3 * MIB));
      expect([STATUS.NO_SPACE, STATUS.TOO_LARGE]).toContain(status);
      expect(rig.set('small', 'v').status).toBe(STATUS.OK);
      expect(rig.get('small')).toBe('v');
    }
  });
});
