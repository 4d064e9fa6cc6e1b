import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Store } from '../../../src/arena/store.js';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { compactFiles } from '../../../src/log/compact.js';
import { Compactor } from '../../../src/log/compactor.js';
import { removeFiles, systemDevice } from '../../../src/log/device.js';
import { encodeManifest } from '../../../src/log/manifest.js';
import { numberIn } from '../../../src/log/names.js';
import { replaceFiles } from '../../../src/log/replacement.js';
import { reportOn } from '../../../src/log/report.js';
import { RUNNING } from '../../../src/log/signals.js';
import { MIB, type Rig } from '../../model/support/rig.js';
import { replayLine, seed } from '../../model/support/seed.js';
import { STATUS } from '../../model/support/wire.js';
import { FaultyDevice } from './support/faultyDevice.js';
import { LogRig, type LogRigOptions } from './support/logRig.js';
import { recoverRig } from './support/recovering.js';

const FILE = 'test/unit/log/compaction.test.ts';

/** A log, and a compactor whose jobs run on the thread of the test; the last lane is theirs. */
function open(options: LogRigOptions & { staleUpTo?: number } = {}): {
  log: LogRig;
  compactor: Compactor;
  told: string[];
} {
  const log = new LogRig({ lanes: 2, fileBytes: 50_000, fsync: 'never', ...options });
  const lane = (options.lanes ?? 2) - 1;
  const told: string[] = [];
  const device = options.device ?? systemDevice;
  const parts = { device, clock: log.clock, pause: () => undefined };
  const compactor = new Compactor({
    folder: log.folder,
    fileBytes: options.fileBytes ?? 50_000,
    device,
    clock: log.clock,
    random: seededRandom(3),
    timers: systemTimers,
    signals: log.signals,
    store: Store.attach({ arenas: [log.rig.arena.handle] }),
    lane,
    staleUpTo: options.staleUpTo ?? 0,
    jobs: {
      compact: async (task) => compactFiles(task, parts),
      remove: async (paths) => removeFiles(device, paths),
    },
    log: {
      divide: async () => {
        if (!log.writer.divide()) return undefined;
        const manifest = encodeManifest(log.writer.manifest);
        const before = log.writer.manifest.files.at(-1)?.number ?? 0;
        return { manifest, before, number: log.writer.reserve() };
      },
      install: async (change) => log.writer.install(change),
    },
    news: {
      info: (_, message) => told.push(message),
      error: (fields) => told.push(JSON.stringify(fields)),
    },
  });
  return { log, compactor, told };
}

const filesOf = (log: LogRig): number[] => log.writer.manifest.files.map(({ number }) => number);

test('a file keeps what is alive, in the place before what came later', async () => {
  const { log, compactor } = open();
  const { rig, writer } = log;
  for (let n = 0; n < 1000; n++) {
    rig.set(`key ${n % 100}`, `${n} `.repeat(20));
    if (n % 5 === 0) rig.set(`once ${n}`, 'kept');
    writer.round();
  }
  const before = filesOf(log);
  expect(before.length).toBeGreaterThan(3);
  await compactor.compact();
  const after = filesOf(log);
  const last = before.at(-1) ?? 0;
  // What took the place of 1 and 2 stands before what is written now.
  expect(after).toEqual([...before.slice(2), last + 2, last + 1]);
  const onDisk = readdirSync(log.folder)
    .map(numberIn)
    .filter((number) => number !== undefined);
  expect(onDisk.sort()).toEqual([...after].sort());
  expect(log.signals.figure('compactions')).toBe(1);
  const { rig: copy } = await recoverRig({
    folder: log.folder,
    memoryBytes: 16 * MIB,
    nowMs: rig.nowMs,
  });
  for (let n = 0; n < 100; n++) expect(copy.get(`key ${n}`)).toBe(rig.get(`key ${n}`));
  for (let n = 0; n < 1000; n += 5) expect(copy.get(`once ${n}`)).toBe('kept');
});

test('replacing keeps the order of ages', () => {
  const node = new Uint8Array(16);
  const files = [3, 4, 5, 9, 11].map((number) => ({ number }));
  const sizes = { bytesDropped: 0, bytesAdded: 0 };
  const change = { dropped: [3, 4], added: 8, before: 9, floor: 7n, ...sizes };
  const manifest = { node, next: 12, floor: 5n, files };
  expect(replaceFiles(manifest, change)).toEqual({
    node,
    next: 12,
    floor: 7n,
    files: [5, 8, 9, 11].map((number) => ({ number })),
  });
  const empty = replaceFiles(manifest, { ...change, added: undefined, floor: 1n });
  expect(empty).toMatchObject({ floor: 5n, files: [5, 9, 11].map((number) => ({ number })) });
});

test('whatever is done meanwhile, nothing is lost and nothing comes back', async () => {
  const random = seededRandom(seed);
  for (let run = 0; run < 12; run++) {
    const { log, compactor, told } = open({ lanes: 4, memoryBytes: 7 * MIB });
    const oracle = new Map<string, string | undefined>();
    const steps = 2000 + random.below(4000);
    for (let step = 0; step < steps; step++) {
      const rig = log.rigs[random.below(3)] as Rig;
      const key = `key ${random.below(600)}`;
      const value = `${step} `.padEnd(random.below(600), 'x');
      const draw = random.below(100);
      if (draw < 70) {
        expect(rig.set(key, value).status).toBe(STATUS.OK);
        oracle.set(key, value);
      } else if (draw < 97) {
        rig.delete(key);
        oracle.set(key, undefined);
      } else if (draw === 97 && random.below(20) === 0) {
        rig.clear();
        for (const each of oracle.keys()) oracle.set(each, undefined);
      }
      if (random.below(20) === 0) log.writer.round();
      if (random.below(10) === 0) for (const each of log.rigs) each.nowMs += random.below(4);
      if (random.below(150) === 0) await compactor.compact();
    }
    log.writer.round();
    expect(told.filter((each) => each.startsWith('{'))).toEqual([]);
    expect(log.signals.figure('compactions')).toBeGreaterThan(3);
    const { rig, recovered } = await recoverRig({
      folder: log.folder,
      memoryBytes: 16 * MIB,
      nowMs: log.rig.nowMs,
      random,
    });
    expect(recovered.sinceMs).toBe(0);
    for (const [key, value] of oracle) {
      const live = log.rig.get(key);
      // What was evicted may be gone; what is there is the newest, before and after.
      expect([live, undefined]).toContain(live === undefined ? undefined : value);
      const kept = rig.get(key);
      if (live !== undefined || kept !== undefined) expect(kept, replayLine(FILE)).toBe(value);
    }
  }
}, 60_000);

test('two threads that wrote a key around a division do not bring the older back', async () => {
  const { log, compactor } = open({ lanes: 3 });
  const [one, two] = log.rigs as [Rig, Rig];
  const words = new Uint32Array(log.rig.arena.handle.memory.buffer);
  const core = (name: string): number => log.rig.arena.constant(name);
  const headAt = (core('L_FEED_HEAD') + (words[core('H_LANES_AT') / 4] ?? 0)) / 4;
  const preparedAt = headAt + (core('L_FEED_PREPARED') - core('L_FEED_HEAD')) / 4;
  for (let n = 0; n < 500; n++) {
    one.set(`fill ${n}`, 'x'.repeat(200));
    log.writer.round();
  }
  // Lane 0 writes the key and lane 1 deletes it, but the log meets the deletion first: as if the
  // marks of this round had been taken between the two.
  const before = words[headAt] ?? 0;
  one.set('key', 'older');
  two.delete('key');
  const after = words[headAt] ?? 0;
  words[headAt] = before;
  words[preparedAt] = before;
  expect(log.writer.divide()).toBe(true);
  words[headAt] = after;
  words[preparedAt] = after;
  log.writer.round();
  while (filesOf(log).length > 3) await compactor.compact();
  await compactor.compact();
  await compactor.compact();
  const { nowMs } = log.rig;
  const { rig } = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
  expect(rig.get('key')).toBeUndefined();
  expect(rig.get('fill 499')).toHaveLength(200);
});

test('the log stays within its bound, and so does what is written', async () => {
  const { log, compactor } = open({ lanes: 2, memoryBytes: 16 * MIB, fileBytes: 400_000 });
  const random = seededRandom(seed);
  const keys = new Set<number>();
  for (let n = 0; n < 120_000; n++) {
    const key = random.below(10_000);
    keys.add(key);
    log.rig.set(`key ${key}`, 'x'.repeat(100));
    if (n % 100 !== 0) continue;
    log.rig.nowMs += 1;
    log.writer.round();
    for (let before = -1; before !== log.signals.figure('compactions'); ) {
      before = log.signals.figure('compactions');
      compactor.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const { signals } = log;
  const { items, itemBytes } = log.rig.arena.stats();
  expect(items).toBe(keys.size);
  const alive = itemBytes + items * 14;
  expect(signals.figure('logBytes')).toBeLessThan(alive * 2.5 + 3 * 400_000);
  const user = 120_000 * 108;
  const written = signals.figure('bytes') + signals.figure('compactedBytes');
  expect(written / user).toBeLessThan(2.5);
}, 60_000);

test('a damaged file is left as it is, and said', async () => {
  const { log, compactor, told } = open();
  for (let n = 0; n < 1200; n++) {
    log.rig.set(`key ${n % 100}`, 'x'.repeat(200));
    log.writer.round();
  }
  const file = systemDevice.openToWrite(`${log.folder}/0000000001.orlop`);
  file.write(Uint8Array.of(7), 0, 1, 1000);
  file.close();
  const before = filesOf(log);
  const refusal = /0000000001.orlop, \d+: the checksum of the block is wrong/;
  await expect(compactor.compact()).rejects.toThrow(refusal);
  expect(filesOf(log).slice(0, before.length)).toEqual(before);
  compactor.look();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(told.join()).toMatch(refusal);
});

test('a disk that is full is waited for', async () => {
  const device = new FaultyDevice(systemDevice);
  const { log, compactor, told } = open({ device });
  for (let n = 0; n < 1200; n++) {
    log.rig.set(`key ${n % 100}`, `${n} `.repeat(50));
    log.writer.round();
  }
  const before = filesOf(log);
  // First comes the file that is divided off, then the one into which the job copies.
  const made: string[] = [];
  device.plan = ({ name, path }) => {
    if (name === 'create' && path.endsWith('.orlop')) made.push(path);
    return name === 'write' && path === made[1] ? { code: 'ENOSPC' } : undefined;
  };
  await compactor.compact();
  expect(device.fired).toBe(1);
  expect(log.signals.state).toBe(RUNNING);
  expect(filesOf(log).slice(0, before.length)).toEqual(before);
  await compactor.compact();
  expect(log.signals.figure('compactions')).toBe(1);
  expect(told.filter((each) => each.startsWith('{'))).toEqual([]);
  const onDisk = readdirSync(log.folder).map(numberIn);
  expect(onDisk.filter((number) => number !== undefined).length).toBe(filesOf(log).length);
  const { nowMs } = log.rig;
  const { rig } = await recoverRig({ folder: log.folder, memoryBytes: 16 * MIB, nowMs });
  for (let n = 1100; n < 1200; n++) expect(rig.get(`key ${n % 100}`)).toBe(`${n} `.repeat(50));
});

test('it is given up when the node stops', async () => {
  const { log, compactor, told } = open();
  for (let n = 0; n < 600; n++) {
    log.rig.set(`key ${n}`, 'x'.repeat(200));
    log.writer.round();
  }
  await compactor.stop();
  compactor.look();
  expect(await compactor.compact()).toBe(false);
  expect(told).toEqual([]);
  expect(log.signals.figure('compactions')).toBe(0);
  expect(log.writer.close()).toBe(true);
  const { surveys, strangers } = reportOn(systemDevice, log.folder);
  expect(strangers).toEqual([]);
  expect(surveys.every(({ condition }) => condition === 'whole')).toBe(true);
});
