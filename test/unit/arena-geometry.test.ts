import { describe, expect, test } from 'vitest';
import { Arena } from '../../src/arena/arena.js';
import { drawGeometry, LANES_MAX } from '../../src/arena/geometry.js';
import { PAGE_BYTES, PAGES_MAX } from '../../src/arena/wasm.js';
import { InputError } from '../../src/base/errors.js';
import { parseSize } from '../../src/base/sizes.js';

const MIB = 1024 * 1024;

/** The size that the message of a refusal names behind `at least` or `at most`, in bytes. */
function sizeIn(message: string): number {
  return parseSize(/at (?:least|most) ([\d.]+[a-z]+)/.exec(message)?.[1] ?? '');
}

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the geometry of an arena', () => {
  test('gives items all of the memory asked for, and the lanes theirs beside it', () => {
    const geometry = drawGeometry({ memoryBytes: 256 * MIB, lanes: 3, feedBytes: MIB });
    expect(geometry.storeBytes).toBe(256 * MIB);
    expect(geometry.maxFrameBytes).toBe(16 * MIB + 128 * 1024);
    const laneBytes = geometry.inboxBytes + geometry.outboxBytes + geometry.feedBytes;
    const forgottenBytes = 16_384 * 8;
    const least = 256 * MIB + 3 * laneBytes + forgottenBytes + 65_536;
    expect(geometry.pages * PAGE_BYTES).toBeGreaterThanOrEqual(least);
    expect(geometry.pages * PAGE_BYTES).toBeLessThan(least + 65_536);
  });

  test('an inbox takes the longest frame behind a mebibyte, an outbox the largest value', () => {
    for (const maxValueBytes of [1, 1000, MIB, 16 * MIB]) {
      const geometry = drawGeometry({ memoryBytes: 64 * MIB, lanes: 1, maxValueBytes });
      expect(geometry.inboxBytes).toBeGreaterThanOrEqual(MIB + geometry.maxFrameBytes + 16);
      expect(geometry.outboxBytes).toBeGreaterThanOrEqual(MIB + maxValueBytes + 128 * 1024);
      expect(geometry.maxFrameBytes).toBeGreaterThanOrEqual(MIB);
      expect(geometry.inboxBytes % 64).toBe(0);
      expect(geometry.outboxBytes % 64).toBe(0);
    }
  });

  test('the largest memory that a refusal names is taken, and not a mebibyte more', () => {
    const needs = { lanes: 4, maxValueBytes: MIB };
    const message = refusalOf(() => drawGeometry({ ...needs, memoryBytes: 8 * 1024 * MIB }));
    const roomBytes = sizeIn(message);
    const geometry = drawGeometry({ ...needs, memoryBytes: roomBytes });
    expect(geometry.pages).toBeGreaterThan(PAGES_MAX - 17);
    expect(() => drawGeometry({ ...needs, memoryBytes: roomBytes + MIB })).toThrow(InputError);
  });

  test('refuses what makes no sense', () => {
    const good = { memoryBytes: 64 * MIB, lanes: 1 };
    for (const bad of [
      { lanes: 0 },
      { lanes: LANES_MAX + 1 },
      { lanes: 1.5 },
      { memoryBytes: 0 },
      { memoryBytes: -1 },
      { memoryBytes: Number.NaN },
      { maxValueBytes: 0 },
      { maxValueBytes: 2 ** 40 },
      { feedBytes: -64 },
      { segmentBytes: 5000 },
      { segmentBytes: 2048 },
      { segmentBytes: 2 ** 31 },
    ]) {
      expect(() => drawGeometry({ ...good, ...bad }), JSON.stringify(bad)).toThrow(InputError);
    }
    expect(() => drawGeometry({ ...good, lanes: 64, maxValueBytes: 512 * MIB })).toThrow(
      /leave no room/,
    );
  });
});

describe('the least memory', () => {
  test('is named by the refusal, and is enough', () => {
    for (const options of [
      { lanes: 1, maxValueBytes: MIB },
      { lanes: 8, maxValueBytes: 1000 },
      { lanes: 1, segmentBytes: 4096, maxValueBytes: 100_000 },
    ]) {
      const message = refusalOf(() => Arena.create({ ...options, memoryBytes: 65_536 }));
      const leastBytes = sizeIn(message);
      expect(Arena.create({ ...options, memoryBytes: leastBytes }).stats().items).toBe(0);
      const lessBytes = leastBytes - 1024;
      expect(() => Arena.create({ ...options, memoryBytes: lessBytes })).toThrow(InputError);
    }
  });
});
