/**
 * Logs and backups whose bytes are always the same. The folder `golden` holds them as they were
 * when format 1 was made: code that can't read them any more, or writes others, has changed the
 * format. What a tier reads are records of these files.
 */
import { fileURLToPath } from 'node:url';
import { BackupWriter } from '../../../../src/log/backupWriter.js';
import { type Device, systemDevice } from '../../../../src/log/device.js';
import { replaceManifest } from '../../../../src/log/folder.js';
import { KeyRing, NO_KEYS } from '../../../../src/log/keys.js';
import { logName, MANIFEST } from '../../../../src/log/names.js';
import type { LogRecord } from '../../../../src/log/record.js';
import { fileOf, headerOf, putRecord, START_MS, versionAt } from './files.js';

const clearAt = (timeMs: number): LogRecord => ({
  kind: 'clear',
  encoding: 0,
  version: versionAt(timeMs),
  expiryMs: 0,
  key: new Uint8Array(0),
  value: new Uint8Array(0),
});

/** A remove, a clear, a value with an expiry, an empty one, one longer than a block. */
const SPECIAL: readonly LogRecord[] = [
  { ...putRecord(3, 0), kind: 'remove', encoding: 0 },
  clearAt(START_MS + 5000),
  { ...putRecord(6000), expiryMs: START_MS + 86_400_000, encoding: 2 },
  putRecord(6001, 0),
  putRecord(6002, 20_000),
];

const BLOCKS = [[putRecord(1), putRecord(2, 100), putRecord(3)], [putRecord(4, 7)]];

/** The key of what is encrypted. */
export const GOLDEN_KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 5 + 1);
/** The ring of what is encrypted. */
export const GOLDEN_KEYS = new KeyRing([GOLDEN_KEY]);

/** The path of what is kept under a name. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
}

/** Writes a log with an ended file and one that is not into a folder; the names of its files. */
export function makeGolden(folder: string, device: Device = systemDevice): string[] {
  const ended = fileOf(folder, 1, BLOCKS, device);
  ended.finish();
  ended.close();
  const open = fileOf(folder, 2, [SPECIAL, [putRecord(7000)]], device);
  open.sync();
  open.close();
  const { node } = headerOf(1);
  replaceManifest(systemDevice, folder, {
    node,
    next: 3,
    floor: 0n,
    files: [{ number: 1 }, { number: 2 }],
  });
  return [MANIFEST, logName(1), logName(2)];
}

/**
 * Writes a log that was killed, started again and compacted: a file without an end, which the
 * manifest knows, one that others were compacted into, and the one that is being written.
 */
export function makeGoldenCompacted(folder: string, device: Device = systemDevice): string[] {
  const torn = fileOf(folder, 5, BLOCKS, device);
  const [end, summary] = [torn.length, torn.summary];
  torn.close();
  const kept = [[clearAt(START_MS + 4000), putRecord(5001, 300)], [putRecord(5002, 1000)]];
  const compacted = fileOf(folder, 8, kept, device, 'compacted');
  compacted.finish();
  compacted.close();
  fileOf(folder, 9, [SPECIAL], device).close();
  replaceManifest(systemDevice, folder, {
    node: headerOf(1).node,
    next: 10,
    floor: versionAt(START_MS + 4500),
    files: [{ number: 5, end, summary }, { number: 8 }, { number: 9 }],
  });
  return [MANIFEST, logName(5), logName(8), logName(9)];
}

/** Items that a backup has, and the bytes of one with all of them. */
export const GOLDEN_ITEMS: readonly LogRecord[] = [
  putRecord(1),
  { ...putRecord(2), expiryMs: 4_102_444_800_000, encoding: 2 },
  putRecord(3, 0),
  putRecord(4, 20_000),
  putRecord(5, 300),
];

/** The bytes of a backup. */
export function makeGoldenBackup(keys: KeyRing = NO_KEYS): Uint8Array {
  const pieces: Uint8Array[] = [];
  const { salt } = headerOf(0);
  const writer = new BackupWriter(salt, START_MS, (bytes) => void pieces.push(bytes.slice()), keys);
  for (const { key, value, ...fields } of GOLDEN_ITEMS) writer.put(fields, key, value);
  writer.finish();
  return new Uint8Array(Buffer.concat(pieces));
}
