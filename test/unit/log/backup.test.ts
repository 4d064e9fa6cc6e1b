import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { BackupDamage, BackupReader } from '../../../src/log/backupReader.js';
import { BackupWriter } from '../../../src/log/backupWriter.js';
import { readWhole, systemDevice } from '../../../src/log/device.js';
import { logPath } from '../../../src/log/names.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { fileOf, newFolder, putRecord } from './support/files.js';
import { GOLDEN_ITEMS, GOLDEN_KEYS, makeGoldenBackup } from './support/golden.js';

const FILE = 'test/unit/log/backup.test.ts';

interface Item {
  readonly key: string;
  readonly value: string;
  readonly version: bigint;
  readonly expiryMs: number;
  readonly encoding: number;
}

function itemsOf(count: number, most: number): Item[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, n) => ({
    key: `key ${n}`,
    value: 'v'.repeat(random.below(most)),
    version: BigInt(n) + 1n,
    expiryMs: n % 3 === 0 ? 1_750_000_000_000 + n : 0,
    encoding: n % 3,
  }));
}

/** A backup of these items as one piece. */
function backupOf(items: readonly Item[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new BackupWriter(new Uint8Array(32).fill(7), 5, (bytes) => {
    pieces.push(bytes.slice());
  });
  for (const { key, value, ...fields } of items) {
    writer.put({ ...fields, kind: 'put' }, Buffer.from(key), Buffer.from(value));
  }
  expect(writer.items).toBe(items.length);
  writer.finish();
  return Buffer.concat(pieces);
}

/** What a reader finds in pieces of at most so many bytes. */
function read(bytes: Uint8Array, pieceBytes: number, maxBlockBytes = 1 << 30) {
  const items: Item[] = [];
  const reader = new BackupReader(maxBlockBytes, (walk) => {
    items.push({
      key: Buffer.from(walk.key()).toString(),
      value: Buffer.from(walk.value()).toString(),
      version: walk.version(),
      expiryMs: walk.expiryMs,
      encoding: walk.encoding,
    });
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.take(bytes.subarray(at, at + pieceBytes));
  }
  reader.finish();
  return { items, reader };
}

test.each([1, 7, 128, 4096, 1 << 20])('what goes in comes out, in pieces of %i bytes', (size) => {
  const items = itemsOf(400, size === 1 ? 200 : 3000);
  items.push({ ...itemsOf(1, 1)[0], key: 'long', value: 'x'.repeat(100_000) } as Item);
  const { items: found, reader } = read(backupOf(items), size);
  expect(found).toEqual(items);
  expect([reader.items, reader.skipped]).toEqual([items.length, 0]);
});

test('an empty backup is one, too', () => {
  expect(read(backupOf([]), 100).items).toEqual([]);
});

test('cut at any place, it is not complete', () => {
  const bytes = backupOf(itemsOf(20, 100));
  for (let end = 0; end < bytes.length; end++) {
    expect(() => read(bytes.subarray(0, end), 1000)).toThrow(/its end is missing/);
  }
  expect(() => read(Buffer.concat([bytes, Uint8Array.of(0)]), 1000)).toThrow(/behind its end/);
});

test('any bit that is wrong is found, and no record of its block is taken', () => {
  const items = itemsOf(300, 300);
  const bytes = backupOf(items);
  const random = seededRandom(seed);
  for (let run = 0; run < 2000; run++) {
    const wrong = bytes.slice();
    const at = random.below(wrong.length);
    wrong[at] = (wrong[at] ?? 0) ^ (1 << random.below(8));
    const found: string[] = [];
    const reader = new BackupReader(1 << 30, (walk) => found.push(walk.key().toString()));
    const readAll = (): void => {
      reader.take(wrong);
      reader.finish();
    };
    expect(readAll, replayLine(FILE)).toThrow(BackupDamage);
    expect(found.length).toBeLessThan(items.length);
  }
});

test('who has no key can check an encrypted backup, and not read it', () => {
  const bytes = makeGoldenBackup(GOLDEN_KEYS);
  const check = (backup: Uint8Array): number => {
    const nobody = (): never => {
      throw new Error('it was read');
    };
    const reader = new BackupReader(1 << 30, nobody, 'unopened');
    reader.take(backup);
    reader.finish();
    return reader.items;
  };
  expect(check(bytes)).toBe(GOLDEN_ITEMS.length);
  expect(() => read(bytes, 1000)).toThrow(/encrypted with the key/);
  for (let at = 0; at < bytes.length; at += 7) {
    const wrong = bytes.slice();
    wrong[at] = (wrong[at] ?? 0) ^ 4;
    expect(() => check(wrong)).toThrow(BackupDamage);
    expect(() => check(bytes.subarray(0, at))).toThrow(/its end is missing/);
  }
});

test('blocks that are too long are passed over, and their records counted', () => {
  const [first, , last] = itemsOf(3, 50) as [Item, Item, Item];
  const long = { ...first, key: 'long', value: 'x'.repeat(300_000) };
  for (const size of [999, 1 << 20]) {
    const { items, reader } = read(backupOf([first, long, last]), size, 100_000);
    expect(items).toEqual([first, last]);
    expect(reader.skipped).toBe(1);
  }
});

test('a file of a log is no backup', () => {
  const folder = newFolder();
  const file = fileOf(folder, 1, [[putRecord(1)]]);
  file.finish();
  file.close();
  const bytes = readWhole(systemDevice, logPath(folder, 1));
  expect(() => read(bytes, 1000)).toThrow(/a file of a log, not a backup/);
  expect(() => read(Buffer.from('{"an":"other file"}'.repeat(20)), 1000)).toThrow(/no log file/);
});
