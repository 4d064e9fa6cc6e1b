/**
 * Decides when a log is compacted, and sees to it: divide, copy, replace, remove.
 *
 *   files, oldest first   │ 3 │ 4 │ 5 │ 6 │ 7*        * is being written
 *   divide                │ 3 │ 4 │ 5 │ 6 │ 7 │ 9*    8 is reserved
 *   copy what counts of     3   4 into 8
 *   replace               │ 5 │ 6 │ 7 │ 8 │ 9*
 *
 * The oldest files go first, always: that what is dropped hides nothing depends on it. When the log
 * may be `GROWTH` times what the store holds, each file is read once in a turn of the log, and what
 * is still alive then is written once more. In the worst case, all of it, that is `GROWTH` to
 * `GROWTH` - 1 bytes written for each byte of changes: 1.67.
 *
 * With a tier the log may have its size besides, of which values that only the disk has get
 * `TIER_VALUES_SHARE`; that much of it then still counts, too, and the worst case is 2.5.
 */
import type { Store } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Timer, Timers } from '../base/timers.js';
import type { Device } from './device.js';
import { readEnding } from './ending.js';
import { SALT_BYTES } from './fileHeader.js';
import { readManifest } from './folder.js';
import type { Jobs } from './jobs.js';
import type { NewFileHeader } from './logFile.js';
import { decodeManifest, type Manifest, type ManifestFile } from './manifest.js';
import { logPath } from './names.js';
import type { Replacement } from './replacement.js';
import type { Signals } from './signals.js';

/** The log may be so many times what the store holds … */
const GROWTH = 2.5;
/** … and have this share of the tier besides; the rest is for what is being written anew. */
const TIER_SHARE = 0.9;
/** A log of fewer files than this is left alone. */
const LEAST_FILES = 3;
/** So many files' worth of bytes are compacted at once at least … */
const BATCH_FILES = 2;
/** … or this share of what the log may have, so that a small file is not divided off too often … */
const BATCH_SHARE = 0.1;
/** … and more when it has far more. */
const HURRY_SHARE = 0.4;
/** A compaction was worth it if it left at most this share. */
const GAIN = 0.8;
const PERIOD_MS = 1000;
/** Old files are read at this rate, unless the log has grown far beyond what it may be. */
const BYTES_PER_SECOND = 64 << 20;
const HURRY = 1.5;
/** What a record has beyond the bytes that the store counts for its item. */
const RECORD_EXTRA_BYTES = 14;

/** A log that was divided. */
export interface Divided {
  readonly manifest: string;
  readonly before: number;
  readonly number: number;
}

/** The thread of the log, as far as compaction asks it. */
export interface LogThreadLink {
  /** Nothing when the log can't be divided now. */
  divide(): Promise<Divided | undefined>;
  install(change: Replacement): Promise<boolean>;
}

/** What the compactor works with. */
export interface CompactorParts {
  readonly folder: string;
  readonly fileBytes: number;
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly signals: Signals;
  readonly store: Store;
  /** What the log may have, in bytes, for values that memory evicted, if there is a tier. */
  readonly tierBytes?: number | undefined;
  /** A lane that nobody else uses. */
  readonly lane: number;
  /** Files up to this number were written without the key that is to be written with now. */
  readonly staleUpTo: number;
  readonly jobs: Pick<Jobs, 'compact' | 'remove'>;
  readonly log: LogThreadLink;
  readonly news: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** Files that are to be compacted together. */
interface Batch {
  readonly files: readonly ManifestFile[];
  readonly bytes: number;
  readonly cleared: bigint;
  readonly highest: bigint;
}

/** See the top of this file. */
export class Compactor {
  readonly #parts: CompactorParts;
  readonly #stop = new SharedArrayBuffer(4);
  #timer: Timer | undefined;
  #work: Promise<void> = Promise.resolve();
  #busy = false;
  /** Nothing is done before the log has this size, as the last time gained little. */
  #enoughBytes = 0;
  #staleUpTo: number;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
    this.#staleUpTo = parts.staleUpTo;
  }

  /** Looks every second whether there is something to do. */
  start(): void {
    this.#timer = this.#parts.timers.every(PERIOD_MS, () => this.look()).unref();
  }

  /** Gives up what it is at, and does no more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    await this.#work;
  }

  /** Begins to compact if that is due and not under way. */
  look(): void {
    const stopped = Atomics.load(new Int32Array(this.#stop), 0) !== 0;
    if (stopped || this.#busy || !this.#isDue()) return;
    this.#busy = true;
    this.#work = this.compact().then(
      (done) => {
        this.#busy = false;
        if (done) this.look();
      },
      (error) => {
        // What was damaged stays so: it is not tried again until the node is started anew.
        this.#timer?.cancel();
        this.#parts.news.error({ reason: messageOf(error) }, 'the log is not compacted any more');
      },
    );
  }

  /** Whether the log is too large, or a part of it is to be written with another key. */
  #isDue(): boolean {
    if (this.#staleUpTo > 0) return true;
    const few = this.#parts.signals.figure('logBytes') < this.#enoughBytes;
    return !few && this.#excess() > 1;
  }

  /** The size of the log, as a share of what it may have; above 1 it is to be compacted. */
  #excess(): number {
    return this.#parts.signals.figure('logBytes') / this.#mayBytes();
  }

  #batchShare(): number {
    return this.#excess() > HURRY ? HURRY_SHARE : BATCH_SHARE;
  }

  /** What the log may have, in bytes. */
  #mayBytes(): number {
    const { store, fileBytes, tierBytes = 0 } = this.#parts;
    const { items, itemBytes } = store.stats();
    const aliveBytes = itemBytes + items * RECORD_EXTRA_BYTES;
    return Math.max(aliveBytes * GROWTH, LEAST_FILES * fileBytes) + tierBytes * TIER_SHARE;
  }

  /** Compacts the oldest files once; whether that was possible. Throws when one is damaged. */
  async compact(): Promise<boolean> {
    const divided = await this.#parts.log.divide();
    if (divided === undefined) return false;
    const manifest = decodeManifest(divided.manifest);
    if (typeof manifest === 'string') throw new Error(manifest);
    const batch = this.#choose(manifest, divided.before);
    if (batch.files.length === 0 || !(await this.#replace(batch, manifest, divided))) return false;
    this.#noteKeys(manifest, batch);
    return true;
  }

  /** What was compacted was written with the key to write with. */
  #noteKeys({ files }: Manifest, batch: Batch): void {
    const left = files.filter((file) => !batch.files.includes(file));
    if (this.#staleUpTo === 0 || left.some(({ number }) => number <= this.#staleUpTo)) return;
    this.#staleUpTo = 0;
    const key = this.#parts.device.keys?.writingName;
    this.#parts.news.info({ key }, 'all files of the log are written with the first key');
  }

  /** The oldest files, as many as make a batch. */
  #choose(manifest: Manifest, before: number): Batch {
    const { device, folder, fileBytes } = this.#parts;
    const files: ManifestFile[] = [];
    const batchBytes = Math.max(BATCH_FILES * fileBytes, this.#batchShare() * this.#mayBytes());
    let [bytes, cleared, highest] = [0, 0n, 0n];
    for (const file of manifest.files) {
      if (file.number === before || bytes >= batchBytes) break;
      const summary = file.summary ?? readEnding(device, folder, file);
      if (summary === undefined) throw new Error(`log file ${file.number} has no end`);
      files.push(file);
      bytes += file.end ?? sizeOf(device, folder, file.number);
      cleared = summary.cleared > cleared ? summary.cleared : cleared;
      highest = summary.highest > highest ? summary.highest : highest;
    }
    return { files, bytes, cleared, highest };
  }

  async #replace(batch: Batch, manifest: Manifest, divided: Divided): Promise<boolean> {
    const { folder, jobs, log, signals, store, lane, clock } = this.#parts;
    const { number, before } = divided;
    const { files, cleared, highest } = batch;
    const startMs = clock.monotonicMs();
    const result = await jobs.compact({
      folder,
      files: files.map((file) => ({ number: file.number, end: file.end })),
      header: this.#header(number, manifest.node),
      store: store.handle,
      lane,
      cleared,
      bytesPerSecond: this.#excess() > HURRY ? Number.MAX_SAFE_INTEGER : BYTES_PER_SECOND,
      tier: this.#parts.tierBytes !== undefined,
      stop: this.#stop,
    });
    const { damage, stopped, records, bytes } = result;
    const added = records > 0 ? number : undefined;
    const dropped = files.map((file) => file.number);
    const sizes = { bytesDropped: batch.bytes, bytesAdded: added === undefined ? 0 : bytes };
    const done =
      damage === undefined &&
      !stopped &&
      (await log.install({ dropped, added, before, floor: highest, ...sizes }));
    const gone = [...(done ? dropped : []), ...(this.#mayBeListed(number) ? [] : [number])];
    await jobs.remove(gone.map((each) => logPath(folder, each)));
    if (damage !== undefined) throw new Error(`${damage.file}, ${damage.offset}: ${damage.reason}`);
    if (!done) return false;
    // What is all alive is not copied again and again: as much has to be written before.
    const gained = sizes.bytesAdded < GAIN * sizes.bytesDropped;
    this.#enoughBytes = gained ? 0 : signals.figure('logBytes') + sizes.bytesDropped;
    signals.add('compactions', 1);
    signals.add('compactedBytes', sizes.bytesAdded);
    signals.add('droppedBytes', sizes.bytesDropped);
    const tookMs = Math.round(clock.monotonicMs() - startMs);
    this.#parts.news.info({ files: files.length, ...sizes, tookMs }, 'compacted the log');
    return true;
  }

  /**
   * Whether the manifest on disk may list a file. After a failed installation it may, or may not:
   * if only the sync of the folder failed, the new manifest is there, and needs the new file.
   */
  #mayBeListed(number: number): boolean {
    const { device, folder } = this.#parts;
    try {
      const manifest = readManifest(device, folder);
      return manifest === undefined || manifest.files.some((file) => file.number === number);
    } catch {
      // What is left over is removed by the next start.
      return true;
    }
  }

  #header(number: number, node: Uint8Array): NewFileHeader {
    const { random, clock } = this.#parts;
    const salt = random.bytes(SALT_BYTES);
    return { purpose: 'compacted', number, node, salt, madeMs: clock.nowMs() };
  }
}

function sizeOf(device: Device, folder: string, number: number): number {
  const file = device.openToRead(logPath(folder, number));
  try {
    return file.size();
  } finally {
    file.close();
  }
}
