/** After a new key, compaction writes what is there with it, until the old one is not needed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { compactFiles } from '../../../src/log/compact.js';
import { Compactor } from '../../../src/log/compactor.js';
import {
  type Device,
  encryptedDevice,
  removeFiles,
  systemDevice,
} from '../../../src/log/device.js';
import { KEY_BYTES, KeyRing } from '../../../src/log/keys.js';
import { encodeManifest } from '../../../src/log/manifest.js';
import { openFolder } from '../../../src/log/opening.js';
import { reportOn } from '../../../src/log/report.js';
import { newFolder } from './support/files.js';
import { LogRig } from './support/logRig.js';

const random = seededRandom(5);
const [OLD, FRESH] = [random.bytes(KEY_BYTES), random.bytes(KEY_BYTES)] as const;
const deviceWith = (...keys: Uint8Array[]): Device => encryptedDevice(new KeyRing(keys));
const KNOWN = 'a value that nobody must find';

function compactorOf(log: LogRig, device: Device, staleUpTo: number, told: string[]): Compactor {
  const { folder, clock, signals, writer, rig } = log;
  const parts = { device, clock, pause: () => undefined };
  return new Compactor({
    ...{ folder, device, clock, random, signals, staleUpTo },
    fileBytes: 4000,
    timers: systemTimers,
    store: rig.store,
    lane: 1,
    jobs: {
      compact: async (task) => compactFiles(task, parts),
      remove: async (paths) => removeFiles(device, paths),
    },
    log: {
      divide: async () => {
        if (!writer.divide()) return undefined;
        const before = writer.manifest.files.at(-1)?.number ?? 0;
        return { manifest: encodeManifest(writer.manifest), before, number: writer.reserve() };
      },
      install: async (change) => writer.install(change),
    },
    news: { info: (_, message) => told.push(message), error: (_, message) => told.push(message) },
  });
}

/** Whether any file in a folder holds the known value. */
const leaks = (folder: string): boolean =>
  readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(KNOWN));

test.each([
  ['a new key', deviceWith(OLD), deviceWith(FRESH, OLD)],
  ['the first key', systemDevice, deviceWith(FRESH)],
])('%s', async (_, before, after) => {
  const folder = newFolder();
  const first = new LogRig({ folder, device: before, lanes: 2, fileBytes: 4000 });
  for (let n = 0; n < 200; n++) {
    first.rig.set(`key ${n % 50}`, `${n} ${KNOWN}`);
    first.writer.round();
  }
  expect(first.writer.close()).toBe(true);
  expect(leaks(folder)).toBe(before === systemDevice);
  const { staleUpTo, lock, files } = openFolder({ device: after, random }, folder);
  lock.release();
  expect(staleUpTo).toBe(files.at(-1)?.number);
  const log = new LogRig({ folder, device: after, lanes: 2, fileBytes: 4000, rig: first.rig });
  // The first log was closed, and left its store refusing changes.
  log.rig.arena.refuseChanges(0);
  const told: string[] = [];
  const compactor = compactorOf(log, after, staleUpTo, told);
  for (let tries = 0; tries < 50 && !told.some((text) => /first key/.test(text)); tries++) {
    log.rig.set('more', `${tries}`);
    log.writer.round();
    await compactor.compact();
  }
  expect(told).toContain('all files of the log are written with the first key');
  expect(leaks(folder)).toBe(false);
  expect(log.writer.close()).toBe(true);
  const alone = deviceWith(FRESH);
  const again = openFolder({ device: alone, random }, folder);
  again.lock.release();
  expect(again.staleUpTo).toBe(0);
  const { surveys } = reportOn(alone, folder);
  expect(surveys.every(({ condition }) => condition === 'whole')).toBe(true);
  const puts = surveys.reduce((sum, { summary }) => sum + summary.puts, 0);
  expect(puts).toBeGreaterThanOrEqual(51);
});
