import { expect, test } from 'vitest';
import { DONE } from '../../../src/arena/lane.js';
import { seededRandom } from '../../../src/base/random.js';
import { systemDevice } from '../../../src/log/device.js';
import { readManifest } from '../../../src/log/folder.js';
import { Locator } from '../../../src/log/locator.js';
import { AHEAD_BYTES } from '../../../src/log/logFile.js';
import { reportOn } from '../../../src/log/report.js';
import { CLOSED, FAILED, FULL, RUNNING } from '../../../src/log/signals.js';
import { MIB, type Rig } from '../../model/support/rig.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { STATUS } from '../../model/support/wire.js';
import { type Call, FaultyDevice } from './support/faultyDevice.js';
import { newFolder } from './support/files.js';
import { LogRig, replay } from './support/logRig.js';

const FILE = 'test/unit/log/writer.test.ts';

/** Everything a reader can know of some keys. */
const told = (rig: Rig, keys: readonly string[]): unknown[] =>
  keys.map((key) => {
    const { status, version, ttlMs, value } = rig.meta(key);
    return [key, status, version, ttlMs, value === undefined ? '' : Buffer.from(value).toString()];
  });

test('what was done is in the files when the round is over', () => {
  const log = new LogRig();
  const { rig, signals, writer } = log;
  rig.set('a', '1');
  rig.set('b', '2', { ttlMs: 60_000 });
  rig.delete('a');
  rig.incr('n');
  const ticket = signals.ticket();
  expect(signals.isDurable(ticket)).toBe(false);
  expect(writer.round()).toBeGreaterThan(0);
  expect(signals.isDurable(ticket)).toBe(true);
  expect(signals.isDurable(signals.ticket())).toBe(false);
  const copy = replay(log.folder, rig.nowMs);
  expect(told(copy, ['a', 'b', 'n'])).toEqual(told(rig, ['a', 'b', 'n']));
  expect(signals.figure('records')).toBe(4);
  expect(signals.figure('syncs')).toBe(1);
});

test('who is told that a change lasts finds it counted', () => {
  const { rig, signals, writer } = new LogRig({ fileBytes: 10_000 });
  const counted: number[] = [];
  const finish = signals.finish.bind(signals);
  signals.finish = (round) => {
    counted.push(signals.figure('records'));
    finish(round);
  };
  for (let n = 1; n <= 30; n++) {
    rig.set(`key ${n}`, 'x'.repeat(1000));
    counted.length = 0;
    writer.round();
    // A file that ends in the round confirms once more.
    expect(new Set(counted)).toEqual(new Set([n]));
  }
  expect(signals.figure('files')).toBeGreaterThan(2);
});

test('where values lie is told as soon as they are written, and does not wait for the sync', () => {
  const order: string[] = [];
  const device = new FaultyDevice(systemDevice, ({ name, bytes }) => {
    // What is written ahead is zeros.
    if (name === 'sync' || (name === 'write' && bytes !== AHEAD_BYTES)) order.push(name);
    return undefined;
  });
  const push = (): boolean => order.push('told') > 0;
  const lane = { push, execute: () => DONE as typeof DONE, next: () => false };
  const locator = new Locator({ lane, grants: 0, nowMs: () => 0 });
  const { rig, writer } = new LogRig({ device, locator, feedBytes: 2 * MIB });
  order.length = 0;
  for (const key of ['a', 'b', 'c']) rig.set(key, Buffer.alloc(200_000, key));
  writer.round();
  expect(order).toEqual(['write', 'told', 'write', 'told', 'sync']);
});

test('a ticket of a round that had nothing to write becomes durable all the same', () => {
  const { signals, writer } = new LogRig();
  const ticket = signals.ticket();
  expect(writer.round()).toBe(0);
  expect(signals.isDurable(ticket)).toBe(true);
  expect(signals.figure('syncs')).toBe(0);
});

test('all lanes share a sync', () => {
  const { rigs, signals, writer } = new LogRig({ lanes: 3 });
  rigs.forEach((rig, lane) => {
    for (let n = 0; n < 10; n++) rig.set(`key ${lane} ${n}`, 'v');
  });
  writer.round();
  expect(signals.figure('syncs')).toBe(1);
  expect(signals.figure('records')).toBe(30);
});

test('under everysec a second passes between syncs, under never there are none', () => {
  const log = new LogRig({ fsync: 'everysec' });
  const { rig, signals, writer } = log;
  for (let ms = 0; ms < 5000; ms += 10) {
    log.clockMs = ms;
    rig.set('key', `${ms}`);
    writer.round();
  }
  expect(signals.figure('syncs')).toBe(4);
  expect(replay(log.folder, rig.nowMs).get('key')).toBe('4990');
  const lax = new LogRig({ fsync: 'never' });
  lax.rig.set('key', 'v');
  lax.clockMs = 10_000;
  lax.writer.round();
  expect(lax.signals.figure('syncs')).toBe(0);
  expect(lax.signals.isDurable(1)).toBe(false);
  expect(replay(lax.folder, lax.rig.nowMs).get('key')).toBe('v');
});

test('files are ended at their size, and the log is all of them', () => {
  const log = new LogRig({ fileBytes: 10_000, fsync: 'never' });
  const { rig, writer } = log;
  const keys = Array.from({ length: 300 }, (_, n) => `key ${n}`);
  for (const key of keys) {
    rig.set(key, key.repeat(20));
    writer.round();
  }
  expect(log.news.length).toBeGreaterThan(3);
  const before = reportOn(systemDevice, log.folder);
  expect(before.strangers).toEqual([]);
  expect(before.surveys.map(({ condition }) => condition).filter((c) => c !== 'whole')).toEqual([
    'torn',
  ]);
  expect(before.surveys.every(({ problem }) => problem === '')).toBe(true);
  expect(writer.close()).toBe(true);
  const after = reportOn(systemDevice, log.folder);
  expect(after.surveys.every(({ condition }) => condition === 'whole')).toBe(true);
  expect(told(replay(log.folder, rig.nowMs), keys)).toEqual(told(rig, keys));
  const bytes = after.surveys.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  expect(log.signals.figure('files')).toBe(after.surveys.length);
  expect(log.signals.figure('logBytes')).toBeLessThanOrEqual(bytes);
  expect(log.signals.state).toBe(CLOSED);
});

test('values of any size come through a small ring', () => {
  const log = new LogRig({ feedBytes: 1 << 20, fsync: 'never', fileBytes: 1 << 20 });
  const random = seededRandom(seed);
  const keys = new Set<string>();
  for (let n = 0; n < 400; n++) {
    const key = `key ${random.below(50)}`;
    const length = [random.below(50), random.below(2000), random.below(500_000)][n % 3] ?? 0;
    keys.add(key);
    log.rig.set(key, Buffer.alloc(length, `${n} `));
    if (random.below(2) === 0) log.writer.round();
  }
  log.writer.round();
  const copy = replay(log.folder, log.rig.nowMs);
  expect(told(copy, [...keys]), replayLine(FILE)).toEqual(told(log.rig, [...keys]));
});

/** Does the same things to a fresh log, over a device with the faults of `plan`. */
function scripted(plan: (call: Call) => { code: string } | { short: number } | undefined): {
  log: LogRig;
  device: FaultyDevice;
  confirmed: Map<string, string>;
} {
  const device = new FaultyDevice(systemDevice);
  const log = new LogRig({ device, fileBytes: 2000, folder: newFolder() });
  device.calls.length = 0;
  device.plan = plan;
  const confirmed = new Map<string, string>();
  for (let n = 0; n < 40; n++) {
    const key = `key ${n % 7}`;
    const value = `${n} `.repeat(20);
    log.rig.set(key, value);
    const ticket = log.signals.ticket();
    log.writer.round();
    if (log.signals.isDurable(ticket)) confirmed.set(key, value);
  }
  return { log, device, confirmed };
}

/** Every confirmed value, or a later one, is in the files. */
function expectKept(log: LogRig, confirmed: ReadonlyMap<string, string>): void {
  const copy = replay(log.folder, log.rig.nowMs);
  for (const [key, value] of confirmed) {
    const kept = copy.get(key);
    expect(Number.parseInt(kept ?? '-1', 10)).toBeGreaterThanOrEqual(Number.parseInt(value, 10));
  }
}

/** What a round of the script writes is shorter, as is the manifest. */
const RECORD_BYTES_MAX = 1000;
const isAt = (call: Call, index: number): boolean => call.index === index;

/** How many calls the script makes. */
const script = scripted(() => undefined).device.calls.length;

test('an error at any call ends all confirmation, and takes nothing back', () => {
  expect(script).toBeGreaterThan(100);
  for (let index = 0; index < script; index++) {
    let synced = false;
    const { log, device, confirmed } = scripted((call) => {
      if (synced && call.name === 'sync') throw new Error('synced again after an error');
      const hit = isAt(call, index);
      if (hit) synced = call.name === 'sync';
      return hit ? { code: 'EIO' } : undefined;
    });
    expect(device.fired).toBe(1);
    expect([log.writer.failed, log.signals.state]).toEqual([true, FAILED]);
    expect(log.rig.set('key', 'refused').status).toBe(STATUS.DISK_FAILED);
    expect(log.news.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
    expect(device.calls.length).toBe(index + 1);
    const ticket = log.signals.ticket();
    log.writer.round();
    expect(log.signals.isDurable(ticket)).toBe(false);
    expectKept(log, confirmed);
    expect(log.writer.close()).toBe(false);
    expect(device.calls.length).toBe(index + 1);
  }
});

test('a full device at any call is waited for, and nothing is lost', () => {
  for (let index = 0; index < script; index++) {
    let name = '';
    let noticed = ['full', 'room'];
    const { log, device } = scripted((call) => {
      if (!isAt(call, index)) return undefined;
      name = call.name;
      // Zeros that were to be written ahead are missed by nobody.
      if (call.bytes > RECORD_BYTES_MAX) noticed = [];
      return { code: 'ENOSPC' };
    });
    expect(device.fired).toBe(1);
    log.writer.round();
    expect([log.writer.full, log.signals.state], name).toEqual([false, RUNNING]);
    const news = log.news.map(({ kind }) => kind).filter((kind) => kind !== 'rotated');
    expect(news, name).toEqual(noticed);
    expect(log.signals.isDurable((log.signals.ticket() - 1) | 0)).toBe(true);
    const keys = Array.from({ length: 7 }, (_, n) => `key ${n}`);
    expect(told(replay(log.folder, log.rig.nowMs), keys)).toEqual(told(log.rig, keys));
    expect(log.writer.close()).toBe(true);
    const { surveys, strangers } = reportOn(systemDevice, log.folder);
    expect(strangers).toEqual([]);
    expect(surveys.map(({ condition }) => condition)).toEqual(surveys.map(() => 'whole'));
  }
});

test('while the device is full nothing is confirmed, and changes are refused', () => {
  const device = new FaultyDevice(systemDevice);
  const log = new LogRig({ device, feedBytes: 65_536 });
  device.plan = ({ name }) => (name === 'write' ? { code: 'ENOSPC' } : undefined);
  const statuses = Array.from({ length: 200 }, (_, n) => {
    const { status } = log.rig.set(`key ${n}`, 'x'.repeat(1000));
    log.writer.round();
    return status;
  });
  expect(log.signals.state).toBe(FULL);
  expect(statuses).toEqual([STATUS.OK, ...Array(199).fill(STATUS.DISK_FULL)]);
  expect(log.signals.isDurable(log.signals.ticket())).toBe(false);
  expect(log.signals.figure('pendingBytes')).toBeLessThan(300_000);
  expect(log.rig.get('key 0')).toHaveLength(1000);
  device.plan = () => undefined;
  log.writer.round();
  expect(log.rig.set('key 0', 'again').status).toBe(0);
  log.writer.round();
  expect(log.signals.state).toBe(RUNNING);
  expect(replay(log.folder, log.rig.nowMs).get('key 0')).toBe('again');
  expect(log.signals.figure('fulls')).toBe(1);
});

test('short writes are no reason for anything', () => {
  const { log, device } = scripted(({ name }) => (name === 'write' ? { short: 13 } : undefined));
  expect(device.fired).toBeGreaterThan(100);
  expect(log.signals.state).toBe(RUNNING);
  expectKept(log, new Map([['key 4', '39 ']]));
});

test('a change that others may see, but that is not published, holds tickets back', () => {
  const log = new LogRig({ lanes: 2 });
  const [one, two] = log.rigs as [Rig, Rig];
  one.set('key', '1');
  log.writer.round();
  const words = new Uint32Array(log.rig.arena.handle.memory.buffer);
  const core = (name: string): number => log.rig.arena.constant(name);
  const lane = (words[core('H_LANES_AT') / 4] ?? 0) + core('LANE_BYTES');
  const headAt = (lane + core('L_FEED_HEAD')) / 4;
  two.set('key', '2');
  // As if the thread of lane 1 had been stopped between its change and the publication of it.
  const head = words[headAt] ?? 0;
  words[headAt] = 0;
  const ticket = log.signals.ticket();
  log.writer.round();
  expect([log.signals.isDurable(ticket), log.writer.owes]).toEqual([false, true]);
  words[headAt] = head;
  log.writer.round();
  expect([log.signals.isDurable(ticket), log.writer.owes]).toEqual([true, false]);
  expect(replay(log.folder, one.nowMs).get('key')).toBe('2');
  expect(readManifest(systemDevice, log.folder)?.files).toHaveLength(1);
});
