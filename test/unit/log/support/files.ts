/** Log files for tests, made by the code that makes them in a node. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Device, systemDevice } from '../../../../src/log/device.js';
import type { FileHeader, Purpose } from '../../../../src/log/fileHeader.js';
import { FileScan } from '../../../../src/log/fileScan.js';
import { LogFile } from '../../../../src/log/logFile.js';
import { logPath } from '../../../../src/log/names.js';
import { encodeRecord, type LogRecord } from '../../../../src/log/record.js';
import { scanBlocks } from '../../../../src/log/survey.js';

/** The time that versions in tests start from, Unix ms. */
export const START_MS = 1_750_000_000_000;

const folders: string[] = [];

/** Files in memory, where there are such: these tests sync thousands of times. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A fresh folder, removed after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(PLACE, 'orlop-log-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The version of a write at `timeMs`. */
export const versionAt = (timeMs: number): bigint => BigInt(timeMs) << 22n;

/** A record of a key `n` with a value that tells it from others. */
export function putRecord(n: number, valueBytes = 20, timeMs = START_MS + n): LogRecord {
  const value = Buffer.alloc(valueBytes, `value ${n} `);
  const key = Buffer.from(`key ${n}`);
  return { kind: 'put', encoding: 1, version: versionAt(timeMs), expiryMs: 0, key, value };
}

/** A header that is the same each time. */
export function headerOf(number: number, purpose: Purpose = 'feed'): FileHeader {
  const node = Uint8Array.from({ length: 16 }, (_, index) => index);
  const salt = Uint8Array.from({ length: 32 }, (_, index) => (number * 31 + index * 7) & 0xff);
  return { purpose, number, node, salt, keyId: new Uint8Array(16), madeMs: START_MS };
}

/** A new file with blocks of these records, flushed but not ended. */
export function fileOf(
  folder: string,
  number: number,
  blocks: readonly (readonly LogRecord[])[],
  device: Device = systemDevice,
  purpose: Purpose = 'feed',
): LogFile {
  const file = LogFile.create(device, folder, headerOf(number, purpose));
  for (const records of blocks) {
    for (const record of records) file.add(encodeRecord(record));
    file.closeBlock();
  }
  file.flush();
  return file;
}

/** What a file holds up to where it is whole: keys in order, and how the scan ended. */
export function readKeys(
  folder: string,
  number: number,
): { keys: string[]; ended: string; next: number; problem: string } {
  const scan = new FileScan(systemDevice, logPath(folder, number));
  const keys: string[] = [];
  scanBlocks(scan, (walk) => {
    while (walk.next()) if (walk.kind !== 'summary') keys.push(Buffer.from(walk.key()).toString());
  });
  scan.close();
  return { keys, ended: String(scan.ended), next: scan.next, problem: scan.problem };
}
