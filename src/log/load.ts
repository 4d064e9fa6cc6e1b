/**
 * Loads files of a log into a store, on a thread of its own beside others that load other files of
 * the same log. The order does not matter, for every record is merged by its version.
 */
import { Store, type StoreHandle } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import type { DamagePlace } from './damage.js';
import type { Device } from './device.js';
import { FileScan } from './fileScan.js';
import { LoadBoard } from './loadBoard.js';
import { Merger } from './merger.js';
import { logName, logPath } from './names.js';
import { TIER_LEAST_BYTES } from './place.js';
import type { RecordWalk } from './record.js';
import { scanBlocks } from './survey.js';
import { judge } from './tail.js';

/** Without a tier, with one, and with one where memory has no room for the values. */
export type LoadValues = 'all' | 'placed' | 'left';

/** A file to load, up to where it ends. */
export interface LoadFile {
  readonly number: number;
  readonly end: number | undefined;
}

/** Which records of which files are to be loaded. */
export interface LoadTask {
  readonly folder: string;
  readonly files: readonly LoadFile[];
  readonly store: StoreHandle;
  /** A lane that is this thread's while it loads. */
  readonly lane: number;
  readonly board: SharedArrayBuffer;
  /** This thread's place on the board. */
  readonly thread: number;
  /** Only records whose version has a time from here … */
  readonly sinceMs: number;
  /** … to before here are loaded, in Unix milliseconds. */
  readonly beforeMs: number;
  /** Records up to this version were cleared. */
  readonly cleared: bigint;
  /** What is loaded of values: all, all with their places, or of the long ones only the places. */
  readonly values: LoadValues;
  /** When the notes that a key is gone may be forgotten, Unix ms. */
  readonly tombstoneMs: number;
}

/** What came of it: nothing, or the damage that was found. */
export interface LoadResult {
  readonly damage: DamagePlace | undefined;
}

/** What loading needs from outside. */
export interface LoadParts {
  readonly device: Device;
  readonly clock: Clock;
  /** Blocks the thread. */
  readonly pause: (ms: number) => void;
}

/** Loads files that nobody else has taken, until there are none left. */
export function loadFiles(task: LoadTask, parts: LoadParts): LoadResult {
  const board = new LoadBoard(task.board);
  const loader = new Loader(task, parts, board);
  while (!board.stopped) {
    const file = task.files[board.take()];
    if (file === undefined) break;
    const damage = loader.load(file);
    if (damage === undefined) continue;
    board.stop();
    return { damage };
  }
  return { damage: undefined };
}

class Loader {
  readonly #task: LoadTask;
  readonly #parts: LoadParts;
  readonly #board: LoadBoard;
  readonly #merger: Merger;
  readonly #clearedHigh: number;
  readonly #clearedLow: number;
  /** The file in work. */
  #number = 0;

  constructor(task: LoadTask, parts: LoadParts, board: LoadBoard) {
    this.#task = task;
    this.#parts = parts;
    this.#board = board;
    const store = Store.attach(task.store);
    this.#merger = new Merger({
      lane: store.openLane(task.lane),
      grants: store.constant('GRANTS_ALL'),
      nowMs: () => parts.clock.nowMs(),
      pause: parts.pause,
    });
    this.#clearedHigh = Number(task.cleared >> 32n);
    this.#clearedLow = Number(task.cleared & 0xffff_ffffn);
  }

  /** Loads one file; the damage in it, if there is any. */
  load({ number, end }: LoadFile): DamagePlace | undefined {
    const { folder } = this.#task;
    this.#number = number;
    const scan = new FileScan(this.#parts.device, logPath(folder, number), end);
    try {
      scanBlocks(scan, (walk) => this.#loadBlock(scan, walk));
      this.#merger.flush();
      this.#report();
      if (judge(scan, false, end !== undefined) === 'whole') return undefined;
      const reason = scan.problem || 'the end of the file is missing';
      return { folder, file: logName(number), offset: scan.next, reason };
    } finally {
      scan.close();
    }
  }

  #loadBlock(scan: FileScan, walk: RecordWalk): void {
    const nowMs = this.#parts.clock.nowMs();
    const { bytes } = scan;
    let records = 0;
    while (walk.next()) {
      const { kind, expiryMs } = walk;
      if (kind === 'summary') continue;
      records++;
      if (kind === 'clear' || !this.#counts(walk)) continue;
      // A value that has expired still hides older ones of its key.
      const gone = kind === 'remove' || (expiryMs !== 0 && expiryMs <= nowMs);
      if (gone) this.#merger.bury(bytes, walk, this.#task.tombstoneMs);
      else this.#loadPut(scan, walk);
    }
    this.#board.add(this.#task.thread, 'records', records);
    this.#board.add(this.#task.thread, 'bytes', scan.recordsEnd - scan.recordsAt);
    this.#report();
  }

  #loadPut(scan: FileScan, walk: RecordWalk): void {
    const { values, tombstoneMs } = this.#task;
    const long = values !== 'all' && walk.valueLength >= TIER_LEAST_BYTES;
    const place = long ? { file: this.#number, offset: scan.offset } : undefined;
    if (values !== 'left') this.#merger.put(scan.bytes, walk, place);
    else if (place !== undefined) this.#merger.leave(scan.bytes, walk, place);
    // A short value has no room, and hides older ones all the same.
    else this.#merger.bury(scan.bytes, walk, tombstoneMs);
  }

  /** Whether a record is to be loaded at all. */
  #counts(walk: RecordWalk): boolean {
    const high = walk.versionHigh();
    const low = walk.versionLow();
    if (high < this.#clearedHigh) return false;
    if (high === this.#clearedHigh && low <= this.#clearedLow) return false;
    const timeMs = high * 2 ** 10 + (low >>> 22);
    return timeMs >= this.#task.sinceMs && timeMs < this.#task.beforeMs;
  }

  #report(): void {
    const { thread } = this.#task;
    this.#board.add(thread, 'taken', this.#merger.taken);
    this.#board.add(thread, 'refused', this.#merger.refused);
    this.#merger.taken = 0;
    this.#merger.refused = 0;
  }
}
