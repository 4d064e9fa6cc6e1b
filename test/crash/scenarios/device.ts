/**
 * Every call that a log makes to its device fails once, in one run after the other: with an error,
 * for want of room, or by doing only a part. Then many at once, by chance. What was confirmed must
 * come back over a device without faults; after an error nothing may be confirmed; a device that
 * was full must be written to again when it has room.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../src/base/errors.js';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { isFull, systemDevice } from '../../../src/log/device.js';
import { readManifest } from '../../../src/log/folder.js';
import { type OpenedLog, openFolder } from '../../../src/log/opening.js';
import { FAILED, RUNNING } from '../../../src/log/signals.js';
import { MIB, Rig } from '../../model/support/rig.js';
import { STATUS } from '../../model/support/wire.js';
import { FaultyDevice, type Plan } from '../../unit/log/support/faultyDevice.js';
import { recoverRig } from '../../unit/log/support/recovering.js';
import { LogOver } from '../logOver.js';
import { IN_MEMORY, withFolder } from '../node.js';
import { book, bookFailure, emptyTally, KeyOracle, type Tally } from '../oracle.js';

/** How much is tried. */
export interface DeviceOptions {
  readonly seed: number;
  /** Runs with faults by chance, after those with one fault each. */
  readonly rounds: number;
}

const MEMORY_BYTES = 16 * MIB;
const KEYS = 7;
const STEPS = 21;
const FILE_BYTES = 2000;

/** What one run of the script did. */
interface Run {
  readonly rig: Rig;
  readonly device: FaultyDevice;
  readonly keys: readonly KeyOracle[];
}

/** Runs the scenario. */
export function failEverywhere({ seed, rounds }: DeviceOptions): Promise<Tally> {
  const tally = emptyTally();
  return withFolder(async (place) => {
    const tryPlan = (name: string, plan: Plan, clean = false): Promise<Run> =>
      tryOnce(place, name, plan, clean, tally);
    const { calls } = (await tryPlan('no fault', () => undefined, true)).device;
    for (const { index, name } of calls) {
      for (const code of ['EIO', 'ENOSPC']) {
        const plan: Plan = (call) => (call.index === index ? { code } : undefined);
        await tryPlan(`${code} at ${index}, ${name}`, plan);
      }
      if (name !== 'write' && name !== 'read') continue;
      const plan: Plan = (call) => (call.index === index ? { short: 1 } : undefined);
      await tryPlan(`short ${name} at ${index}`, plan);
    }
    for (let round = 0; round < rounds; round++) {
      const random = seededRandom(seed + round);
      await tryPlan(`seed ${seed + round}`, planOf(random));
    }
    return tally;
  }, IN_MEMORY);
}

/** Full for a while now and then, short every so often, broken in the end perhaps. */
function planOf(random: Random): Plan {
  let fullFor = 0;
  const brokenAt = random.below(400);
  return ({ name, index, bytes }) => {
    if (index === brokenAt) return { code: 'EIO' };
    if (random.below(60) === 0) fullFor = random.below(20);
    if (fullFor > 0 && (name === 'write' || name === 'create')) {
      fullFor--;
      return { code: 'ENOSPC' };
    }
    const moves = name === 'write' || name === 'read';
    return moves && random.below(10) === 0 ? { short: 1 + random.below(bytes) } : undefined;
  };
}

async function tryOnce(
  place: string,
  name: string,
  plan: Plan,
  clean: boolean,
  tally: Tally,
): Promise<Run> {
  const folder = join(place, 'log');
  rmSync(folder, { recursive: true, force: true });
  const before = tally.problems.length;
  const run = await work(folder, plan, tally);
  if (run.device.fired > 0) tally.faultsFired++;
  else if (!clean) bookFailure(tally, 'the fault did not fire');
  await check(folder, run, tally);
  for (let n = before; n < tally.problems.length; n++) {
    tally.problems[n] = `${name}: ${tally.problems[n]}`;
  }
  return run;
}

/** Two lives of a log over a device with faults: in each, values are written round after round. */
async function work(folder: string, plan: Plan, tally: Tally): Promise<Run> {
  const device = new FaultyDevice(systemDevice, plan);
  let rig = new Rig({ lanes: 2, feedBytes: MIB, build: 'release' });
  const keys = Array.from({ length: KEYS }, (_, n) => new KeyOracle(`key ${n}`));
  for (let life = 0; life < 2; life++) {
    // A node has in its store what it found in its log, and nothing else.
    const known = life > 0 && readManifest(systemDevice, folder) !== undefined;
    if (known)
      rig = (await recoverRig({ folder, memoryBytes: MEMORY_BYTES, nowMs: rig.nowMs })).rig;
    const opened = open(folder, device, tally);
    if (opened === undefined) break;
    await live(opened, rig, device, keys, life, tally);
    opened.lock.release();
  }
  return { rig, device, keys };
}

/** Opens the folder; a fault may refuse that, and then it was not opened in part. */
function open(folder: string, device: FaultyDevice, tally: Tally): OpenedLog | undefined {
  const fired = device.fired;
  try {
    return openFolder({ device, random: seededRandom(1) }, folder);
  } catch (error) {
    if (device.fired === fired) bookFailure(tally, `refused for no reason: ${messageOf(error)}`);
    return undefined;
  }
}

async function live(
  opened: OpenedLog,
  rig: Rig,
  device: FaultyDevice,
  keys: readonly KeyOracle[],
  life: number,
  tally: Tally,
): Promise<void> {
  const log = begin(opened, rig, device);
  if (log === undefined) return;
  const { writer, signals } = log;
  for (let step = 0; step < STEPS; step++) {
    const key = keys[step % KEYS] as KeyOracle;
    const remove = step % 9 === 8;
    const value = `${life} ${step} `.repeat(20);
    // A full disk has changes refused, which then were not made.
    const { status } = remove ? rig.delete(key.key) : rig.set(key.key, value);
    const sent = key.send(remove ? undefined : value);
    if (status !== STATUS.OK && status !== STATUS.NOT_FOUND) sent.withdraw();
    const ticket = signals.ticket();
    const { failed } = writer;
    writer.round();
    if (step % 10 === 5) await log.compact().catch(expected);
    if (status !== STATUS.OK || !signals.isDurable(ticket)) continue;
    if (failed) bookFailure(tally, 'confirmed after an error');
    sent.confirm();
    tally.acked++;
  }
  expectEnd(log, tally);
}

/** What a fault may lead to; anything else is thrown. */
function expected(error: unknown): undefined {
  if (isFull(error) || /EIO|device can't read|has no end/.test(messageOf(error))) return undefined;
  throw error;
}

function begin({ folder, manifest }: OpenedLog, rig: Rig, device: FaultyDevice) {
  try {
    const how = { fsync: 'always', fileBytes: FILE_BYTES } as const;
    return new LogOver({ rig, device, folder, manifest, ...how });
  } catch (error) {
    return expected(error);
  }
}

/** A log that did not fail comes to rest, however often it was full. */
function expectEnd({ writer, signals }: LogOver, tally: Tally): void {
  for (let tries = 0; tries < 50 && writer.full; tries++) writer.round();
  const state = writer.failed ? FAILED : RUNNING;
  if (signals.state !== state) bookFailure(tally, `the state is ${signals.state}, not ${state}`);
  const closed = writer.close();
  if (closed === writer.failed) bookFailure(tally, `closed in order: ${closed}`);
}

/** Reads the log with a device that works; everything confirmed is there. */
async function check(folder: string, run: Run, tally: Tally): Promise<void> {
  const opened = readManifest(systemDevice, folder);
  if (opened === undefined) return;
  const options = { folder, memoryBytes: MEMORY_BYTES, nowMs: run.rig.nowMs + 1 };
  try {
    const { rig } = await recoverRig(options);
    for (const key of run.keys) {
      book(tally, key.key, key.check(rig.get(key.key)), performance.now(), 0);
    }
    tally.checks++;
  } catch (error) {
    bookFailure(tally, `does not come back: ${messageOf(error)}`);
  }
}
