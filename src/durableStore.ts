/**
 * The store of a node: empty, or with what a log brought back and will keep. While a log is loaded
 * the node is not there yet, and a lobby answers in its place.
 */
import type { TierOptions } from './arena/arena.js';
import { Store } from './arena/store.js';
import { systemClock } from './base/clock.js';
import { systemRandom } from './base/random.js';
import { systemTimers } from './base/timers.js';
import { type Config, feedBytes } from './config/config.js';
import { hostOf } from './config/host.js';
import { thisMachine } from './config/machine.js';
import { DataLog } from './log/dataLog.js';
import { encryptedDevice } from './log/device.js';
import { openJobs } from './log/jobs.js';
import { KeyRing } from './log/keys.js';
import { TIER_LEAST_BYTES, TIER_VALUES_SHARE } from './log/place.js';
import { openLobby } from './net/lobby.js';
import type { Log } from './net/log.js';

/** A store, and the log that it is written to. */
export interface DurableStore {
  readonly store: Store;
  readonly log: DataLog | undefined;
  /** Where to listen, which is decided already if a lobby has taken any free port. */
  readonly port: number;
}

/** Lanes of a store for a node with so many I/O threads: with a log one more, for its jobs. */
function lanesFor(threads: number, logged: boolean): number {
  return 1 + threads + (logged ? 1 : 0);
}

/** What an item costs in memory whose value only the disk has, about, with its entry, in bytes. */
const STUB_BYTES = 64;
/** The table is made for a tier of values of this length. */
const TIER_VALUE_BYTES = 1024;

/**
 * What the store has to know of a tier. Stubs may take three fifths of what the table leaves of
 * the memory (`STUB_SHARE_PERCENT` in the core), about half of it; the table is made for those.
 */
function tierOf({ tierBytes, memoryBytes }: Config): TierOptions | undefined {
  if (tierBytes === undefined) return undefined;
  const bytes = tierBytes * TIER_VALUES_SHARE;
  const most = memoryBytes / 2 / STUB_BYTES;
  const stubs = Math.floor(Math.min(most, bytes / TIER_VALUE_BYTES));
  return { leastBytes: TIER_LEAST_BYTES, bytes, stubs };
}

/** Makes the store for a node with `threads` I/O threads. Throws `InputError`. */
export async function makeStore(config: Config, threads: number, log: Log): Promise<DurableStore> {
  const folder = config.dataDir;
  if (folder === undefined) {
    const feeds = config.cluster.gossips ? feedBytes(config.maxValueBytes) : 0;
    const lanes = lanesFor(threads, false);
    const store = Store.create({ ...config, lanes, feedBytes: feeds });
    return { store, log: undefined, port: config.port };
  }
  const keys = new KeyRing(config.dataKeys ?? []);
  const dataLog = DataLog.open({
    folder,
    fsync: config.fsync,
    fileBytes: config.dataFileBytes,
    device: encryptedDevice(keys),
    tierBytes: config.tierBytes,
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
  const tier = tierOf(config);
  // Behind the lanes of the threads that serve, one for the thread of the log.
  const tierLane = tier && lanes;
  const allLanes = tier === undefined ? lanes : lanes + 1;
  const rings = feedBytes(config.maxValueBytes);
  const options = { ...config, lanes: allLanes, tier, feedBytes: rings };
  const lobby = await openLobby(hostOf(config), config.port, () => log.share);
  try {
    const { cores } = thisMachine();
    const jobs = await openJobs(Math.min(lanes - 1, cores), { secrets });
    try {
      const free = Array.from({ length: Math.min(lanes - 1, cores) }, (_, n) => n + 1);
      const { store } = await log.recover(() => Store.create(options), jobs, free);
      await log.start(store, { jobs, lane: lanes - 1, tierLane });
      return { store, log, port: lobby.port };
    } catch (error) {
      await jobs.close();
      throw error;
    }
  } finally {
    await lobby.close();
  }
}
