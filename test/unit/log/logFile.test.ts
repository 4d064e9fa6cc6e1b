import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeOf } from '../../../src/base/errors.js';
import { LogDamage } from '../../../src/log/damage.js';
import { isFull, systemDevice } from '../../../src/log/device.js';
import { FILE_HEADER_BYTES } from '../../../src/log/fileHeader.js';
import { readManifest, replaceManifest } from '../../../src/log/folder.js';
import { AHEAD_BYTES, BLOCK_BYTES, LogFile } from '../../../src/log/logFile.js';
import { logPath } from '../../../src/log/names.js';
import { encodeRecord } from '../../../src/log/record.js';
import { stateOf } from '../../../src/log/report.js';
import { surveyFile } from '../../../src/log/survey.js';
import { type Call, FaultyDevice, type Plan } from './support/faultyDevice.js';
import { fileOf, headerOf, newFolder, putRecord, readKeys } from './support/files.js';

const KEYS = Array.from({ length: 40 }, (_, n) => `key ${n}`);

/** Does it again until the device has room, as a node does. */
function insist(work: () => void): number {
  for (let failures = 0; ; failures++) {
    try {
      work();
      return failures;
    } catch (error) {
      if (!isFull(error) || failures > 100_000) throw error;
    }
  }
}

/** Writes the forty keys in small flushes to a device that has its faults. */
function writeTo(folder: string, plan: Plan): FaultyDevice {
  const device = new FaultyDevice(systemDevice);
  const file = LogFile.create(device, folder, headerOf(1));
  device.plan = plan;
  for (let n = 0; n < KEYS.length; n++) {
    file.add(encodeRecord(putRecord(n, n * 37)));
    if (n % 3 === 2) insist(() => file.flush());
  }
  insist(() => file.finish());
  file.close();
  return device;
}

const whole = { keys: KEYS, ended: 'last' };

test('a write that fails for want of room at any call goes on where it stopped', () => {
  const folder = newFolder();
  const calls = writeTo(folder, () => undefined).calls.filter(({ name }) => name === 'write');
  expect(calls.length).toBeGreaterThan(10);
  for (let n = 1; n < calls.length; n++) {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const device = writeTo(folder, ({ name, indexOfName }) =>
        name === 'write' && indexOfName === n ? { code } : undefined,
      );
      expect(device.fired).toBe(1);
      expect(readKeys(folder, 1)).toMatchObject(whole);
    }
  }
});

test('a write that takes only a part, and then has no room, does so too', () => {
  const folder = newFolder();
  for (const short of [1, 7, 100, 4095]) {
    const device = writeTo(folder, ({ name, indexOfName }) => {
      if (name !== 'write') return undefined;
      return indexOfName % 3 === 1 ? { code: 'ENOSPC' } : { short };
    });
    expect(device.fired).toBeGreaterThan(KEYS.length / 3);
    expect(readKeys(folder, 1)).toMatchObject(whole);
  }
});

test('other errors are handed on, from every call', () => {
  for (const name of ['create', 'write', 'sync', 'syncFolder'] as const) {
    const folder = newFolder();
    const device = new FaultyDevice(systemDevice, (call) =>
      call.name === name ? { code: 'EIO' } : undefined,
    );
    expect(() => LogFile.create(device, folder, headerOf(1))).toThrow(/EIO/);
    expect(device.fired).toBe(1);
  }
  const file = LogFile.create(systemDevice, newFolder(), headerOf(1));
  file.close();
  file.add(encodeRecord(putRecord(1)));
  expect(() => file.flush()).toThrow(/EBADF/);
});

test('a device that takes nothing and says nothing is an error', () => {
  const device = new FaultyDevice(systemDevice);
  const file = LogFile.create(device, newFolder(), headerOf(1));
  device.plan = ({ name }) => (name === 'write' ? { short: 0 } : undefined);
  file.add(encodeRecord(putRecord(1)));
  expect(() => file.flush()).toThrow(/takes no bytes/);
  file.close();
});

test('blocks are closed when they are full, and know how far the file was synced', () => {
  const folder = newFolder();
  const file = LogFile.create(systemDevice, folder, headerOf(1));
  for (let n = 0; n < 1000; n++) file.add(encodeRecord(putRecord(n, 100)));
  file.flush();
  expect(file.flushed).toBe(true);
  expect(file.synced).toBeLessThan(file.length);
  file.sync();
  expect(file.synced).toBe(file.length);
  file.finish();
  file.close();
  const { blocks, summary, condition } = surveyFile(systemDevice, folder, { number: 1 }, false);
  expect(condition).toBe('whole');
  expect(summary.records).toBe(1000);
  expect(blocks - 1).toBe(Math.ceil(summary.bytes / (BLOCK_BYTES - (BLOCK_BYTES % 144))));
});

test('what is in the buffer counts as pending until it is written', () => {
  const file = LogFile.create(systemDevice, newFolder(), headerOf(1));
  const start = file.length;
  expect([file.pendingBytes, file.flushed]).toEqual([0, true]);
  file.add(encodeRecord(putRecord(1)));
  expect(file.pendingBytes).toBe(32 + 64);
  expect(file.flushed).toBe(false);
  file.flush();
  expect([file.pendingBytes, file.length]).toEqual([0, start + 96]);
  file.close();
});

/** A file that is written ahead, with three records that are synced. */
function aheadFile(folder: string, plan: Plan = () => undefined): LogFile {
  const file = LogFile.create(new FaultyDevice(systemDevice, plan), folder, headerOf(1), 1 << 20);
  for (let n = 0; n < 3; n++) {
    file.add(encodeRecord(putRecord(n)));
    file.flush();
    file.sync();
  }
  return file;
}

const sizeOf = (folder: string): number => statSync(logPath(folder, 1)).size;

test('zeros that are written ahead are nothing, and gone when the file is ended', () => {
  const folder = newFolder();
  const file = aheadFile(folder);
  const end = file.length;
  expect(end).toBe(FILE_HEADER_BYTES + 3 * 96);
  expect(sizeOf(folder)).toBe(FILE_HEADER_BYTES + 96 + AHEAD_BYTES);
  const torn = surveyFile(systemDevice, folder, { number: 1 }, true);
  expect(torn).toMatchObject({ condition: 'torn', end, rest: 0, problem: '' });
  expect(stateOf(torn)).toBe('whole, not ended');
  file.finish();
  file.close();
  expect(sizeOf(folder)).toBe(file.length);
  const ended = surveyFile(systemDevice, folder, { number: 1 }, false);
  expect(ended).toMatchObject({ condition: 'whole', rest: 0 });
  expect(ended.summary.records).toBe(3);
});

test('a file grows once in thousands of syncs when it is written ahead', () => {
  const folder = newFolder();
  const file = LogFile.create(systemDevice, folder, headerOf(1), 1 << 20);
  const sizes = new Set<number>();
  for (let n = 0; n < 6000; n++) {
    file.add(encodeRecord(putRecord(n)));
    file.flush();
    sizes.add(sizeOf(folder));
  }
  file.close();
  expect(file.length).toBeLessThan(1 << 20);
  expect(sizes.size).toBe(Math.ceil(file.length / AHEAD_BYTES));
  expect(sizeOf(folder)).toBeGreaterThanOrEqual(file.length);
  expect(sizeOf(folder)).toBeLessThanOrEqual(file.length + AHEAD_BYTES);
});

test('a file is not written ahead beyond the length that it may have', () => {
  const folder = newFolder();
  const file = LogFile.create(systemDevice, folder, headerOf(1), 1000);
  const sizes = Array.from({ length: 12 }, (_, n) => {
    file.add(encodeRecord(putRecord(n)));
    file.flush();
    return sizeOf(folder);
  });
  file.close();
  // Nine records of 96 bytes and the header come to 992.
  expect(sizes).toEqual([...Array(9).fill(1000), 1088, 1184, 1280]);
});

test('records are written without room for zeros, and with room for a part of them', () => {
  for (const fault of [{ code: 'ENOSPC' }, { code: 'EDQUOT' }, { short: 100 }, { short: 0 }]) {
    const folder = newFolder();
    const file = aheadFile(folder, ({ bytes }) => (bytes === AHEAD_BYTES ? fault : undefined));
    expect(sizeOf(folder)).toBeLessThan(FILE_HEADER_BYTES + 1000);
    expect(readKeys(folder, 1).keys).toEqual(['key 0', 'key 1', 'key 2']);
    file.finish();
    file.close();
    expect(readKeys(folder, 1)).toMatchObject({ keys: KEYS.slice(0, 3), ended: 'last' });
  }
  const broken = (call: Call): { code: string } | undefined =>
    call.bytes === AHEAD_BYTES ? { code: 'EIO' } : undefined;
  expect(() => aheadFile(newFolder(), broken)).toThrow(/EIO/);
});

test('a full device can end a file that was written ahead at the second try', () => {
  for (const name of ['truncate', 'write'] as const) {
    const folder = newFolder();
    let ending = false;
    let failed = false;
    const file = aheadFile(folder, (call) => {
      if (!ending || failed || call.name !== name) return undefined;
      failed = true;
      return { code: 'ENOSPC' };
    });
    ending = true;
    expect(() => file.finish()).toThrow(/ENOSPC/);
    file.finish();
    file.close();
    expect(readKeys(folder, 1)).toMatchObject({ keys: KEYS.slice(0, 3), ended: 'last' });
  }
});

test('zeros in the place of blocks that were on disk are damage', () => {
  const folder = newFolder();
  const file = aheadFile(folder);
  const end = file.length;
  file.close();
  const bytes = readFileSync(logPath(folder, 1));
  bytes.fill(0, end - 96);
  writeFileSync(logPath(folder, 1), bytes);
  // Where the file ends was written down: it is known to have been longer.
  const decided = surveyFile(systemDevice, folder, { number: 1, end }, false);
  expect(decided.condition).toBe('damaged');
  expect(surveyFile(systemDevice, folder, { number: 1 }, false).condition).toBe('damaged');
});

test('a manifest takes the place of the other whole, or not at all', () => {
  const folder = newFolder();
  const { node } = headerOf(1);
  expect(readManifest(systemDevice, folder)).toBeUndefined();
  const first = { node, next: 2, floor: 0n, files: [{ number: 1 }] };
  const second = { node, next: 3, floor: 0n, files: [{ number: 1 }, { number: 2 }] };
  replaceManifest(systemDevice, folder, first);
  const { calls } = ((device) => {
    replaceManifest(device, folder, first);
    return device;
  })(new FaultyDevice(systemDevice));
  for (let index = 0; index < calls.length; index++) {
    replaceManifest(systemDevice, folder, first);
    const device = new FaultyDevice(systemDevice, (call) =>
      call.index === index ? { code: 'EIO' } : undefined,
    );
    expect(() => replaceManifest(device, folder, second)).toThrow(/EIO/);
    const kept = readManifest(systemDevice, folder);
    expect(kept).toEqual(calls[index]?.name === 'syncFolder' ? second : first);
  }
  replaceManifest(systemDevice, folder, second);
  expect(readManifest(systemDevice, folder)).toEqual(second);
});

test('log files without a manifest, and a manifest that is damaged, are refused', () => {
  const folder = newFolder();
  fileOf(folder, 1, [[putRecord(1)]]).close();
  const refusal = (): unknown => {
    try {
      return readManifest(systemDevice, folder);
    } catch (error) {
      return error;
    }
  };
  expect(refusal()).toBeInstanceOf(LogDamage);
  expect(String(refusal())).toMatch(/the manifest is missing.*orlop log salvage/);
  replaceManifest(systemDevice, folder, { node: headerOf(1).node, next: 2, floor: 0n, files: [] });
  expect(codeOf(refusal())).toBeUndefined();
  const file = systemDevice.openToWrite(`${folder}/MANIFEST`);
  file.truncate(20);
  file.close();
  expect(String(refusal())).toMatch(/MANIFEST, offset 0: the manifest is not whole/);
});
