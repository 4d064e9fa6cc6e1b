/** Recovery as a node does it, on the thread of the test. */
import { Store } from '../../../../src/arena/store.js';
import { type Random, seededRandom } from '../../../../src/base/random.js';
import { systemTimers } from '../../../../src/base/timers.js';
import { systemDevice } from '../../../../src/log/device.js';
import { type LoadTask, loadFiles } from '../../../../src/log/load.js';
import { type OpenedLog, openFolder } from '../../../../src/log/opening.js';
import { type Recovered, recover } from '../../../../src/log/recovery.js';
import { HASH_KEY, Rig } from '../../../model/support/rig.js';

/** How to recover. */
export interface RecoverOptions {
  readonly folder: string;
  readonly memoryBytes: number;
  readonly nowMs: number;
  readonly lanes?: number;
  readonly feedBytes?: number;
  /** Shuffles the files. */
  readonly random?: Random;
}

/** What was recovered, ready to be asked, and the opened folder, unlocked again. */
export async function recoverRig(
  options: RecoverOptions,
): Promise<{ rig: Rig; recovered: Recovered; opened: OpenedLog; stores: number }> {
  const opened = openFolder({ device: systemDevice, random: seededRandom(1) }, options.folder);
  opened.lock.release();
  const clock = { nowMs: () => options.nowMs, monotonicMs: () => performance.now() };
  const pause = (): void => undefined;
  const { memoryBytes, lanes = 2, feedBytes = 1 << 20 } = options;
  let stores = 0;
  const recovered = await recover({
    opened: { ...opened, files: shuffled(opened.files, options.random) },
    makeStore: () => {
      stores++;
      return Store.create({
        memoryBytes,
        lanes: lanes + 1,
        feedBytes,
        maxValueBytes: 1 << 20,
        hashKey: HASH_KEY,
      });
    },
    lanes: Array.from({ length: lanes }, (_, n) => n + 1),
    tier: false,
    load: async (task: LoadTask) => loadFiles(task, { device: systemDevice, clock, pause }),
    clock,
    timers: systemTimers,
    onProgress: () => undefined,
  });
  const arena = recovered.store.arenas[0];
  if (arena === undefined) throw new Error('a store without arenas');
  const rig = new Rig({}, 0, arena);
  rig.nowMs = options.nowMs;
  return { rig, recovered, opened, stores };
}

function shuffled<T>(items: readonly T[], random: Random | undefined): T[] {
  if (random === undefined) return [...items];
  const places = items.map((item) => ({ item, place: random.fraction() }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}
