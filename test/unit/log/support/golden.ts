/**
 * A log whose bytes are always the same. `golden/format-1` and `format-1-encrypted` hold them as
 * they were when format 1 was made: code that can't read them any more, or writes others, has
 * changed the format.
 */
import { type Device, systemDevice } from '../../../../src/log/device.js';
import { replaceManifest } from '../../../../src/log/folder.js';
import { logName, MANIFEST } from '../../../../src/log/names.js';
import type { LogRecord } from '../../../../src/log/record.js';
import { fileOf, headerOf, putRecord, START_MS, versionAt } from './files.js';

/** A remove, a clear, a value with an expiry, an empty one, one longer than a block. */
const SPECIAL: readonly LogRecord[] = [
  { ...putRecord(3, 0), kind: 'remove', encoding: 0 },
  {
    kind: 'clear',
    encoding: 0,
    version: versionAt(START_MS + 5000),
    expiryMs: 0,
    key: new Uint8Array(0),
    value: new Uint8Array(0),
  },
  { ...putRecord(6000), expiryMs: START_MS + 86_400_000, encoding: 2 },
  putRecord(6001, 0),
  putRecord(6002, 20_000),
];

const BLOCKS = [[putRecord(1), putRecord(2, 100), putRecord(3)], [putRecord(4, 7)]];

/** The key of the golden log that is encrypted. */
export const GOLDEN_KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 5 + 1);

/** Writes the golden log into a folder; the names of its files. */
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
