import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type AsyncDevice, systemAsyncDevice } from '../../../src/log/asyncDevice.js';
import { encryptedDevice } from '../../../src/log/device.js';
import { KEY_BYTES, KeyRing, NO_KEYS } from '../../../src/log/keys.js';
import { BLOCK_BYTES, LogFile } from '../../../src/log/logFile.js';
import { logPath } from '../../../src/log/names.js';
import { encodeRecord } from '../../../src/log/record.js';
import { RecordReader, type Sought } from '../../../src/log/recordReader.js';
import { headerOf, newFolder } from './support/files.js';

interface Written {
  readonly folder: string;
  readonly sought: readonly Sought[];
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

const valueFor = (n: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + n) & 0xff);

/** A log file with one record for each length; what to ask for to read them. */
function write(
  folder: string,
  number: number,
  lengths: readonly number[],
  keys = NO_KEYS,
): Written {
  const file = LogFile.create(encryptedDevice(keys), folder, headerOf(number));
  const sought: Sought[] = [];
  file.onRecord = (walk, offset) => {
    const { valueLength: length } = walk;
    const key = walk.key().slice();
    sought.push({ file: number, offset, key, version: walk.version(), length });
  };
  lengths.forEach((length, n) => {
    const fields = { kind: 'put', encoding: 0, version: BigInt(n + 7), expiryMs: 0 } as const;
    const key = Buffer.from(`key ${n}`);
    file.add(encodeRecord({ ...fields, key, value: valueFor(n, length) }));
  });
  file.onRecord = undefined;
  file.finish();
  file.close();
  return { folder, sought };
}

function open(
  folder: string,
  device: AsyncDevice = systemAsyncDevice,
  keys = NO_KEYS,
): RecordReader {
  return new RecordReader({ device, folder, keys });
}

const read = (reader: RecordReader, sought: Sought | undefined): Promise<Uint8Array | undefined> =>
  sought === undefined ? Promise.reject(new Error('none')) : reader.read(sought, (v) => v.slice());

test('reads each record of a file, short and long ones', async () => {
  const lengths = [256, 1000, 1, 16_000, BLOCK_BYTES, 70_000, 300, 1 << 20, 256];
  const { folder, sought } = write(newFolder(), 3, lengths);
  expect(sought).toHaveLength(lengths.length);
  const reader = open(folder);
  const values = await Promise.all(sought.map((each) => read(reader, each)));
  values.forEach((value, n) => {
    const wanted = valueFor(n, lengths[n] ?? 0);
    expect([n, Buffer.compare(value ?? Buffer.of(), wanted)]).toEqual([n, 0]);
  });
  reader.close();
});

test('reads what is encrypted, with the right key alone', async () => {
  const keyOf = (byte: number): Uint8Array => new Uint8Array(KEY_BYTES).fill(byte);
  const lengths = [256, BLOCK_BYTES, 70_000, 300];
  const { folder, sought } = write(newFolder(), 3, lengths, new KeyRing([keyOf(1)]));
  const reader = open(folder, systemAsyncDevice, new KeyRing([keyOf(2), keyOf(1)]));
  for (const [n, each] of sought.entries()) {
    const value = (await read(reader, each)) ?? Buffer.of();
    expect([n, Buffer.compare(value, valueFor(n, lengths[n] ?? 0))]).toEqual([n, 0]);
  }
  reader.close();
  for (const keys of [NO_KEYS, new KeyRing([keyOf(2)])]) {
    await expect(read(open(folder, systemAsyncDevice, keys), sought[0])).rejects.toThrow('key');
  }
});

test('reads what is not ended and still grows', async () => {
  const folder = newFolder();
  const file = LogFile.create(encryptedDevice(NO_KEYS), folder, headerOf(1));
  let offset = 0;
  file.onRecord = (_, at) => {
    offset = at;
  };
  const key = Buffer.from('key');
  for (let n = 0; n < 3; n++) {
    const fields = { kind: 'put', encoding: 0, version: BigInt(n), expiryMs: 0 } as const;
    file.add(encodeRecord({ ...fields, key, value: valueFor(n, 500) }));
    file.flush();
    const reader = open(folder);
    const value = await read(reader, { file: 1, offset, key, version: BigInt(n), length: 500 });
    expect(value).toEqual(valueFor(n, 500));
    reader.close();
  }
  file.close();
});

test('finds nothing for another key, version, length or block', async () => {
  const { folder, sought } = write(newFolder(), 1, [400, 400, 20_000, 400]);
  const reader = open(folder);
  const [first] = sought;
  if (first === undefined) throw new Error('nothing was written');
  for (const wrong of [
    { key: Buffer.from('key 1') },
    { version: 8n },
    { length: 401 },
    { length: 20_000 },
    { offset: sought[2]?.offset ?? 0 },
    { offset: first.offset + 8 },
    { offset: 8 },
    { offset: 1 << 30 },
  ]) {
    expect(await read(reader, { ...first, ...wrong })).toBeUndefined();
  }
  expect(await read(reader, first)).toEqual(valueFor(0, 400));
  reader.close();
});

test('a changed bit anywhere in the block is found', async () => {
  const { folder, sought } = write(newFolder(), 1, [300]);
  const [first] = sought;
  const at = first?.offset ?? 0;
  for (let byte = at; byte < at + 32 + 340; byte += 7) {
    flipByte(logPath(folder, 1), byte);
    const reader = open(folder);
    expect(await read(reader, first)).toBeUndefined();
    reader.close();
    flipByte(logPath(folder, 1), byte);
  }
  const reader = open(folder);
  expect(await read(reader, first)).toEqual(valueFor(0, 300));
  reader.close();
});

test('a file that is cut off, of another number, or no log file has nothing', async () => {
  const { folder, sought } = write(newFolder(), 1, [300, 300]);
  renameSync(logPath(folder, 1), logPath(folder, 2));
  const reader = open(folder);
  const [first] = sought;
  if (first === undefined) throw new Error('nothing was written');
  expect(await read(reader, { ...first, file: 2 })).toBeUndefined();
  renameSync(logPath(folder, 2), logPath(folder, 1));
  truncateSync(logPath(folder, 1), first.offset + 100);
  expect(await read(reader, first)).toBeUndefined();
  truncateSync(logPath(folder, 1), 20);
  reader.close();
  expect(await read(reader, first)).toBeUndefined();
});

test('a file that is gone is an error, and is looked for again', async () => {
  const folder = newFolder();
  const reader = open(folder);
  const sought = { file: 1, offset: 128, key: Buffer.from('key 0'), version: 7n, length: 300 };
  await expect(read(reader, sought)).rejects.toMatchObject({ code: 'ENOENT' });
  write(folder, 1, [300]);
  expect(await read(reader, sought)).toEqual(valueFor(0, 300));
  // One that is open is still there.
  rmSync(logPath(folder, 1));
  expect(await read(reader, sought)).toEqual(valueFor(0, 300));
  reader.tidy();
  expect(await read(reader, sought)).toEqual(valueFor(0, 300));
  reader.tidy();
  reader.tidy();
  await expect(read(reader, sought)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('opens a file once for many reads, and closes those that are too many', async () => {
  const folder = newFolder();
  let opened = 0;
  let closed = 0;
  const device: AsyncDevice = {
    async openToRead(path) {
      opened++;
      const file = await systemAsyncDevice.openToRead(path);
      const close = (): void => {
        closed++;
        file.close();
      };
      return { read: (bytes, length, offset) => file.read(bytes, length, offset), close };
    },
  };
  const reader = open(folder, device);
  const all = Array.from({ length: 100 }, (_, n) => write(folder, n + 1, [300]).sought[0]);
  await Promise.all(Array.from({ length: 20 }, () => read(reader, all[0])));
  expect(opened).toBe(1);
  for (const sought of all) expect(await read(reader, sought)).toEqual(valueFor(0, 300));
  expect(opened).toBe(100);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(closed).toBe(100 - 64);
  reader.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(closed).toBe(100);
});
