import { describe, expect, test } from 'vitest';
import { Replayer, type Shared } from '../../../bench/trace/store/replayer.js';
import { type Shape, shapeFor } from '../../../bench/trace/store/shape.js';
import { Arena } from '../../../src/arena/arena.js';
import { seededRandom } from '../../../src/base/random.js';

const START_MS = 1_700_000_000_000;

function sharedFor(
  keys: readonly number[],
  shape: Shape,
  expiries: readonly number[] = [],
): Shared {
  const keyCount = Math.max(...keys) + 1;
  return {
    keys: Uint32Array.from(keys),
    copies: { count: 1, keyCount, requests: keys.length },
    expiries: Uint32Array.from(expiries),
    marks: new Int32Array(new SharedArrayBuffer(4 * keyCount)),
    cursor: new Int32Array(new SharedArrayBuffer(4)),
    startMs: START_MS,
    shape,
  };
}

/** Replays on a store where everything fits. */
function replay(keys: readonly number[], expiries?: readonly number[]) {
  const shape = shapeFor(5000, 1);
  const arena = Arena.create({
    memoryBytes: shape.memoryBytes,
    segmentBytes: shape.segmentBytes,
    lanes: 1,
  });
  const shared = sharedFor(keys, shape, expiries);
  const replayer = new Replayer(arena.openLane(0), arena.constant('GRANTS_CLIENT'), shared);
  return { replayed: replayer.run(), shared, stats: arena.stats() };
}

describe('a replay', () => {
  test('misses each key once where all of them fit', () => {
    const random = seededRandom(3);
    const keys = Array.from({ length: 20_000 }, () => random.below(500));
    const { replayed, stats, shared } = replay(keys);
    expect(replayed).toEqual({ requests: keys.length, misses: 500, waits: 0 });
    expect(stats.items).toBe(500);
    expect(stats.hits).toBe(keys.length - 500);
    expect(shared.marks.every((mark) => mark === 0)).toBe(true);
  });

  test('asks the store once for each request, repeats in a frame included', () => {
    const keys = [1, 1, 1, 2, 1, 2, 2, 3, 3, 3, 3];
    const { replayed, stats } = replay(keys);
    expect(replayed).toEqual({ requests: keys.length, misses: 3, waits: 0 });
    expect(stats.verbs.get.ok + stats.verbs.get.miss).toBe(keys.length);
    expect(stats.verbs.set.ok).toBe(3);
  });

  test('lets keys expire by the clock of the stream', () => {
    // Key 0 expires with request 200, before the second of its requests; key 1 does not.
    const filler = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => from + i);
    const keys = [0, 1, ...filler(10, 298), 0, 1];
    const expiries = Array.from({ length: 400 }, () => 100_000);
    expiries[0] = 200;
    expect(replay(keys, expiries).replayed.misses).toBe(keys.length - 1);
    expect(replay(keys).replayed.misses).toBe(keys.length - 2);
  });

  test('works on a lane beside another one, request by request', () => {
    const shape = shapeFor(2000, 2);
    const { memoryBytes, segmentBytes } = shape;
    const arena = Arena.create({ memoryBytes, segmentBytes, lanes: 2 });
    const shared = sharedFor([4, 5, 4, 6, 5, 4], shape);
    const grants = arena.constant('GRANTS_CLIENT');
    const [first, second] = [0, 1].map(
      (lane) => new Replayer(arena.openLane(lane), grants, shared),
    );
    // The turns are taken from one cursor, so what the first has done the second does not do again.
    expect(first?.run()).toEqual({ requests: 6, misses: 3, waits: 0 });
    expect(second?.run()).toEqual({ requests: 0, misses: 0, waits: 0 });
  });
});

describe('the shape of a replay', () => {
  test.each([10, 63, 137, 204, 300, 763, 2048, 7634, 8646, 31_533, 315_331])(
    'segments hold at most a 64th of %i items, and items fill them',
    (capacity) => {
      const shape = shapeFor(capacity, 2);
      const headerBytes = shape.keyBytes > 255 ? 22 : 18;
      const itemBytes = Math.ceil((headerBytes + shape.keyBytes + shape.valueBytes) / 2) * 2;
      const fit = Math.floor(shape.segmentBytes / itemBytes);
      expect(fit).toBe(shape.itemsPerSegment);
      if (capacity >= 64) expect(fit * 64).toBeLessThanOrEqual(capacity);
      else expect(fit).toBe(1);
      expect(fit * itemBytes).toBeGreaterThan(shape.segmentBytes * 0.9);
      expect(shape.memoryBytes).toBeGreaterThanOrEqual(2 * capacity * itemBytes);
      expect(shape.frame).toBeLessThanOrEqual(Math.max(1, capacity / 64));
      expect(shape.valueBytes % 4).toBe(0);
    },
  );
});
