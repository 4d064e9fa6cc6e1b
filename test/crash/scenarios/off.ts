/**
 * The machine goes off, or the process is killed, at one call to the device after the other, in a
 * run in which files are ended, begun and compacted and the log is opened again. All is in memory,
 * so that every call is tried, and what was not synced is lost in many ways. Everything confirmed
 * must be in the files that are left.
 */
import { seededRandom } from '../../../src/base/random.js';
import { FileScan } from '../../../src/log/fileScan.js';
import { logPath } from '../../../src/log/names.js';
import { lookInto } from '../../../src/log/opening.js';
import { scanBlocks } from '../../../src/log/survey.js';
import { MIB, Rig } from '../../model/support/rig.js';
import { STATUS } from '../../model/support/wire.js';
import { LogOver } from '../logOver.js';
import { MachineOff, MemoryDevice } from '../memoryDevice.js';
import {
  book,
  bookFailure,
  emptyTally,
  KeyOracle,
  type Sent,
  type State,
  type Tally,
} from '../oracle.js';

/** How much is tried. */
export interface OffOptions {
  readonly seed: number;
  /** Ways in which what was not synced is lost, for each call. */
  readonly ways: number;
  /** Whether syncs do what they say: if not, that has to be found. */
  readonly honest?: boolean;
}

const FOLDER = '/log';
const KEYS = 7;
const LIVES = 2;
const STEPS = 30;
const FILE_BYTES = 2000;

/** What is known of a run when it ends. */
interface Run {
  readonly device: MemoryDevice;
  readonly keys: readonly KeyOracle[];
}

/** Runs the scenario. */
export async function goOff({ seed, ways, honest = true }: OffOptions): Promise<Tally> {
  const tally = emptyTally();
  const { calls } = (await work(Number.POSITIVE_INFINITY, honest, tally)).device;
  for (let offAt = 1; offAt <= calls; offAt++) {
    tally.faultsFired++;
    const killed = await work(offAt, honest, tally);
    look(killed.device.afterKill(), killed.keys, `killed at call ${offAt}`, tally);
    for (let way = 0; way < ways; way++) {
      const { device, keys } = await work(offAt, honest, tally);
      const random = seededRandom(seed + way);
      look(device.afterPowerLoss(random), keys, `off at call ${offAt}, seed ${seed + way}`, tally);
    }
  }
  return tally;
}

/** Two lives of a log, until the machine goes off. */
async function work(offAt: number, honest: boolean, tally: Tally): Promise<Run> {
  const device = new MemoryDevice();
  device.honest = honest;
  device.offAt = offAt;
  const keys = Array.from({ length: KEYS }, (_, n) => new KeyOracle(`key ${n}`));
  const rig = new Rig({ lanes: 2, feedBytes: MIB, memoryBytes: 8 * MIB, build: 'release' });
  try {
    for (let life = 0; life < LIVES; life++) {
      await live(rig, device, keys, life, tally);
    }
  } catch (error) {
    if (!(error instanceof MachineOff)) throw error;
  }
  return { device, keys };
}

async function live(
  rig: Rig,
  device: MemoryDevice,
  keys: readonly KeyOracle[],
  life: number,
  tally: Tally,
): Promise<void> {
  const { manifest } = lookInto({ device, random: seededRandom(life + 1) }, FOLDER);
  const how = { fsync: 'always', fileBytes: FILE_BYTES, folder: FOLDER } as const;
  const log = new LogOver({ rig, device, manifest, ...how });
  const { signals, writer } = log;
  for (let step = 0; step < STEPS && !writer.failed; step++) {
    const key = keys[step % KEYS] as KeyOracle;
    const sent = change(rig, key, `${life} ${step} `.repeat(20), step % 9 === 8);
    const ticket = signals.ticket();
    writer.round();
    if (step % 10 === 5) await log.compact();
    if (!signals.isDurable(ticket)) continue;
    sent.confirm();
    tally.acked++;
  }
  if (!writer.failed && life === 0) writer.close();
}

function change(rig: Rig, key: KeyOracle, value: string, remove: boolean): Sent {
  const { status } = remove ? rig.delete(key.key) : rig.set(key.key, value);
  const sent = key.send(remove ? undefined : value);
  if (status === STATUS.OK || status === STATUS.NOT_FOUND) return sent;
  throw new Error(`a change was answered ${status}`);
}

/** Opens what is left, and judges the newest record of each key. */
function look(device: MemoryDevice, keys: readonly KeyOracle[], name: string, tally: Tally): void {
  const before = tally.problems.length;
  tally.checks++;
  try {
    const newest = newestIn(device);
    for (const oracle of keys) {
      book(tally, oracle.key, oracle.check(newest.get(oracle.key)), performance.now(), 0);
    }
  } catch (error) {
    bookFailure(tally, `does not open: ${String(error)}`);
  }
  for (let n = before; n < tally.problems.length; n++) {
    tally.problems[n] = `${name}: ${tally.problems[n]}`;
  }
}

/** The state that the record of the highest version gives to each key. */
function newestIn(device: MemoryDevice): Map<string, State> {
  const { files } = lookInto({ device, random: seededRandom(1) }, FOLDER);
  const versions = new Map<string, bigint>();
  const states = new Map<string, State>();
  for (const { number, end } of files) {
    const scan = new FileScan(device, logPath(FOLDER, number), end);
    scanBlocks(scan, (walk) => {
      while (walk.next()) {
        const key = Buffer.from(walk.key()).toString();
        if (walk.kind === 'summary' || walk.version() <= (versions.get(key) ?? 0n)) continue;
        versions.set(key, walk.version());
        states.set(key, walk.kind === 'put' ? Buffer.from(walk.value()).toString() : undefined);
      }
    });
  }
  return states;
}
