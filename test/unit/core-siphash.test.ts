import { describe, expect, test } from 'vitest';
import { createMemory, instantiate, loadCore } from '../../src/arena/wasm.js';
import { seededRandom } from '../../src/base/random.js';

const MASK = 2n ** 64n - 1n;
const rotate = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & MASK;

/** SipHash-c-d as the paper writes it, in 64-bit words of little-endian bytes. */
function sipHash(data: Uint8Array, k0: bigint, k1: bigint, c: number, d: number): bigint {
  let [v0, v1] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn];
  let [v2, v3] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const round = (): void => {
    v0 = (v0 + v1) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const words = Math.floor(data.length / 8);
  for (let index = 0; index <= words; index++) {
    let word = index === words ? BigInt(data.length & 0xff) << 56n : 0n;
    data.subarray(index * 8, index * 8 + 8).forEach((byte, place) => {
      word |= BigInt(byte) << BigInt(place * 8);
    });
    v3 ^= word;
    for (let turn = 0; turn < c; turn++) round();
    v0 ^= word;
  }
  v2 ^= 0xffn;
  for (let turn = 0; turn < d; turn++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index & 0xff);
const K0 = 0x0706050403020100n;
const K1 = 0x0f0e0d0c0b0a0908n;

/** The core's hash of bytes that stand at an odd place of its memory. */
function coreHash(build: 'debug' | 'release') {
  const memory = createMemory(2);
  const exported = instantiate(loadCore(build), memory);
  const hash = exported.sipHash13 as (at: number, length: number, k0: bigint, k1: bigint) => bigint;
  return (data: Uint8Array, k0: bigint, k1: bigint): bigint => {
    new Uint8Array(memory.buffer).fill(0xee).set(data, 4097);
    return BigInt.asUintN(64, hash(4097, data.length, k0, k1));
  };
}

test('the reference agrees with the vectors of the paper and of the reference code', () => {
  expect(sipHash(counting(15), K0, K1, 2, 4)).toBe(0xa129ca6149be45e5n);
  expect(sipHash(counting(0), K0, K1, 2, 4)).toBe(0x726fdb47dd0e0e31n);
  expect(sipHash(counting(8), K0, K1, 2, 4)).toBe(0x93f5f5799a932462n);
});

describe.each(['debug', 'release'] as const)('SipHash-1-3 (%s)', (build) => {
  const hash = coreHash(build);

  test('agrees with the reference on every length up to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const data = counting(length);
      expect(hash(data, K0, K1), `of ${length} bytes`).toBe(sipHash(data, K0, K1, 1, 3));
    }
  });

  test('agrees with the reference on random keys and data', () => {
    const random = seededRandom(3);
    const word = () => new DataView(random.bytes(8).buffer).getBigUint64(0);
    for (let round = 0; round < 200; round++) {
      const data = random.bytes(random.below(100));
      const [k0, k1] = [word(), word()];
      expect(hash(data, k0, k1)).toBe(sipHash(data, k0, k1, 1, 3));
    }
  });

  test('agrees with the reference on the longest key', () => {
    const data = counting(65_535);
    expect(hash(data, K0, K1)).toBe(sipHash(data, K0, K1, 1, 3));
  });
});
