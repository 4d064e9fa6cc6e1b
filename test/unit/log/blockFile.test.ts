import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { beginFile, blockOf, blocksIn, FILE_HEAD_BYTES } from '../../../src/log/blockFile.js';
import { KEY_BYTES, KeyRing, NO_KEYS, TAG_BYTES } from '../../../src/log/keys.js';

const MAGIC = 0x54534554;
const KEYS = new KeyRing([new Uint8Array(KEY_BYTES).fill(7)]);
const random = seededRandom(1);
const part = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

/** A file of blocks with these numbers, each with its number in two parts. */
function fileOf(keys: KeyRing, numbers: readonly number[]): Buffer {
  const { head, cipher } = beginFile(MAGIC, keys, random);
  let file = Buffer.from(head);
  for (const number of numbers) {
    const block = blockOf([part(number), part(99)], cipher, number, file.length);
    file = Buffer.concat([file, block]);
  }
  return file;
}

function contentsOf(keys: KeyRing, file: Uint8Array): number[][] {
  return [...blocksIn(MAGIC, file, keys, 'a file')].map(([bytes]) => [...bytes]);
}

describe.each([
  ['in the clear', NO_KEYS, 0],
  ['encrypted', KEYS, TAG_BYTES],
])('a file of blocks, %s,', (_, keys, tagBytes) => {
  test('gives back what is in it, as long as it is of the kind', () => {
    const file = fileOf(keys, [0, 1, 2]);
    expect(contentsOf(keys, file)).toEqual([0, 1, 2].map((number) => [number, 99]));
    expect(file.length).toBe(FILE_HEAD_BYTES + 3 * (8 + 2 + tagBytes));
    expect([...blocksIn(MAGIC + 1, file, keys, 'a file')]).toEqual([]);
    expect(contentsOf(keys, fileOf(keys, []))).toEqual([]);
  });

  test('has no block that stands where another one stood', () => {
    const file = fileOf(keys, [0, 1]);
    const secondAt = FILE_HEAD_BYTES + 10 + tagBytes;
    const swapped = Buffer.concat([
      file.subarray(0, FILE_HEAD_BYTES),
      file.subarray(secondAt),
      file.subarray(FILE_HEAD_BYTES, secondAt),
    ]);
    expect(contentsOf(keys, swapped)).toEqual([]);
  });
});

describe('an encrypted file of blocks', () => {
  test('has no block under the number of another one', () => {
    expect(contentsOf(KEYS, fileOf(KEYS, [1, 0]))).toEqual([]);
    expect(contentsOf(KEYS, fileOf(KEYS, [0, 2]))).toEqual([[0, 99]]);
  });

  test('has no block of another file, though the key of the node is the same', () => {
    const [one, other] = [fileOf(KEYS, [0]), fileOf(KEYS, [0])];
    expect(one.equals(other)).toBe(false);
    const mixed = [one.subarray(0, FILE_HEAD_BYTES), other.subarray(FILE_HEAD_BYTES)];
    expect(contentsOf(KEYS, Buffer.concat(mixed))).toEqual([]);
  });

  test('names its key, and is refused without it', () => {
    const file = fileOf(KEYS, [0]);
    expect(() => contentsOf(NO_KEYS, file)).toThrow(/a file is encrypted .* no key was given/);
  });
});
