import { describe, expect, test } from 'vitest';
import { divide } from '../../src/arena/division.js';
import { Store } from '../../src/arena/store.js';
import { InputError } from '../../src/base/errors.js';
import { MIB } from '../model/support/rig.js';
import { upTo } from './support/stores.js';

const GIB = 1024 * MIB;

describe('the division of a memory', () => {
  const needs = { memoryBytes: GIB, lanes: 2 };
  const sharesOf = (memoryBytes: number, more = {}): number[] =>
    divide({ ...needs, memoryBytes, ...more }).map((share) => share.memoryBytes);

  test.each([
    [64 * MIB, 1],
    [4000 * MIB, 1],
    [4 * GIB, 2],
    [7 * GIB, 2],
    [9 * GIB, 3],
    [12 * GIB, 4],
    [64 * GIB, 17],
  ])('of %i bytes makes as few arenas as will do: %i', (memoryBytes, arenas) => {
    const each = Math.floor(memoryBytes / arenas);
    expect(sharesOf(memoryBytes)).toEqual(upTo(arenas).map(() => each));
    expect(each).toBeLessThan(4 * GIB);
  });

  test('makes more arenas where the buffers of the lanes take room from the items', () => {
    expect(sharesOf(3 * GIB, { lanes: 64 }).length).toBe(2);
    expect(sharesOf(GIB, { maxValueBytes: 900 * MIB }).length).toBe(3);
  });

  test('makes as many as it is told, if they will do', () => {
    expect(sharesOf(9 * MIB, { arenas: 3 })).toEqual([3 * MIB, 3 * MIB, 3 * MIB]);
    expect(sharesOf(9 * MIB, { arenas: 0 })).toEqual([9 * MIB]);
    expect(() => sharesOf(9 * GIB, { arenas: 2 })).toThrow(/takes at least 3 arenas, not 2/);
    for (const arenas of [-1, 1.5, 257, Number.NaN]) {
      expect(() => sharesOf(9 * MIB, { arenas })).toThrow(InputError);
    }
  });

  test('names the most that all arenas hold', () => {
    const message = /more than 256 arenas hold: at most \d+mb beside 2 lanes/;
    expect(() => sharesOf(2 ** 41)).toThrow(message);
    expect(() => sharesOf(GIB, { lanes: 64, maxValueBytes: 100 * MIB })).toThrow(/leave no room/);
  });

  test('shares out the bound on items, without a rest', () => {
    const items = (maxItems: number) =>
      divide({ ...needs, arenas: 3, maxItems }).map((share) => share.maxItems);
    expect(items(11)).toEqual([4, 4, 3]);
    expect(items(3)).toEqual([1, 1, 1]);
    expect(() => items(2)).toThrow(/less than one for each/);
  });

  test('says what is wrong with each arena when it is too small', () => {
    const create = () => Store.create({ memoryBytes: 3 * MIB, lanes: 8, arenas: 3 });
    expect(create).toThrow(/^each of 3 arenas has 1mb: .* too small for 8 lanes .*at least \d+kb$/);
  });
});
