import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instantiateCore } from '../../../src/arena/core.js';
import { createMemory, loadCore } from '../../../src/arena/wasm.js';
import { systemAsyncDevice } from '../../../src/log/asyncDevice.js';
import { BackupReader } from '../../../src/log/backupReader.js';
import { BLOCK_HEADER_BYTES, openBlock, sealBlock } from '../../../src/log/block.js';
import { checksum } from '../../../src/log/checksum.js';
import { type Device, encryptedDevice, systemDevice } from '../../../src/log/device.js';
import {
  decodeFileHeader,
  encodeFileHeader,
  FILE_HEADER_BYTES,
  seedOf,
} from '../../../src/log/fileHeader.js';
import { FileScan } from '../../../src/log/fileScan.js';
import { readManifest } from '../../../src/log/folder.js';
import { NO_KEYS } from '../../../src/log/keys.js';
import { decodeManifest, encodeManifest } from '../../../src/log/manifest.js';
import { logPath } from '../../../src/log/names.js';
import {
  encodeRecord,
  KIND,
  type LogRecord,
  RECORD_HEADER_BYTES,
  RecordWalk,
} from '../../../src/log/record.js';
import { RecordReader, type Sought } from '../../../src/log/recordReader.js';
import { reportOn } from '../../../src/log/report.js';
import { SUMMARY_BYTES, Summary } from '../../../src/log/summary.js';
import { scanBlocks } from '../../../src/log/survey.js';
import { fileOf, headerOf, newFolder, putRecord, START_MS, versionAt } from './support/files.js';
import {
  GOLDEN_ITEMS,
  GOLDEN_KEYS,
  goldenPath,
  makeGolden,
  makeGoldenBackup,
  makeGoldenCompacted,
} from './support/golden.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('the checksum is CRC32C', () => {
  expect(checksum(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(checksum(Buffer.from('56789'), checksum(Buffer.from('1234')))).toBe(0xe3069283);
});

test('a file header lies as it is drawn', () => {
  const header = headerOf(7, 'compacted');
  const bytes = encodeFileHeader({ ...header, keyId: new Uint8Array(16).fill(0xee) });
  const view = new DataView(bytes.buffer);
  expect(bytes.length).toBe(FILE_HEADER_BYTES);
  expect(Buffer.from(bytes.subarray(0, 8)).toString()).toBe('ORLOPLOG');
  expect(view.getUint16(8, true)).toBe(1);
  expect(view.getUint16(10, true)).toBe(1);
  expect(view.getUint32(12, true)).toBe(7);
  expect(hex(bytes.subarray(16, 32))).toBe(hex(header.node));
  expect(hex(bytes.subarray(32, 64))).toBe(hex(header.salt));
  expect(hex(bytes.subarray(64, 80))).toBe('ee'.repeat(16));
  expect(Number(view.getBigUint64(80, true))).toBe(START_MS);
  expect(hex(bytes.subarray(88, 124))).toBe('00'.repeat(36));
  expect(view.getUint32(124, true)).toBe(checksum(bytes.subarray(0, 124)));
  expect(seedOf(bytes)).toBe(view.getUint32(124, true));
  expect(decodeFileHeader(bytes)).toEqual({ ...header, keyId: new Uint8Array(16).fill(0xee) });
});

test('a damaged file header is told from a foreign one and from one of another format', () => {
  const bytes = encodeFileHeader(headerOf(7));
  for (let at = 8; at < FILE_HEADER_BYTES; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(decodeFileHeader(damaged)).toBe("the file's header is damaged");
  }
  expect(decodeFileHeader(bytes.subarray(0, 127))).toMatch(/only 127 bytes/);
  expect(decodeFileHeader(new Uint8Array(128))).toBe('this is no log file');
  const view = new DataView(bytes.buffer);
  view.setUint16(8, 2, true);
  view.setUint32(124, seedOf(bytes), true);
  expect(decodeFileHeader(bytes)).toBe('the file has format 2; this version reads 1');
});

test('a record lies as it is drawn', () => {
  const bytes = encodeRecord({
    kind: 'put',
    encoding: 2,
    version: 0x0123456789abcdefn,
    expiryMs: START_MS,
    key: Buffer.from('key'),
    value: Buffer.from('value'),
  });
  const view = new DataView(bytes.buffer);
  expect(view.getUint32(0, true)).toBe(40);
  expect([bytes[4], bytes[5]]).toEqual([1, 2]);
  expect(view.getUint16(6, true)).toBe(3);
  expect(view.getBigUint64(8, true)).toBe(0x0123456789abcdefn);
  expect(Number(view.getBigUint64(16, true))).toBe(START_MS);
  expect(view.getUint32(24, true)).toBe(5);
  expect(view.getUint32(28, true)).toBe(0);
  expect(Buffer.from(bytes.subarray(32)).toString()).toBe('keyvalue');
});

test('a record is what the feed of the core holds', () => {
  const core = instantiateCore(loadCore('release'), createMemory(1));
  expect(core.constant('RECORD_HEADER_BYTES')).toBe(RECORD_HEADER_BYTES);
  expect(core.constant('RECORD_PUT')).toBe(KIND.put);
  expect(core.constant('RECORD_REMOVE')).toBe(KIND.remove);
  expect(core.constant('RECORD_CLEAR')).toBe(KIND.clear);
  expect(core.constant('RECORD_FILLER')).toBe(0);
});

test('a walk over records believes nothing', () => {
  const records = [putRecord(1), putRecord(2, 0), putRecord(3, 1000)].map(encodeRecord);
  const bytes = new Uint8Array(Buffer.concat(records));
  const walk = new RecordWalk();
  const steps = (of: Uint8Array): number => {
    let count = 0;
    walk.reset(of, 0, of.length);
    while (walk.next()) count++;
    return count;
  };
  expect(steps(bytes)).toBe(3);
  expect(walk.problem).toBeUndefined();
  const ends = [64, 64 + 40];
  for (let end = 8; end < bytes.length; end += 8) {
    expect(steps(bytes.subarray(0, end))).toBe(ends.filter((whole) => whole <= end).length);
    expect(walk.problem === undefined).toBe(ends.includes(end));
  }
  for (const [at, value] of [
    [4, 0],
    [4, 99],
    [0, 44],
    [0, 56],
    [6, 200],
    [27, 0xff],
  ] as const) {
    const broken = bytes.slice();
    broken[at] = value;
    expect(steps(broken)).toBe(0);
    expect(walk.problem).toMatch(/record/);
  }
});

test('a block lies as it is drawn', () => {
  const record = encodeRecord(putRecord(1));
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES + record.length);
  bytes.set(record, BLOCK_HEADER_BYTES);
  const header = { bytes: record.length, number: 5, synced: 4096, records: 1, flags: 1 };
  sealBlock(bytes, 0, header, 0xcafe, 8192);
  const view = new DataView(bytes.buffer);
  expect(view.getUint32(0, true)).toBe(checksum(bytes.subarray(4), 0xcafe ^ 8192));
  expect(Buffer.from(bytes.subarray(4, 8)).toString()).toBe('OBLK');
  expect(view.getUint32(8, true)).toBe(record.length);
  expect(view.getUint32(12, true)).toBe(5);
  expect(view.getUint32(16, true)).toBe(4096);
  expect(view.getUint32(20, true)).toBe(1);
  expect(view.getUint16(24, true)).toBe(1);
  expect(hex(bytes.subarray(26, 32))).toBe('00'.repeat(6));
  expect(openBlock(bytes, 0, 0xcafe, 8192)).toEqual(header);
  expect(openBlock(bytes, 0, 0xcafe, 8200)).toBe('the checksum of the block is wrong');
  expect(openBlock(bytes, 0, 0xcaff, 8192)).toBe('the checksum of the block is wrong');
});

test('a summary counts what is in a file, and is read back', () => {
  const folder = newFolder();
  const clear = { ...putRecord(9, 0), kind: 'clear', key: new Uint8Array(0) } as const;
  const removal = { ...putRecord(4, 0), kind: 'remove' } as const;
  const file = fileOf(folder, 1, [
    [putRecord(2), putRecord(7)],
    [removal, clear],
  ]);
  const { summary } = file;
  const encoded = summary.encode();
  expect(encoded.length).toBe(SUMMARY_BYTES);
  for (const each of [summary, Summary.decode(encoded)]) {
    expect(each).toMatchObject({ records: 4, puts: 2, removes: 1, clears: 1, bytes: 168 });
    expect(each?.lowest).toBe(versionAt(START_MS + 2));
    expect(each?.highest).toBe(versionAt(START_MS + 9));
    expect(each?.cleared).toBe(versionAt(START_MS + 9));
    expect(each?.ages.bytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(168);
  }
  expect(Summary.decode(encoded.subarray(1))).toBeUndefined();
  const view = new DataView(encoded.buffer);
  expect([0, 4, 8, 12].map((at) => view.getUint32(at, true))).toEqual([4, 2, 1, 1]);
  expect(view.getBigUint64(16, true)).toBe(168n);
  expect(view.getBigUint64(24, true)).toBe(versionAt(START_MS + 2));
  expect(view.getBigUint64(32, true)).toBe(versionAt(START_MS + 9));
  expect(view.getBigUint64(40, true)).toBe(versionAt(START_MS + 9));
  expect(Number(view.getBigUint64(48, true))).toBe(START_MS + 2);
  file.close();
});

test('a manifest is text that nobody changes by accident', () => {
  const manifest = {
    node: Uint8Array.from({ length: 16 }, (_, index) => index * 16),
    next: 9,
    floor: 77n,
    files: [{ number: 6, end: 1_048_576, summary: new Summary() }, { number: 8 }],
  };
  const text = encodeManifest(manifest);
  const summary = Buffer.from(new Summary().encode()).toString('base64');
  expect(text.split('\n')[0]).toBe(
    '{"format":1,"node":"00102030405060708090a0b0c0d0e0f0","next":9,"floor":"77",' +
      `"files":[{"number":6,"end":1048576,"summary":"${summary}"},{"number":8}]}`,
  );
  expect(decodeManifest(text)).toEqual(manifest);
  for (let at = 0; at < text.length; at++) {
    const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
    expect(decodeManifest(changed)).toBeTypeOf('string');
    expect(decodeManifest(text.slice(0, at))).toBeTypeOf('string');
  }
});

test('a manifest that says the impossible is refused', () => {
  const node = new Uint8Array(16);
  const refused = (next: number, number: number): unknown =>
    decodeManifest(encodeManifest({ node, next, floor: 0n, files: [{ number }] }));
  expect(refused(9, 8)).toBeTypeOf('object');
  expect(refused(8, 8)).toMatch(/impossible/);
  expect(refused(9, 0)).toMatch(/impossible/);
  expect(refused(0, 0)).toMatch(/no files/);
});

const encrypted = encryptedDevice(GOLDEN_KEYS);
const [ORDINARY, COMPACTED] = [
  [
    ['whole', 4, 0],
    ['torn', 4, 1],
  ],
  [
    ['whole', 4, 0],
    ['whole', 2, 1],
    ['torn', 3, 1],
  ],
];

test.each([
  ['format-1', systemDevice, makeGolden, ORDINARY],
  ['format-1-encrypted', encrypted, makeGolden, ORDINARY],
  ['format-1-compacted', systemDevice, makeGoldenCompacted, COMPACTED],
  ['format-1-compacted-encrypted', encrypted, makeGoldenCompacted, COMPACTED],
] as const)('the files of %s are written as they always were, and read', async (...row) => {
  const [golden, device, make, found] = row;
  const folder = newFolder();
  for (const name of make(folder, device)) {
    const bytes = readFileSync(goldenPath(`${golden}/${name}`));
    expect(hex(readFileSync(`${folder}/${name}`))).toBe(hex(bytes));
  }
  const { surveys } = reportOn(device, goldenPath(golden));
  const seen = surveys.map(({ condition, summary }) => [condition, summary.puts, summary.clears]);
  expect(seen).toEqual(found);
});

/** Where each value of a file lies, as a tier knows it. */
function placesIn(device: Device, folder: string, number: number, end?: number): Sought[] {
  const scan = new FileScan(device, logPath(folder, number), end);
  const places: Sought[] = [];
  scanBlocks(scan, (walk) => {
    while (walk.next()) {
      if (walk.kind !== 'put') continue;
      const [key, version] = [walk.key().slice(), walk.version()];
      places.push({ file: number, offset: scan.offset, key, version, length: walk.valueLength });
    }
  });
  scan.close();
  return places;
}

test.each([
  ['format-1-compacted', systemDevice, NO_KEYS],
  ['format-1-compacted-encrypted', encrypted, GOLDEN_KEYS],
] as const)('a tier reads the values of %s', async (golden, device, keys) => {
  const folder = goldenPath(golden);
  const reader = new RecordReader({ device: systemAsyncDevice, folder, keys });
  const { files } = readManifest(device, folder) ?? { files: [] };
  const places = files.flatMap(({ number, end }) => placesIn(device, folder, number, end));
  const values = await Promise.all(places.map((place) => reader.read(place, textOf)));
  const numbers = [1, 2, 3, 4, 5001, 5002, 6000, 6001, 6002];
  const lengths = [20, 100, 20, 7, 300, 1000, 20, 0, 20_000];
  const wanted = numbers.map((n, at) => textOf(putRecord(n, lengths[at]).value));
  expect(values).toEqual(wanted);
  reader.close();
});

test.each([
  ['format-1-backup.orlop', NO_KEYS],
  ['format-1-backup-encrypted.orlop', GOLDEN_KEYS],
] as const)('%s is written as it always was, and read', (golden, keys) => {
  const bytes = readFileSync(goldenPath(golden));
  expect(hex(makeGoldenBackup(keys))).toBe(hex(bytes));
  const found: LogRecord[] = [];
  const reader = new BackupReader(
    1 << 20,
    (walk) => {
      const { kind, encoding, expiryMs } = walk;
      const [key, value] = [walk.key().slice(), walk.value().slice()].map((part) => hex(part));
      found.push({ kind, encoding, expiryMs, version: walk.version(), key, value } as never);
    },
    keys,
  );
  reader.take(bytes);
  reader.finish();
  expect(found).toEqual(
    GOLDEN_ITEMS.map((item) => ({ ...item, key: hex(item.key), value: hex(item.value) })),
  );
});
