import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { BLOCK_HEADER_BYTES } from '../../../src/log/block.js';
import { systemDevice } from '../../../src/log/device.js';
import { FILE_HEADER_BYTES } from '../../../src/log/fileHeader.js';
import { logPath } from '../../../src/log/names.js';
import { encodeRecord, recordBytes } from '../../../src/log/record.js';
import { type Survey, surveyFile } from '../../../src/log/survey.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { fileOf, newFolder, putRecord, readKeys } from './support/files.js';

const FILE = 'test/unit/log/scan.test.ts';
const keysTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `key ${n}`);

const survey = (folder: string, active = true, end?: number): Survey =>
  surveyFile(systemDevice, folder, end === undefined ? { number: 1 } : { number: 1, end }, active);

/** Blocks of one record each, all of the same length, and where each ends in the file. */
function evenFile(folder: string, blocks: number, syncEvery = 0): number[] {
  const file = fileOf(folder, 1, []);
  const ends: number[] = [];
  for (let n = 0; n < blocks; n++) {
    file.add(encodeRecord(putRecord(n % 10, 50 + n)));
    file.closeBlock();
    file.flush();
    ends.push(file.length);
    if (syncEvery > 0 && n % syncEvery === syncEvery - 1) file.sync();
  }
  file.close();
  return ends;
}

test('a file that was ended in order is whole, and its last block is its summary', () => {
  const folder = newFolder();
  const file = fileOf(folder, 1, [[putRecord(0), putRecord(1)], [putRecord(2)]]);
  file.finish();
  file.close();
  expect(readKeys(folder, 1)).toMatchObject({ keys: keysTo(3), ended: 'last' });
  const { condition, blocks, summary } = survey(folder, false);
  expect({ condition, blocks, puts: summary.puts }).toEqual({
    condition: 'whole',
    blocks: 3,
    puts: 3,
  });
});

test('a file without an end is whole only if it was written last or recovery ended it', () => {
  const folder = newFolder();
  const file = fileOf(folder, 1, [[putRecord(0)]]);
  const { length } = file;
  file.close();
  expect(survey(folder, true)).toMatchObject({ condition: 'torn', end: length, problem: '' });
  expect(survey(folder, false).condition).toBe('damaged');
  expect(survey(folder, false, length).condition).toBe('whole');
  expect(survey(folder, false, length - 8).condition).toBe('damaged');
  expect(survey(folder, false, length + 8).condition).toBe('whole');
});

test('blocks longer than the buffer, and records longer than a block, come back', () => {
  const folder = newFolder();
  const sizes = [10, 3_000_000, 20_000, 1_048_576, 0, 16_384, 2_097_152 - 100];
  const file = fileOf(folder, 1, [sizes.map((bytes, n) => putRecord(n, bytes))]);
  file.finish();
  file.close();
  const { keys, ended } = readKeys(folder, 1);
  expect({ keys, ended }).toEqual({ keys: keysTo(sizes.length), ended: 'last' });
});

test('cut at any byte, a file gives back exactly the blocks that are whole', () => {
  const folder = newFolder();
  const ends = evenFile(folder, 40);
  const path = logPath(folder, 1);
  for (let length = statSync(path).size; length >= FILE_HEADER_BYTES; length--) {
    truncateSync(path, length);
    const whole = ends.filter((end) => end <= length).length;
    const { blocks, condition, end } = survey(folder);
    expect({ blocks, condition }).toEqual({ blocks: whole, condition: 'torn' });
    expect(end).toBe(whole === 0 ? FILE_HEADER_BYTES : ends[whole - 1]);
  }
  truncateSync(path, FILE_HEADER_BYTES - 1);
  expect(survey(folder)).toMatchObject({ condition: 'damaged', blocks: 0, purpose: undefined });
});

test('every single flipped bit is found', () => {
  const folder = newFolder();
  evenFile(folder, 4, 1);
  const path = logPath(folder, 1);
  const bytes = readFileSync(path);
  const before = survey(folder);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, bytes);
    const { blocks, end, condition } = survey(folder);
    expect(blocks).toBeLessThan(before.blocks);
    expect(end).toBeLessThanOrEqual(at);
    // The last block has nobody behind it to say that it was synced.
    expect(condition).toBe(
      at < before.end - BLOCK_HEADER_BYTES - recordBytes(5, 53) ? 'damaged' : 'torn',
    );
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  }
}, 60_000);

test('what was never synced may be lost in any order, what was may not', () => {
  const folder = newFolder();
  const path = logPath(folder, 1);
  const random = seededRandom(seed);
  for (let round = 0; round < 120; round++) {
    const syncEvery = 1 + random.below(30);
    const ends = evenFile(folder, 25, syncEvery);
    const bytes = readFileSync(path);
    const synced = ends[Math.floor(25 / syncEvery) * syncEvery - 1] ?? FILE_HEADER_BYTES;
    const page = random.below(2) === 0 ? 512 : 64;
    const from = round % 2 === 0 ? synced : FILE_HEADER_BYTES;
    let lost = bytes.length;
    for (let at = from; at < bytes.length; at = at - (at % page) + page) {
      if (random.below(4) !== 0) continue;
      const to = Math.min(bytes.length, at - (at % page) + page);
      bytes.fill(0, at, to);
      lost = Math.min(lost, at);
    }
    writeFileSync(path, bytes);
    const { condition, end, blocks } = survey(folder);
    const whole = ends.filter((each) => each <= lost).length;
    expect(blocks, replayLine(FILE)).toBe(whole);
    expect(end).toBe(whole === 0 ? FILE_HEADER_BYTES : ends[whole - 1]);
    if (round % 2 === 0) expect(condition, replayLine(FILE)).toBe('torn');
  }
});

test('a block in the place of another is no block of the file', () => {
  const folder = newFolder();
  const file = fileOf(folder, 1, [[putRecord(0)], [putRecord(1)], [putRecord(2)]]);
  file.close();
  const path = logPath(folder, 1);
  const bytes = readFileSync(path);
  const length = BLOCK_HEADER_BYTES + recordBytes(5, 20);
  const block = (n: number): Buffer =>
    bytes.subarray(FILE_HEADER_BYTES + n * length, FILE_HEADER_BYTES + (n + 1) * length);
  const swapped = [bytes.subarray(0, FILE_HEADER_BYTES), block(0), block(2), block(1)];
  writeFileSync(path, Buffer.concat(swapped));
  expect(readKeys(folder, 1)).toMatchObject({ keys: ['key 0'], ended: 'broken' });
  writeFileSync(path, Buffer.concat([bytes.subarray(0, FILE_HEADER_BYTES), block(1)]));
  expect(readKeys(folder, 1)).toMatchObject({ keys: [], ended: 'broken' });
  const other = fileOf(folder, 2, [[putRecord(0)], [putRecord(1)], [putRecord(2)]]);
  other.close();
  const foreign = readFileSync(logPath(folder, 2)).subarray(FILE_HEADER_BYTES + length);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, FILE_HEADER_BYTES + length), foreign]));
  expect(survey(folder)).toMatchObject({ condition: 'torn', blocks: 1, beyond: { blocks: 0 } });
});

test('bytes that look like a block, inside a value, mislead nobody', () => {
  const folder = newFolder();
  const donor = fileOf(folder, 2, [[putRecord(0)]]);
  donor.close();
  const lure = readFileSync(logPath(folder, 2)).subarray(FILE_HEADER_BYTES);
  const bait = { ...putRecord(1), value: Buffer.concat(Array(200).fill(lure)) };
  const file = fileOf(folder, 1, [[putRecord(0)]]);
  file.sync();
  file.add(encodeRecord(bait));
  file.flush();
  const end = file.length;
  file.close();
  truncateSync(logPath(folder, 1), end - 8);
  expect(survey(folder)).toMatchObject({ condition: 'torn', blocks: 1, beyond: { blocks: 0 } });
});

test('bytes behind the end of a file are damage', () => {
  const folder = newFolder();
  const file = fileOf(folder, 1, [[putRecord(0)]]);
  file.finish();
  const { length } = file;
  file.close();
  truncateSync(logPath(folder, 1), length + 8);
  expect(survey(folder, true)).toMatchObject({ end: length, blocks: 2 });
  expect(survey(folder, false).condition).toBe('damaged');
});
