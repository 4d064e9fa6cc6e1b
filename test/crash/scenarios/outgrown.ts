/**
 * More data than the memory holds, four times as much: keys are overwritten, deleted, cleared,
 * evicted, and expire, until the node is gone. Then the files are read in any order, half of the
 * time by a clock that was set back. What is found must be the newest value of its key, or nothing;
 * what is written then must be read back, also after another crash.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../../src/base/random.js';
import { systemDevice } from '../../../src/log/device.js';
import { openFolder } from '../../../src/log/opening.js';
import type { Writer } from '../../../src/log/writer.js';
import { MIB, Rig } from '../../model/support/rig.js';
import { STATUS } from '../../model/support/wire.js';
import { recoverRig } from '../../unit/log/support/recovering.js';
import { LogOver } from '../logOver.js';
import { IN_MEMORY, withFolder } from '../node.js';
import { bookFailure, emptyTally, type Tally } from '../oracle.js';

/** How much is tried. */
export interface OutgrownOptions {
  readonly seed: number;
  readonly rounds: number;
}

const MEMORY_BYTES = 8 * MIB;
const FILE_BYTES = 500_000;
const KEYS = 20_000;
const STEPS = 50_000;
const VALUE_BYTES = 2000;
const SET_BACK_MS = 288_000;
const FRESH_KEYS = 200;

/** The newest value of each key, or nothing when it was deleted. */
type Newest = Map<string, string | undefined>;

/** Runs the scenario. */
export function outgrow({ seed, rounds }: OutgrownOptions): Promise<Tally> {
  const tally = emptyTally();
  return withFolder(async (place) => {
    for (let round = 0; round < rounds; round++) {
      const folder = join(place, `log ${round}`);
      await tryOnce(folder, seed + round, tally);
      rmSync(folder, { recursive: true, force: true });
    }
    return tally;
  }, IN_MEMORY);
}

async function tryOnce(folder: string, seed: number, tally: Tally): Promise<void> {
  const random = seededRandom(seed);
  const newest: Newest = new Map();
  const nowMs = grow(folder, newest, random, tally);
  const laterMs = random.below(2) === 0 ? nowMs + 1000 : nowMs - SET_BACK_MS;
  const options = { folder, memoryBytes: MEMORY_BYTES, nowMs: laterMs };
  const first = await recoverRig({ ...options, random });
  const present = look(first.rig, newest, `seed ${seed}`, tally);
  if (present === 0) bookFailure(tally, `seed ${seed}: nothing came back`);
  writeAnew(first.rig, folder, newest, seed, tally);
  const second = await recoverRig({ ...options, random });
  look(second.rig, newest, `seed ${seed}, again`, tally);
}

/** A writer that opens the folder as a node does. */
function openWriter(rig: Rig, folder: string): Writer {
  const device = systemDevice;
  const { manifest, lock } = openFolder({ device, random: seededRandom(1) }, folder);
  lock.release();
  const how = { fsync: 'never', fileBytes: FILE_BYTES } as const;
  return new LogOver({ rig, device, folder, manifest, ...how }).writer;
}

/** Writes until there is four times as much as fits; the time when the node is gone. */
function grow(folder: string, newest: Newest, random: Random, tally: Tally): number {
  const rig = new Rig({ feedBytes: MIB, memoryBytes: MEMORY_BYTES, build: 'release' });
  const writer = openWriter(rig, folder);
  for (let step = 0; step < STEPS; step++) {
    change(rig, step, newest, random);
    if (random.below(50) === 0) writer.round();
    if (random.below(10) === 0) rig.nowMs += random.below(5);
  }
  writer.round();
  tally.acked += STEPS;
  tally.faultsFired++;
  return rig.nowMs;
}

function change(rig: Rig, step: number, newest: Newest, random: Random): void {
  const key = `key ${random.below(KEYS)}`;
  const deed = random.below(100);
  const value = `${step} `.padEnd(random.below(VALUE_BYTES), 'x');
  if (step === Math.floor(STEPS / 3)) {
    rig.clear();
    for (const each of newest.keys()) newest.set(each, undefined);
  } else if (deed < 10) {
    // A delete that finds nothing is not recorded, so it says nothing about later.
    if (rig.delete(key).status === STATUS.OK) newest.set(key, undefined);
  } else {
    rig.set(key, value, deed < 15 ? { ttlMs: 1 + random.below(1000) } : {});
    newest.set(key, value);
  }
}

/** Every key is at its newest value or absent; how many are there. */
function look(rig: Rig, newest: Newest, name: string, tally: Tally): number {
  let present = 0;
  for (const [key, value] of newest) {
    const found = rig.get(key);
    if (found === undefined) continue;
    present++;
    if (found === value) continue;
    tally.stale++;
    tally.problems.push(`${name}: ${key} holds an older value`);
  }
  tally.checks++;
  return present;
}

/** Writes some keys, which then have to be there. */
function writeAnew(rig: Rig, folder: string, newest: Newest, seed: number, tally: Tally): void {
  const writer = openWriter(rig, folder);
  for (let n = 0; n < FRESH_KEYS; n++) {
    const key = `key ${n}`;
    rig.set(key, `new ${n}`);
    newest.set(key, `new ${n}`);
    tally.acked++;
    if (rig.get(key) === `new ${n}`) continue;
    tally.lost++;
    tally.problems.push(`seed ${seed}: a new write of ${key} is not read back`);
  }
  writer.round();
}
