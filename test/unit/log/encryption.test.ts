/** Logs that are encrypted: what is in them, with which keys, and what is on the disk. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { encryptedDevice, systemDevice } from '../../../src/log/device.js';
import { FILE_HEADER_BYTES } from '../../../src/log/fileHeader.js';
import { FileScan } from '../../../src/log/fileScan.js';
import { FileCipher, KEY_BYTES, KeyRing, TAG_BYTES } from '../../../src/log/keys.js';
import { logPath } from '../../../src/log/names.js';
import { openFolder } from '../../../src/log/opening.js';
import { reportOn } from '../../../src/log/report.js';
import { salvageFolder } from '../../../src/log/salvage.js';
import { scanBlocks } from '../../../src/log/survey.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { fileOf, newFolder, putRecord } from './support/files.js';
import { LogRig } from './support/logRig.js';

const FILE = 'test/unit/log/encryption.test.ts';
const random = seededRandom(seed);
const keyOf = (): Uint8Array => random.bytes(KEY_BYTES);
const deviceWith = (...keys: Uint8Array[]) => encryptedDevice(new KeyRing(keys));

/** The records of a file as text, and how the scan ended. */
function contentOf(folder: string, number: number, device = systemDevice): string[] {
  const scan = new FileScan(device, logPath(folder, number));
  const found: string[] = [];
  scanBlocks(scan, (walk) => {
    while (walk.next()) {
      if (walk.kind === 'put')
        found.push(`${Buffer.from(walk.key())}=${Buffer.from(walk.value())}`);
    }
  });
  found.push(String(scan.ended ?? ''), scan.problem);
  scan.close();
  return found;
}

const BLOCKS = [[putRecord(1), putRecord(2, 300)], [putRecord(3, 20_000)], [putRecord(4, 0)]];

test('an encrypted file says the same as one that is not, and shows none of it', () => {
  const [plain, secret] = [newFolder(), newFolder()];
  const device = deviceWith(keyOf());
  for (const [folder, where] of [[plain, systemDevice] as const, [secret, device] as const]) {
    const file = fileOf(folder, 1, BLOCKS, where);
    file.finish();
    file.close();
  }
  expect(contentOf(secret, 1, device), replayLine(FILE)).toEqual(contentOf(plain, 1));
  const bytes = readFileSync(logPath(secret, 1));
  expect(bytes.length).toBe(readFileSync(logPath(plain, 1)).length + 4 * TAG_BYTES);
  expect(readFileSync(logPath(plain, 1)).includes('value 3')).toBe(true);
  for (const text of ['key 1', 'value 2', 'value 3']) expect(bytes.includes(text)).toBe(false);
});

test('the same records are never encrypted to the same bytes', () => {
  const device = deviceWith(keyOf());
  const folder = newFolder();
  const same = putRecord(1, 64);
  for (const number of [1, 2]) fileOf(folder, number, [[same], [same]], device).close();
  const pieces = [1, 2].flatMap((number) => {
    const bytes = readFileSync(logPath(folder, number)).subarray(FILE_HEADER_BYTES);
    const half = bytes.length / 2;
    return [bytes.subarray(32, half), bytes.subarray(half + 32)].map((b) => b.toString('hex'));
  });
  expect(new Set(pieces).size).toBe(4);
});

test('a wrong or a missing key is refused, and says which it would have to be', () => {
  const key = keyOf();
  const log = new LogRig({ device: deviceWith(key) });
  log.rig.set('key', 'v');
  log.writer.round();
  const name = new KeyRing([key]).writingName ?? '';
  const open = (device = systemDevice) => openFolder({ device, random }, log.folder);
  expect(() => open()).toThrow(`encrypted with the key ${name}, and no key was given`);
  const other = keyOf();
  const wrong = new KeyRing([other]).writingName;
  expect(() => open(deviceWith(other))).toThrow(`${name}, and the keys given are ${wrong}`);
  open(deviceWith(other, key)).lock.release();
  open(deviceWith(key)).lock.release();
});

test('what is written after a new key is written with it, and both are read', () => {
  const [old, fresh] = [keyOf(), keyOf()];
  const folder = newFolder();
  fileOf(folder, 1, [[putRecord(1)]]).close();
  fileOf(folder, 2, [[putRecord(2)]], deviceWith(old)).close();
  const both = deviceWith(fresh, old);
  fileOf(folder, 3, [[putRecord(3)]], both).close();
  for (const number of [1, 2, 3]) {
    expect(contentOf(folder, number, both)[0]).toMatch(new RegExp(`^key ${number}=value`));
  }
  const { keys } = both;
  const stale = [1, 2, 3].map((number) => {
    const scan = new FileScan(both, logPath(folder, number));
    scan.close();
    return keys?.isStale(scan.header?.keyId ?? new Uint8Array(16));
  });
  expect(stale).toEqual([true, true, false]);
  expect(() => contentOf(folder, 3, deviceWith(old))).toThrow(/is encrypted with the key/);
});

test('every change of a block is found, that of a header included, by the tag alone', () => {
  const cipher = new FileCipher(keyOf(), random.bytes(32));
  const bytes = random.bytes(32 + 64 + TAG_BYTES);
  const plain = bytes.slice(32, 96);
  cipher.seal(bytes, 0, 32, 96, 7);
  expect(cipher.open(bytes, 0, 32, bytes.length, 7)).toEqual(Buffer.from(plain));
  expect(cipher.open(bytes, 0, 32, bytes.length, 8)).toBeUndefined();
  for (let at = 4; at < bytes.length; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    expect(cipher.open(bytes, 0, 32, bytes.length, 7), `byte ${at}`).toBeUndefined();
    bytes[at] = readBack(bytes, at, cipher);
  }
});

/** The byte that makes the block whole again. */
function readBack(bytes: Uint8Array, at: number, cipher: FileCipher): number {
  const changed = bytes[at] ?? 0;
  for (let bit = 0; bit < 8; bit++) {
    bytes[at] = changed ^ (1 << bit);
    if (cipher.open(bytes, 0, 32, bytes.length, 7) !== undefined) return changed ^ (1 << bit);
  }
  throw new Error('no bit was flipped');
}

test('damage of an encrypted log is found and salvaged with its key', () => {
  const key = keyOf();
  const device = deviceWith(key);
  const log = new LogRig({ device, fileBytes: 4000 });
  for (let n = 0; n < 60; n++) {
    log.rig.set(`key ${n}`, 'secret'.repeat(20));
    log.writer.round();
  }
  expect(log.writer.close()).toBe(true);
  const path = logPath(log.folder, 2);
  const bytes = readFileSync(path);
  bytes[FILE_HEADER_BYTES + 40] = (bytes[FILE_HEADER_BYTES + 40] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const conditions = () => reportOn(device, log.folder).surveys.map(({ condition }) => condition);
  expect(conditions()[1]).toBe('damaged');
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  const { files } = salvageFolder({ device, clock, random }, log.folder);
  expect(files).toHaveLength(1);
  expect(files[0]?.keptRecords).toBeGreaterThan(10);
  expect(conditions().every((condition) => condition === 'whole')).toBe(true);
  const into = readFileSync(join(log.folder, files[0]?.into ?? ''));
  expect(into.includes('secret')).toBe(false);
});
