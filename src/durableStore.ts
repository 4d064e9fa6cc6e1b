/**
 * The store of a node: empty, or with what a log brought back and will keep. While a log is loaded
 * the node is not there yet, and a lobby answers in its place.
 */
import { Store } from './arena/store.js';
import { systemClock } from './base/clock.js';
import { systemRandom } from './base/random.js';
import { systemTimers } from './base/timers.js';
import { type Config, feedBytes } from './config/config.js';
import { DataLog } from './log/dataLog.js';
import { encryptedDevice } from './log/device.js';
import { openJobs } from './log/jobs.js';
import { KeyRing } from './log/keys.js';
import { openLobby } from './net/lobby.js';
import type { Log } from './net/log.js';

/** A store, and the log that it is written to. */
export interface DurableStore {
  readonly store: Store;
  readonly log: DataLog | undefined;
  /** Where to listen, which is decided already if a lobby has taken any free port. */
  readonly port: number;
}

/** Lanes of a store for a node with so many I/O threads; with a log one more than the first. */
function lanesFor(threads: number, logged: boolean): number {
  return Math.max(threads, logged ? 1 : 0) + 1;
}

/** Makes the store for a node with `threads` I/O threads. Throws `InputError`. */
export async function makeStore(config: Config, threads: number, log: Log): Promise<DurableStore> {
  const folder = config.dataDir;
  if (folder === undefined) {
    const store = Store.create({ ...config, lanes: lanesFor(threads, false) });
    return { store, log: undefined, port: config.port };
  }
  const keys = new KeyRing(config.dataKeys ?? []);
  const dataLog = DataLog.open({
    folder,
    fsync: config.fsync,
    fileBytes: config.dataFileBytes,
    device: encryptedDevice(keys),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    news: log,
  });
  try {
    return await load(config, threads, dataLog, keys);
  } catch (error) {
    await dataLog.close();
    throw error;
  }
}

/** Loads the log, and has the store written to it from then on. */
async function load(
  config: Config,
  threads: number,
  log: DataLog,
  { secrets }: KeyRing,
): Promise<DurableStore> {
  const lanes = lanesFor(threads, true);
  const options = { ...config, lanes, feedBytes: feedBytes(config.maxValueBytes) };
  const lobby = await openLobby(hostOf(config), config.port, () => log.share);
  try {
    const jobs = await openJobs(lanes - 1, { secrets });
    try {
      const free = Array.from({ length: lanes - 1 }, (_, n) => n + 1);
      const { store } = await log.recover(() => Store.create(options), jobs, free);
      await log.start(store);
      return { store, log, port: lobby.port };
    } finally {
      await jobs.close();
    }
  } finally {
    await lobby.close();
  }
}

/** The address as sockets take it: an IPv6 address without its brackets. */
export function hostOf({ host }: Config): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
