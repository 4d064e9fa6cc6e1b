/** A store, its feeds and a writer over real files, on a clock that the test turns. */
import type { Clock } from '../../../../src/base/clock.js';
import { seededRandom } from '../../../../src/base/random.js';
import type { Fsync } from '../../../../src/config/config.js';
import { type Device, systemDevice } from '../../../../src/log/device.js';
import { FileScan } from '../../../../src/log/fileScan.js';
import { readManifest, replaceManifest } from '../../../../src/log/folder.js';
import type { Locator } from '../../../../src/log/locator.js';
import type { Manifest } from '../../../../src/log/manifest.js';
import { Merger } from '../../../../src/log/merger.js';
import { logPath } from '../../../../src/log/names.js';
import { Signals } from '../../../../src/log/signals.js';
import { scanBlocks } from '../../../../src/log/survey.js';
import { Writer, type WriterNews } from '../../../../src/log/writer.js';
import { MIB, Rig } from '../../../model/support/rig.js';
import { headerOf, newFolder } from './files.js';

/** What a log rig is made from. */
export interface LogRigOptions {
  readonly lanes?: number;
  readonly fsync?: Fsync;
  readonly fileBytes?: number;
  readonly feedBytes?: number;
  readonly device?: Device;
  readonly folder?: string;
  readonly memoryBytes?: number;
  readonly maxValueBytes?: number;
  readonly locator?: Locator;
  /** A rig over a store that is there already. */
  readonly rig?: Rig;
}

/** See the top of this file. */
export class LogRig {
  readonly rig: Rig;
  readonly rigs: readonly Rig[];
  readonly folder: string;
  readonly signals = Signals.create();
  readonly news: WriterNews[] = [];
  readonly writer: Writer;
  /** The clock and the device of the writer, for others that work on the same log. */
  readonly clock: Clock;
  clockMs = 0;

  constructor(options: LogRigOptions = {}) {
    const lanes = options.lanes ?? 1;
    this.rig = options.rig ?? freshRig(options, lanes);
    const others = Array.from({ length: lanes - 1 }, (_, n) => this.rig.beside(n + 1));
    this.rigs = [this.rig, ...others];
    this.rig.arena.publish(true);
    this.folder = options.folder ?? newFolder();
    const clock: Clock = { nowMs: () => this.rig.nowMs, monotonicMs: () => this.clockMs };
    this.clock = clock;
    const feeds = this.rigs.map((_, lane) => this.rig.arena.openFeed(lane));
    this.writer = new Writer(
      {
        device: options.device ?? systemDevice,
        clock,
        random: seededRandom(7),
        folder: this.folder,
        feeds,
        signals: this.signals,
        fsync: options.fsync ?? 'always',
        fileBytes: options.fileBytes ?? 1 << 30,
        earlierBytes: 0,
        locator: options.locator,
        refuse: (status) => this.rig.arena.refuseChanges(status),
        tell: (news) => this.news.push(news),
      },
      startingManifest(this.folder),
    );
  }
}

function freshRig(options: LogRigOptions, lanes: number): Rig {
  const { memoryBytes = 16 * MIB, maxValueBytes = MIB, feedBytes = MIB } = options;
  return new Rig({ lanes, feedBytes, memoryBytes, maxValueBytes, build: 'release' });
}

/** The manifest of a folder, made if it never held a log. */
export function startingManifest(folder: string): Manifest {
  const known = readManifest(systemDevice, folder);
  if (known !== undefined) return known;
  const manifest: Manifest = { node: headerOf(1).node, next: 1, floor: 0n, files: [] };
  replaceManifest(systemDevice, folder, manifest);
  return manifest;
}

/** A store with whatever the files in a folder hold, file after file. */
export function replay(folder: string, nowMs: number): Rig {
  const rig = new Rig({ build: 'release' });
  rig.nowMs = nowMs;
  const merger = new Merger({
    lane: rig.lane,
    grants: rig.grants,
    nowMs: () => nowMs,
    pause: () => undefined,
  });
  for (const { number } of readManifest(systemDevice, folder)?.files ?? []) {
    const scan = new FileScan(systemDevice, logPath(folder, number));
    scanBlocks(scan, (walk) => {
      while (walk.next()) {
        if (walk.kind === 'put') merger.put(scan.bytes, walk);
        else if (walk.kind === 'remove') merger.bury(scan.bytes, walk, nowMs + 3_600_000);
      }
    });
    scan.close();
  }
  merger.flush();
  return rig;
}
