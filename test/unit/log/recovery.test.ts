import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { LogDamage } from '../../../src/log/damage.js';
import { systemDevice } from '../../../src/log/device.js';
import { readManifest } from '../../../src/log/folder.js';
import { logPath } from '../../../src/log/names.js';
import { reportOn } from '../../../src/log/report.js';
import { MIB, type Rig } from '../../model/support/rig.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { FLAG, STATUS } from '../../model/support/wire.js';
import { newFolder } from './support/files.js';
import { LogRig } from './support/logRig.js';
import { recoverRig } from './support/recovering.js';

const FILE = 'test/unit/log/recovery.test.ts';

/** What was last done to each key: its value, or nothing when it was deleted. */
type Oracle = Map<string, string | undefined>;

/** Where the oracle has this key, nothing expires. */
const ETERNAL = 'nothing expires';

/** Deeds of every kind on a few thousand keys; the oracle knows the newest of each. */
function work(log: LogRig, oracle: Oracle, steps: number, keys: number, valueBytes: number): void {
  const random = seededRandom(seed);
  for (let step = 0; step < steps; step++) {
    const rig = log.rigs[random.below(log.rigs.length)] as Rig;
    const key = `key ${random.below(keys)}`;
    const deed = random.below(100);
    const value = `${step} `.padEnd(random.below(2 * valueBytes), `${key} `);
    if (deed < 80) {
      expect(rig.set(key, value).status).toBe(STATUS.OK);
      oracle.set(key, value);
    } else if (deed < 95) {
      rig.delete(key);
      oracle.set(key, undefined);
    } else if (deed < 96) {
      // With a clock that is set back, what has expired lives again.
      const lives = oracle.has(ETERNAL);
      rig.set(key, value, lives ? {} : { ttlMs: 1 + random.below(20) });
      oracle.set(key, lives ? value : undefined);
    } else if (step === Math.floor(steps / 3)) {
      rig.clear();
      for (const each of oracle.keys()) oracle.set(each, undefined);
    }
    if (random.below(50) === 0) log.writer.round();
    if (random.below(10) === 0) for (const each of log.rigs) each.nowMs += random.below(5);
  }
  log.writer.round();
}

/** Every key is at its newest value or absent; how many are there. */
function check(rig: Rig, oracle: Oracle): number {
  let present = 0;
  for (const [key, value] of oracle) {
    const found = rig.get(key);
    if (found === undefined) continue;
    present++;
    expect(found, `${key}\n${replayLine(FILE)}`).toBe(value);
  }
  return present;
}

const living = (oracle: Oracle): number =>
  [...oracle.values()].filter((value) => value !== undefined).length;

test('everything comes back when there is room for it', async () => {
  const log = new LogRig({ lanes: 3, fileBytes: 100_000, fsync: 'never' });
  const oracle: Oracle = new Map();
  work(log, oracle, 8000, 600, 200);
  const nowMs = log.rig.nowMs + 1000;
  const options = { folder: log.folder, memoryBytes: 16 * MIB, nowMs };
  const { rig, recovered, opened, stores } = await recoverRig({
    ...options,
    random: seededRandom(seed),
  });
  expect(opened.files.length).toBeGreaterThan(5);
  expect(check(rig, oracle)).toBe(living(oracle));
  expect(recovered).toMatchObject({ sinceMs: 0, refused: 0, files: opened.files.length });
  expect(stores).toBe(1);
  expect(recovered.records).toBe(log.signals.figure('records'));
});

test('of data of four times the memory the newest comes back, and nothing old', async () => {
  const memoryBytes = 8 * MIB;
  const log = new LogRig({ lanes: 2, fileBytes: 500_000, fsync: 'never', memoryBytes });
  const oracle: Oracle = new Map();
  work(log, oracle, 54_000, 24_000, 1000);
  const nowMs = log.rig.nowMs + 1000;
  const { rig, recovered, opened } = await recoverRig({
    folder: log.folder,
    memoryBytes,
    nowMs,
    random: seededRandom(seed),
  });
  const bytes = opened.files.reduce((sum, file) => sum + file.bytes, 0);
  expect(bytes).toBeGreaterThan(4 * memoryBytes);
  const present = check(rig, oracle);
  expect(recovered.sinceMs).toBeGreaterThan(0);
  const { itemBytes } = recovered.store.stats();
  expect(itemBytes).toBeGreaterThan(memoryBytes * 0.55);
  expect(present).toBeGreaterThan(1500);
  const newest = [...oracle].slice(-1000).filter(([, value]) => value !== undefined);
  expect(newest.length).toBeGreaterThan(100);
}, 60_000);

test('a clock that was set back makes no new write lose', async () => {
  const log = new LogRig({ fsync: 'never' });
  log.rig.set('kept', 'old');
  log.rig.set('gone', 'old');
  log.rig.delete('gone');
  log.rig.set('cleared', 'old');
  log.rig.clear();
  log.rig.set('after', 'old');
  log.writer.round();
  const nowMs = log.rig.nowMs - 288_000;
  const { rig } = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
  expect(['kept', 'gone', 'cleared', 'after'].map((key) => rig.get(key))).toEqual([
    undefined,
    undefined,
    undefined,
    'old',
  ]);
  const next = new LogRig({ rig, folder: log.folder, fsync: 'never' });
  for (const key of ['kept', 'gone', 'cleared', 'after', 'new']) {
    expect(rig.set(key, 'new').status).toBe(STATUS.OK);
    expect(rig.get(key)).toBe('new');
  }
  next.writer.round();
  const again = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
  for (const key of ['kept', 'gone', 'cleared', 'after', 'new']) {
    expect(again.rig.get(key)).toBe('new');
  }
});

test('whatever came before, after a clock was set back new writes are read and last', async () => {
  const memoryBytes = 8 * MIB;
  const log = new LogRig({ lanes: 3, fileBytes: 500_000, fsync: 'never', memoryBytes });
  const oracle: Oracle = new Map([[ETERNAL, undefined]]);
  work(log, oracle, 54_000, 24_000, 1000);
  const evicted = log.rig.arena.stats().evicted.policy;
  expect(evicted).toBeGreaterThan(10_000);
  const options = { folder: log.folder, memoryBytes, nowMs: log.rig.nowMs - 288_000 };
  const random = seededRandom(seed);
  const first = await recoverRig({ ...options, random });
  expect(check(first.rig, oracle)).toBeGreaterThan(1500);
  const next = new LogRig({ rig: first.rig, folder: log.folder, fsync: 'never' });
  [...oracle.keys()].forEach((key, n) => {
    if (n % 5 !== 0) return;
    first.rig.set(key, `new ${n}`);
    oracle.set(key, `new ${n}`);
    expect(first.rig.get(key), replayLine(FILE)).toBe(`new ${n}`);
    if (n % 10 === 0) {
      first.rig.delete(key);
      oracle.set(key, undefined);
    }
    if (n % 100 === 0) next.writer.round();
  });
  next.writer.round();
  for (let restart = 0; restart < 2; restart++) {
    const { rig } = await recoverRig({ ...options, random });
    expect(check(rig, oracle)).toBeGreaterThan(1500);
  }
}, 60_000);

test('a deleted key stays deleted through any number of restarts', async () => {
  const log = new LogRig({ fsync: 'never' });
  log.rig.set('key', '1');
  log.writer.round();
  let { nowMs } = log.rig;
  for (let start = 0; start < 5; start++) {
    nowMs += 1000;
    const { rig, opened } = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
    expect(opened.files.length).toBe(start + 1);
    expect(rig.get('key')).toBe(start === 0 ? '1' : undefined);
    const next = new LogRig({ rig, folder: log.folder, fsync: 'never' });
    if (start === 0) rig.delete('key');
    rig.set('other', `${start}`);
    next.writer.round();
    if (start === 3) expect(next.writer.close()).toBe(true);
  }
});

test('a key that was evicted and then deleted does not come back', async () => {
  const log = new LogRig({ memoryBytes: 7 * MIB, fsync: 'never' });
  log.rig.set('key', 'value');
  for (let n = 0; n < 10_000; n++) {
    log.rig.set(`other ${n}`, 'x'.repeat(1000));
    if (n % 100 === 0) log.writer.round();
  }
  expect(log.rig.delete('key').status).toBe(STATUS.NOT_FOUND);
  log.writer.round();
  const { nowMs } = log.rig;
  const { rig, recovered } = await recoverRig({ folder: log.folder, memoryBytes: 64 * MIB, nowMs });
  expect(recovered.sinceMs).toBe(0);
  expect(rig.get('other 0')).toHaveLength(1000);
  expect(rig.get('key')).toBeUndefined();
});

test('a value that expired does not give way to an older one, and times go on', async () => {
  const log = new LogRig({ fsync: 'never' });
  log.rig.set('a', 'forever');
  log.rig.set('a', 'short', { ttlMs: 500 });
  log.rig.set('b', 'v', { ttlMs: 5000 });
  log.writer.round();
  const nowMs = log.rig.nowMs + 1000;
  const { rig } = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
  expect(rig.get('a')).toBeUndefined();
  expect(rig.meta('b').ttlMs).toBe(4000);
  expect(rig.set('a', 'x', { flags: FLAG.IF_ABSENT }).status).toBe(STATUS.OK);
});

test('when values need more memory than thought, everything starts over with less', async () => {
  const memoryBytes = 6 * MIB;
  const log = new LogRig({ fileBytes: 500_000, fsync: 'never', memoryBytes, feedBytes: 4 * MIB });
  const oracle: Oracle = new Map();
  // Pages of 8 KiB: a value of 33 000 bytes takes five, a fifth more than it has.
  for (let n = 0; n < 600; n++) {
    log.rig.nowMs += 20;
    const value = `${n} `.padEnd(33_000, 'x');
    log.rig.set(`key ${n % 250}`, value);
    oracle.set(`key ${n % 250}`, value);
    log.writer.round();
  }
  const { nowMs } = log.rig;
  const { rig, stores } = await recoverRig({ folder: log.folder, memoryBytes, nowMs });
  expect(check(rig, oracle)).toBeGreaterThan(30);
  expect(rig.arena.stats().evicted).toEqual({ policy: 0, chain: 0, forced: 0 });
  expect(stores).toBeGreaterThanOrEqual(1);
});

test('values that the settings no longer allow are left out, and counted', async () => {
  const log = new LogRig({ fsync: 'never', maxValueBytes: 2 * MIB, feedBytes: 8 * MIB });
  log.rig.set('big', 'x'.repeat(1_500_000));
  log.rig.set('small', 'x');
  log.writer.round();
  const { nowMs } = log.rig;
  const { rig, recovered } = await recoverRig({
    folder: log.folder,
    memoryBytes: 16 * MIB,
    nowMs,
  });
  expect(recovered.refused).toBe(1);
  expect(rig.get('small')).toBe('x');
});

test('a torn tail is cut off, once', async () => {
  const log = new LogRig({ fsync: 'never' });
  for (let n = 0; n < 20; n++) {
    log.rig.set(`key ${n}`, 'v'.repeat(100));
    log.writer.round();
  }
  const path = logPath(log.folder, 1);
  const { length } = readFileSync(path);
  truncateSync(path, length - 15);
  const options = { folder: log.folder, memoryBytes: 16 * MIB, nowMs: log.rig.nowMs };
  const { rig, opened } = await recoverRig(options);
  expect(opened.cut).toMatchObject({ name: '0000000001.orlop', bytes: 176 - 15 });
  expect(rig.scan()).toHaveLength(19);
  expect(readFileSync(path)).toHaveLength(length - 176);
  const again = await recoverRig(options);
  expect(again.opened.cut).toBeUndefined();
  expect(again.rig.scan()).toHaveLength(19);
});

test('a damaged middle refuses the start, with file, offset and what to run', async () => {
  const log = new LogRig({ fileBytes: 3000 });
  for (let n = 0; n < 60; n++) {
    log.rig.set(`key ${n}`, 'v'.repeat(100));
    log.writer.round();
  }
  const files = readManifest(systemDevice, log.folder)?.files ?? [];
  expect(files.length).toBeGreaterThan(3);
  const options = { folder: log.folder, memoryBytes: 16 * MIB, nowMs: log.rig.nowMs };
  for (const { number } of [files[1], files.at(-1)] as { number: number }[]) {
    const path = logPath(log.folder, number);
    const bytes = readFileSync(path);
    bytes[300] = (bytes[300] ?? 0) ^ 4;
    writeFileSync(path, bytes);
    const refusal = recoverRig(options);
    await expect(refusal).rejects.toThrow(LogDamage);
    await expect(refusal).rejects.toThrow(
      new RegExp(`000000000${number}.orlop, offset (128|304): .*orlop log salvage ${log.folder}`),
    );
    bytes[300] = (bytes[300] ?? 0) ^ 4;
    writeFileSync(path, bytes);
  }
  expect((await recoverRig(options)).rig.scan()).toHaveLength(60);
});

test('files that are missing, foreign or of another node are refused', async () => {
  const log = new LogRig({ fileBytes: 3000 });
  for (let n = 0; n < 60; n++) {
    log.rig.set(`key ${n}`, 'v'.repeat(100));
    log.writer.round();
  }
  const options = { folder: log.folder, memoryBytes: 16 * MIB, nowMs: log.rig.nowMs };
  const path = logPath(log.folder, 2);
  const bytes = readFileSync(path);
  writeFileSync(path, 'something else');
  await expect(recoverRig(options)).rejects.toThrow(/only 14 bytes of the file's header/);
  writeFileSync(path, readFileSync(logPath(log.folder, 3)));
  await expect(recoverRig(options)).rejects.toThrow(/the file is number 3 of its log/);
  writeFileSync(path, bytes.subarray(0, 1000));
  await expect(recoverRig(options)).rejects.toThrow(LogDamage);
  systemDevice.remove(path);
  await expect(recoverRig(options)).rejects.toThrow(/the file is missing/);
});

test('what interrupted steps left behind is removed', async () => {
  const log = new LogRig({ fsync: 'never' });
  log.rig.set('key', 'v');
  log.writer.round();
  writeFileSync(logPath(log.folder, 77), 'half of a file');
  const options = { folder: log.folder, memoryBytes: 16 * MIB, nowMs: log.rig.nowMs };
  const { opened, rig } = await recoverRig(options);
  expect(opened.removed).toEqual(['0000000077.orlop']);
  expect(rig.get('key')).toBe('v');
  expect(reportOn(systemDevice, log.folder).strangers).toEqual([]);
});

test('an empty folder is a log without anything in it', async () => {
  const { rig, opened } = await recoverRig({
    folder: `${newFolder()}/new/one`,
    memoryBytes: 16 * MIB,
    nowMs: 1_750_000_000_000,
  });
  expect(opened.files).toEqual([]);
  expect(rig.scan()).toEqual([]);
});
