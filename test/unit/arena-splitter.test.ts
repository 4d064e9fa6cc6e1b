import { describe, expect, test } from 'vitest';
import { instantiateCore } from '../../src/arena/core.js';
import * as placement from '../../src/arena/placement.js';
import { Splitter } from '../../src/arena/splitter.js';
import { createMemory, loadCore } from '../../src/arena/wasm.js';
import { seededRandom } from '../../src/base/random.js';
import { SLOTS, slotOf } from '../../src/base/slot.js';
import { ARENAS_MAX } from '../../src/config/config.js';
import * as wire from '../../src/protocol/wire.js';
import { replayLine, seed } from '../model/support/seed.js';
import { concat, encodeFrame, encodeRequest, OP, type Request } from '../model/support/wire.js';

const FILE = 'test/unit/arena-splitter.test.ts';
const FRAME_BYTES_MAX = 100_000;
const MALFORMED = 0x100;
const KEYED = { first: wire.OP_GET, last: wire.OP_MERGE };

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const homeOfKey = (key: string, arenas: number): number => slotOf(bytesOf(key)) % arenas;

const splitterFor = (arenas: number): Splitter =>
  new Splitter(loadCore('debug'), arenas, FRAME_BYTES_MAX);

/** The parts as they are, one behind the other. */
function partsOf(splitter: Splitter, arenas: number): Uint8Array[] {
  return Array.from({ length: arenas }, (_, arena) => {
    const part = splitter.part(arena).slice();
    expect(part.length).toBe(splitter.partBytes(arena));
    return part;
  });
}

/** Keys of any length, some with braces. */
function someKey(random: ReturnType<typeof seededRandom>): Uint8Array {
  const key = random.bytes(1 + random.below(random.below(10) === 0 ? 300 : 40));
  for (let braces = random.below(4); braces > 0; braces--) {
    key[random.below(key.length)] = random.below(2) === 0 ? 0x7b : 0x7d;
  }
  return key;
}

describe('the splitter', () => {
  test.each(['debug', 'release'] as const)('knows the slots that Redis knows (%s)', (build) => {
    const core = instantiateCore(loadCore(build), createMemory(2));
    expect(core.constant('SLOTS')).toBe(SLOTS);
    expect(core.constant('SPLIT_ARENAS_MAX')).toBe(ARENAS_MAX);
    const memory = createMemory(2);
    const one = instantiateCore(loadCore(build), memory);
    const bytes = new Uint8Array(memory.buffer);
    one.functions.splitFormat(65_536);
    one.functions.splitPrepare();
    const at = core.constant('SPLIT_FRAME_AT');
    const random = seededRandom(seed);
    for (let n = 0; n < 20_000; n++) {
      const key = someKey(random);
      const start = at + random.below(8);
      bytes.set(key, start);
      const slot = one.functions.slotOf(start, key.length);
      if (slot !== slotOf(key)) {
        const hex = Buffer.from(key).toString('hex');
        expect.fail(`${hex} is in ${slot}, not ${slotOf(key)}; ${replayLine(FILE)}`);
      }
    }
  });

  test.each([2, 3, 7, 256])('puts each request into the part of its arena, of %i', (arenas) => {
    const splitter = splitterFor(arenas);
    const random = seededRandom(seed + arenas);
    for (let round = 0; round < 50; round++) {
      const parts = Array.from({ length: arenas }, (): Uint8Array[] => []);
      const frame = Array.from({ length: random.below(100) }, (_, id) => {
        const key = `key ${random.below(50)}`;
        const value = random.bytes(random.below(300));
        const bytes = encodeRequest({ op: OP.SET, id, key, value, ttlMs: 5, delta: 1n });
        parts[homeOfKey(key, arenas)]?.push(bytes);
        return bytes;
      });
      const bytes = concat(frame);
      expect(splitter.split(bytes)).toBe(bytes.length);
      expect(splitter.stop).toBe(0);
      const right = parts.map(concat).map((part) => Buffer.from(part).toString('hex'));
      expect(partsOf(splitter, arenas).map((part) => Buffer.from(part).toString('hex'))).toEqual(
        right,
      );
    }
  });

  test('gives the first arena what has no key', () => {
    const splitter = splitterFor(3);
    const frame = encodeFrame([{ op: OP.PING, value: 'x' }, { op: 0x7f }, { op: OP.HELLO }]);
    expect(splitter.split(frame)).toBe(frame.length);
    expect(partsOf(splitter, 3)).toEqual([frame, new Uint8Array(0), new Uint8Array(0)]);
  });

  test.each([
    ['a clear', encodeRequest({ op: OP.CLEAR }), OP.CLEAR],
    ['a scan', encodeRequest({ op: OP.SCAN, key: 'prefix', limit: 3 }), OP.SCAN],
    ['half a header', Uint8Array.from([20, 0, 0, 0, 9, 9, 9]), MALFORMED],
    ['a size that is too small', encodeRequest({ op: OP.GET, key: 'k', size: 19 }), MALFORMED],
    ['a size beyond the frame', encodeRequest({ op: OP.GET, key: 'k', size: 1000 }), MALFORMED],
    ['a key beyond its request', encodeRequest({ op: OP.GET, keyLength: 1 }), MALFORMED],
  ])('stops before %s', (_, bytes, stop) => {
    const splitter = splitterFor(3);
    const before = encodeFrame([{ op: OP.GET, key: 'a' }]);
    const tail = stop === MALFORMED ? new Uint8Array(0) : before;
    expect(splitter.split(concat([before, bytes, tail]))).toBe(before.length);
    expect(splitter.stop).toBe(stop);
    expect(concat(partsOf(splitter, 3))).toEqual(before);
    expect(splitter.split(concat([bytes, tail]))).toBe(0);
    expect(concat(partsOf(splitter, 3))).toEqual(new Uint8Array(0));
  });

  test('takes a frame of the longest kind', () => {
    const splitter = splitterFor(2);
    const request: Request = { op: OP.SET, key: 'k', value: new Uint8Array(FRAME_BYTES_MAX - 21) };
    const frame = encodeRequest(request);
    expect(frame.length).toBe(FRAME_BYTES_MAX);
    expect(splitter.split(frame)).toBe(frame.length);
    expect(Buffer.compare(concat(partsOf(splitter, 2)), frame)).toBe(0);
    const most = concat(Array.from({ length: 5000 }, (__, id) => encodeRequest({ op: 9, id })));
    expect(splitter.split(most)).toBe(FRAME_BYTES_MAX);
    expect(Buffer.compare(splitter.part(0), most)).toBe(0);
  });
});

describe('the home of a frame', () => {
  test('of one request is the arena of its key', () => {
    for (const key of ['a', 'user:7', '{user}:7', 'x'.repeat(700)]) {
      for (const flags of [0, 1, 3, 0x55, 0xff]) {
        const fields = { ttlMs: 1, version: 1n, delta: 1n, initial: 1n, cursor: 1n, limit: 1n };
        const some = flags === 0 ? {} : fields;
        const frame = encodeRequest({ op: OP.SET, key, value: 'v', ...some });
        expect(placement.homeOf(frame, KEYED, 7)).toBe(homeOfKey(key, 7));
      }
    }
  });

  test.each([
    [
      'two requests',
      encodeFrame([
        { op: OP.GET, key: 'a' },
        { op: OP.GET, key: 'a' },
      ]),
    ],
    ['a scan', encodeRequest({ op: OP.SCAN, key: 'a' })],
    ['a clear', encodeRequest({ op: OP.CLEAR })],
    ['a ping', encodeRequest({ op: OP.PING })],
    ['a key beyond the request', encodeRequest({ op: OP.GET, key: 'a', keyLength: 2 })],
    ['fields beyond the request', encodeRequest({ op: OP.GET, key: 'a', flags: 1 })],
    ['too few bytes', encodeRequest({ op: OP.GET, key: 'a' }).subarray(0, 19)],
    ['nothing', new Uint8Array(0)],
  ])('is nowhere for %s', (_, frame) => {
    expect(placement.homeOf(frame, KEYED, 3)).toBe(placement.NO_HOME);
  });

  test('is found where the protocol has the parts of a request', () => {
    expect(placement.SIZE_AT).toBe(0);
    expect(placement.OPCODE_AT).toBe(wire.REQUEST_OPCODE_AT);
    expect(placement.FLAGS_AT).toBe(wire.REQUEST_FLAGS_AT);
    expect(placement.KEY_LENGTH_AT).toBe(wire.REQUEST_KEY_LENGTH_AT);
    expect(placement.DEADLINE_AT).toBe(wire.REQUEST_DEADLINE_AT);
    expect(placement.HEADER_BYTES).toBe(wire.REQUEST_HEADER_BYTES);
    expect(placement.FIELD_BYTES).toBe(wire.FIELD_BYTES);
    for (let byte = 0; byte < 256; byte++) {
      expect(placement.bitsOf(byte)).toBe(byte.toString(2).replaceAll('0', '').length);
    }
  });
});
