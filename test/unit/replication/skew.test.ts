import { describe, expect, test } from 'vitest';
import { isAhead, timeOf } from '../../../src/net/peers/clocks.js';
import { FrameWriter } from '../../../src/protocol/frameWriter.js';
import { encodeRequest } from '../../../src/protocol/request.js';
import { FLAG_VERSION, OP_CLEAR, OP_MERGE, OP_SET } from '../../../src/protocol/wire.js';
import { Reach } from '../../../src/replication/reach.js';
import { Skew } from '../../../src/replication/skew.js';

const NOW_MS = 1_800_000_000_000;

/** The skew of a node whose peers' clocks are so far ahead of its own. */
function skewOf(peersMs: readonly number[]): number {
  const skew = new Skew();
  for (const [n, ms] of peersMs.entries()) skew.note(`n${n}`, NOW_MS + ms, 1000, 1000);
  return skew.ofMs(NOW_MS, 1000);
}

describe('skew', () => {
  test.each([
    ['a node alone', [], 0],
    ['a node whose one peer differs: nobody knows who is right', [60_000], 0],
    ['one that is ahead of two', [-5000, -5010], 5000],
    ['one that is behind two', [4000, 4010], -4000],
    ['one of whose two peers is wrong', [1, 60_000], -1],
    ['one of four, with one other that is wrong', [2, 3, -60_000], 0],
    ['one of five that is wrong itself', [-700, -701, -702, -60_000], 701],
  ])('of %s', (_, peersMs, expected) => {
    expect(skewOf(peersMs) + 0).toBe(expected);
  });

  test('goes by the quickest of the last answers, and sees a jump of the own clock at once', () => {
    const skew = new Skew();
    for (const id of ['b', 'c']) {
      skew.note(id, NOW_MS + 100, 1000, 1010);
      skew.note(id, NOW_MS + 900, 1000, 2000);
    }
    expect(skew.ofMs(NOW_MS, 1000)).toBeCloseTo(-95, 5);
    expect(skew.ofMs(NOW_MS + 5000, 1000)).toBeCloseTo(4905, 5);
    // Four more answers, and the first one counts no more.
    for (let n = 0; n < 4; n++) for (const id of ['b', 'c']) skew.note(id, NOW_MS, 1000, 1020);
    expect(skew.ofMs(NOW_MS, 1000)).toBeCloseTo(10, 5);
    skew.keep(new Set());
    expect(skew.ofMs(NOW_MS, 1000)).toBe(0);
  });

  test('beyond the longest takes a node out of service, either way', () => {
    const reach = Reach.create(1, undefined, 500);
    for (const [skewMs, off] of [
      [0, false],
      [500, false],
      [501, true],
      [-500, false],
      [-501, true],
      [1e15, true],
    ] as const) {
      reach.setSkew(skewMs);
      expect([skewMs, new Reach(reach.buffer).isOff]).toEqual([skewMs, off]);
    }
  });
});

describe('a change', () => {
  const frameOf = (opcode: number, version: bigint): Uint8Array => {
    const writer = new FrameWriter(64);
    writer.data(Uint8Array.of(1, 2, 3));
    const key = opcode === OP_CLEAR ? {} : { key: 'k' };
    encodeRequest(writer, { id: 1, opcode, flags: FLAG_VERSION, version, ...key });
    return writer.frame();
  };

  test('is ahead when its time is after the limit, to the millisecond', () => {
    for (const ms of [0, 1, 1023, 1024, NOW_MS, NOW_MS + 1, 2 ** 41]) {
      const version = (BigInt(ms) << 22n) + 4_000_000n;
      expect(timeOf(version)).toBe(ms);
      for (const opcode of [OP_MERGE, OP_CLEAR]) {
        expect(isAhead(frameOf(opcode, version), 3, ms)).toBe(false);
        expect(isAhead(frameOf(opcode, version), 3, ms - 1)).toBe(true);
      }
      // A condition is no change of that version.
      expect(isAhead(frameOf(OP_SET, version), 3, ms - 1)).toBe(false);
    }
  });
});
