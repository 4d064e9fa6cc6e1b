/** The log of a store on the thread of the test: what writes it, and what compacts it. */
import { seededRandom } from '../../src/base/random.js';
import { systemTimers } from '../../src/base/timers.js';
import type { Fsync } from '../../src/config/config.js';
import { compactFiles } from '../../src/log/compact.js';
import { Compactor } from '../../src/log/compactor.js';
import { type Device, removeFiles } from '../../src/log/device.js';
import { encodeManifest, type Manifest } from '../../src/log/manifest.js';
import { Signals } from '../../src/log/signals.js';
import { Writer } from '../../src/log/writer.js';
import type { Rig } from '../model/support/rig.js';

/** What a log is made from. */
export interface LogOverOptions {
  /** Its store has a second lane, which nobody uses, if it is to be compacted. */
  readonly rig: Rig;
  readonly device: Device;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly fsync: Fsync;
  readonly fileBytes: number;
}

/** See the top of this file. */
export class LogOver {
  readonly signals = Signals.create();
  readonly writer: Writer;
  readonly #options: LogOverOptions;

  /** Begins a new file. Throws what the device throws. */
  constructor(options: LogOverOptions) {
    const { rig, manifest } = options;
    this.#options = options;
    // A log that was closed before has left the store refusing changes.
    rig.arena.refuseChanges(0);
    rig.arena.publish(true);
    this.writer = new Writer(
      {
        ...this.#common(),
        feeds: [rig.arena.openFeed(0)],
        fsync: options.fsync,
        earlierBytes: 0,
        refuse: (status) => rig.arena.refuseChanges(status),
        tell: () => undefined,
      },
      manifest,
    );
  }

  #common() {
    const { rig, device, folder, fileBytes } = this.#options;
    const clock = { nowMs: () => rig.nowMs, monotonicMs: () => 0 };
    return { device, folder, fileBytes, clock, random: seededRandom(7), signals: this.signals };
  }

  /** Compacts the oldest files once. Throws what the device throws. */
  async compact(): Promise<void> {
    const { rig, device } = this.#options;
    const { writer } = this;
    const common = this.#common();
    const parts = { device, clock: common.clock, pause: () => undefined };
    const compactor = new Compactor({
      ...common,
      timers: systemTimers,
      store: rig.store,
      lane: 1,
      staleUpTo: 0,
      jobs: {
        compact: async (task) => compactFiles(task, parts),
        remove: async (paths) => removeFiles(device, paths),
      },
      log: {
        divide: async () => {
          if (!writer.divide()) return undefined;
          const manifest = encodeManifest(writer.manifest);
          const before = writer.manifest.files.at(-1)?.number ?? 0;
          return { manifest, before, number: writer.reserve() };
        },
        install: async (change) => writer.install(change),
      },
      news: { info: () => undefined, error: () => undefined },
    });
    await compactor.compact();
  }
}
