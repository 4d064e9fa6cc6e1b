import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import {
  type Configuration,
  flawOf,
  MAX_MEMBERS,
  MAX_TOTAL_WEIGHT,
} from '../../../src/ring/configuration.js';
import {
  decodeConfiguration,
  digestOfConfiguration,
  encodeConfiguration,
  HEADER_BYTES,
  NUMBER_AT,
} from '../../../src/ring/configurationCodec.js';
import { FormatError } from '../../../src/ring/fields.js';
import { murmur3 } from '../../../src/ring/murmur.js';
import { founding, layout, member, mixedNodes } from './support/clusters.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Any configuration without flaws. */
const configurations: fc.Arbitrary<Configuration> = fc
  .record({
    seed: fc.integer(),
    count: fc.integer({ min: 1, max: 40 }),
    number: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    strategy: fc.constantFrom('multi-master', 'primary-replica', 'chain'),
    splits: fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 128 }), {
      maxLength: 20,
      selector: (bytes) => bytes.join(),
    }),
    ranged: fc.boolean(),
    moving: fc.boolean(),
  })
  .map(({ seed, count, number, strategy, splits, ranged, moving }) => {
    const random = seededRandom(seed);
    const nodes = mixedNodes(random, count, 4);
    const froms = [new Uint8Array(0), ...splits.sort((a, b) => Buffer.compare(a, b))];
    const ranges = ranged ? froms.map((from, at) => ({ id: at * 7, from })) : [];
    const one = { ...layout(nodes, 1 + random.below(7)), ranges };
    const head: Configuration = {
      ...founding(nodes),
      number,
      epoch: 1 + random.below(Math.min(number, 1000)),
      previous: 'fedcba9876543210',
      strategy: strategy as Configuration['strategy'],
      partitioner: ranged ? 'range' : 'hash',
      layout: one,
    };
    return moving ? { ...head, leaving: { ...one, replicas: 1 } } : head;
  });

describe('MurmurHash3', () => {
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
  ])('of %j under %i is the one of its author', (value, seed, hash) => {
    expect(murmur3(text(value), seed)).toBe(hash);
  });
});

describe('a configuration', () => {
  test('comes back from its bytes, and has one digest', () => {
    fc.assert(
      fc.property(configurations, (configuration) => {
        const bytes = encodeConfiguration(configuration);
        const decoded = decodeConfiguration(bytes);
        expect(decoded).toEqual(configuration);
        expect(encodeConfiguration(decoded)).toEqual(bytes);
        expect(digestOfConfiguration(decoded)).toMatch(/^[0-9a-f]{16}$/);
      }),
      { numRuns: 200 },
    );
  });

  test('has its fields where the drawing has them', () => {
    const configuration = { ...founding([member('a')]), number: 7, epoch: 3 };
    const bytes = encodeConfiguration(configuration);
    const view = new DataView(bytes.buffer);
    expect(view.getUint16(0, true)).toBe(1);
    expect(Array.from(bytes.subarray(2, 8))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(view.getBigUint64(8, true)).toBe(0x00c0ffee00c0ffeen);
    expect(view.getBigUint64(NUMBER_AT, true)).toBe(7n);
    expect(view.getBigUint64(24, true)).toBe(0n);
    expect(view.getBigUint64(32, true)).toBe(3n);
    expect(bytes[HEADER_BYTES]).toBe('test'.length);
    const layoutAt = HEADER_BYTES + 5;
    expect(Array.from(bytes.subarray(layoutAt, layoutAt + 6))).toEqual([3, 0, 1, 0, 0, 0]);
    expect(view.getBigUint64(layoutAt + 6, true)).toBe(0xb0n);
    expect(Array.from(bytes.subarray(layoutAt + 14, layoutAt + 18))).toEqual([1, 0, 0, 0]);
    expect(view.getUint16(layoutAt + 18, true)).toBe(7700);
    expect(view.getUint16(layoutAt + 20, true)).toBe(7701);
    expect(bytes.length).toBe(layoutAt + 22 + 2 + 10 + 1);
  });

  test('is refused when any byte is cut off, added, or makes no sense', () => {
    fc.assert(
      fc.property(configurations, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const bytes = encodeConfiguration(one);
        expect(() => decodeConfiguration(bytes.subarray(0, at % bytes.length))).toThrow(
          FormatError,
        );
        expect(() => decodeConfiguration(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(
          FormatError,
        );
        const changed = bytes.slice();
        const place = at % bytes.length;
        changed[place] = (changed[place] as number) ^ flip;
        try {
          expect(digestOfConfiguration(decodeConfiguration(changed))).not.toBe(
            digestOfConfiguration(one),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('says what is wrong with it', () => {
    const good = founding([member('a'), member('b')]);
    expect(flawOf(good)).toBeUndefined();
    const flaws: [Partial<Configuration>, RegExp][] = [
      [{ cluster: 'x' }, /16 hex/],
      [{ number: 0 }, /number/],
      [{ epoch: 2 }, /epoch/],
      [{ name: 'ü' }, /name/],
      [{ layout: { ...good.layout, replicas: 8 } }, /replicas/],
      [{ layout: { ...good.layout, members: [] } }, /members/],
      [{ layout: { ...good.layout, members: [member('b'), member('a')] } }, /order/],
      [{ layout: { ...good.layout, members: [member('a'), member('a')] } }, /order/],
      [{ layout: layout([member('a', { weight: 0 })], 1) }, /weigh/],
      [{ layout: layout([member('a', { weight: 1001 })], 1) }, /weight of a/],
      [{ layout: layout([member('a b')], 1) }, /name for a node/],
      [{ layout: layout([member('a', { host: '' })], 1) }, /host/],
      [{ layout: layout([member('a', { port: 0 })], 1) }, /port/],
      [{ layout: layout([member('a', { boot: '1' })], 1) }, /boot/],
      [{ layout: { ...good.layout, ranges: [{ id: 0, from: text('') }] } }, /split/],
      [{ partitioner: 'range' }, /ranges/],
      [{ leaving: layout([], 1) }, /members/],
    ];
    for (const [change, problem] of flaws) {
      expect(flawOf({ ...good, ...change })).toMatch(problem);
      expect(() => encodeConfiguration({ ...good, ...change })).toThrow(FormatError);
    }
  });

  test('has limits that hold', () => {
    const many = Array.from({ length: MAX_MEMBERS }, (_, n) => member(`node-${n}`));
    expect(flawOf(founding(many))).toBeUndefined();
    expect(flawOf(founding([...many, member('one-more')]))).toMatch(/members/);
    const heavy = many.map((one) => ({ ...one, weight: 1 + MAX_TOTAL_WEIGHT / MAX_MEMBERS }));
    expect(flawOf(founding(heavy))).toMatch(/weigh/);
  });
});
