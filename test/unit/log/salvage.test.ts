import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { InputError } from '../../../src/base/errors.js';
import { systemRandom } from '../../../src/base/random.js';
import { systemDevice } from '../../../src/log/device.js';
import { readManifest, replaceManifest } from '../../../src/log/folder.js';
import { lockFolder } from '../../../src/log/lock.js';
import { LogFile } from '../../../src/log/logFile.js';
import { logPath } from '../../../src/log/names.js';
import { encodeRecord } from '../../../src/log/record.js';
import { reportOn } from '../../../src/log/report.js';
import { salvageFolder } from '../../../src/log/salvage.js';
import { fileOf, headerOf, newFolder, putRecord, readKeys } from './support/files.js';

const PARTS = { device: systemDevice, clock: systemClock, random: systemRandom };
const { node } = headerOf(1);

/** Three files of three blocks; the last has no end. */
function makeLog(folder: string): void {
  for (const number of [1, 2, 3]) {
    const blocks = [0, 1, 2].map((n) => [putRecord(number * 10 + n)]);
    const file = fileOf(folder, number, blocks);
    if (number < 3) file.finish();
    file.close();
  }
  const files = [1, 2, 3].map((number) => ({ number }));
  replaceManifest(systemDevice, folder, { node, next: 4, floor: 0n, files });
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

const conditions = (folder: string): string[] =>
  reportOn(systemDevice, folder).surveys.map(({ name, condition }) => `${name} ${condition}`);

test('a whole log is left as it is', () => {
  const folder = newFolder();
  makeLog(folder);
  expect(salvageFolder(PARTS, folder)).toEqual({ manifestProblem: undefined, files: [] });
  expect(readManifest(systemDevice, folder)?.next).toBe(4);
});

test('what is whole of a damaged file takes its place', () => {
  const folder = newFolder();
  makeLog(folder);
  const path = logPath(folder, 2);
  flip(path, 128 + 96 + 50);
  const before = readFileSync(path);
  expect(conditions(folder)[1]).toBe('0000000002.orlop damaged');
  const { files } = salvageFolder(PARTS, folder);
  expect(files).toEqual([
    {
      name: '0000000002.orlop',
      problem: 'the checksum of the block is wrong',
      into: '0000000004.orlop',
      keptRecords: 2,
      lostBytes: 96,
    },
  ]);
  expect(readKeys(folder, 4)).toMatchObject({ keys: ['key 20', 'key 22'], ended: 'last' });
  expect(readFileSync(`${path}.damaged`)).toEqual(before);
  expect(existsSync(path)).toBe(false);
  const manifest = readManifest(systemDevice, folder);
  expect(manifest?.files.map(({ number }) => number)).toEqual([1, 4, 3]);
  expect(salvageFolder(PARTS, folder).files).toEqual([]);
});

test('zeros that were written ahead are not lost with a damaged file', () => {
  const folder = newFolder();
  const header = { ...headerOf(1), number: 3 };
  makeLog(folder);
  const file = LogFile.create(systemDevice, folder, header, 10_000);
  for (const n of [30, 31, 32]) {
    file.add(encodeRecord(putRecord(n)));
    file.flush();
    file.sync();
  }
  file.close();
  flip(logPath(folder, 3), 128 + 96 + 50);
  expect(conditions(folder)[2]).toBe('0000000003.orlop damaged');
  const { files } = salvageFolder(PARTS, folder);
  expect(files).toMatchObject([{ name: '0000000003.orlop', keptRecords: 2, lostBytes: 96 }]);
});

test('a file with a damaged header is read all the same', () => {
  for (const at of [0, 12, 40, 124, 127]) {
    const folder = newFolder();
    makeLog(folder);
    flip(logPath(folder, 1), at);
    const [salvaged] = salvageFolder(PARTS, folder).files;
    expect(salvaged?.lostBytes).toBe(0);
    expect(readKeys(folder, 4).keys).toEqual(['key 10', 'key 11', 'key 12']);
  }
});

test('a file that is cut short within its header, or empty, is replaced by an empty one', () => {
  for (const length of [0, 100]) {
    const folder = newFolder();
    makeLog(folder);
    truncateSync(logPath(folder, 1), length);
    expect(salvageFolder(PARTS, folder).files).toMatchObject([{ keptRecords: 0, lostBytes: 0 }]);
    expect(readKeys(folder, 4)).toMatchObject({ keys: [], ended: 'last' });
  }
});

test('a manifest is made anew from the files that are there', () => {
  const folder = newFolder();
  makeLog(folder);
  truncateSync(`${folder}/MANIFEST`, 30);
  expect(() => reportOn(systemDevice, folder)).toThrow(/salvage/);
  expect(salvageFolder(PARTS, folder).manifestProblem).toBe('the manifest is not whole');
  const manifest = readManifest(systemDevice, folder);
  expect(manifest).toMatchObject({ next: 4, node });
  expect(manifest?.files.map(({ number }) => number)).toEqual([1, 2, 3]);
});

test('there must be a log', () => {
  expect(() => salvageFolder(PARTS, newFolder())).toThrow(InputError);
});

test('a folder belongs to one process at a time, and is free when that is killed', async () => {
  const folder = newFolder();
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(/another process uses/);
  lock.release();
  const holder = spawn('flock', ['-x', `${folder}/LOCK`, 'sh', '-c', 'echo ready; exec sleep 60']);
  await once(holder.stdout, 'data');
  expect(() => lockFolder(folder)).toThrow(/another process uses/);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
});

test('a folder that is not there, or a file, is refused', () => {
  const folder = newFolder();
  expect(() => lockFolder(`${folder}/absent`)).toThrow(InputError);
  writeFileSync(`${folder}/file`, '');
  expect(() => lockFolder(`${folder}/file`)).toThrow(InputError);
});
