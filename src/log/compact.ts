/**
 * Compaction, on a thread of the job pool: of the oldest files of a log, what still counts is
 * copied into a new file, and the old ones are then dropped.
 *
 * A record counts if the store holds the very version it has; anything else was overwritten,
 * deleted, evicted or has expired. That a key's newest record can be dropped at all is owed to the
 * order of the files: of a key, no file holds a version older than one in a file before it. Before
 * compaction begins, the log has begun a new file for what comes (`Writer.divide`), and the copies
 * go before that one. So what is dropped from the oldest files hides nothing anywhere.
 *
 * Clears are the exception: what they removed may have been written behind them, by a thread that
 * was slower. So the highest clear is copied always.
 */
import { DONE } from '../arena/lane.js';
import { Store, type StoreHandle } from '../arena/store.js';
import type { StoreLane } from '../arena/storeLane.js';
import type { Clock } from '../base/clock.js';
import { STATUS } from '../protocol/status.js';
import {
  ANSWER_HEADER_BYTES,
  ANSWER_STATUS_AT,
  FLAG_NO_VALUE,
  FLAG_PEEK,
  FLAG_WITH_META,
  ID_AT,
  OP_GET,
  REQUEST_HEADER_BYTES,
} from '../protocol/wire.js';
import type { DamagePlace } from './damage.js';
import { type Device, isFull } from './device.js';
import { FileScan } from './fileScan.js';
import type { LoadFile } from './load.js';
import { Locator } from './locator.js';
import { LogFile, type NewFileHeader } from './logFile.js';
import { logName, logPath } from './names.js';
import { encodeRecord, type RecordWalk } from './record.js';
import { scanBlocks } from './survey.js';
import { judge } from './tail.js';

/** So much is copied between two syncs, so that no sync of the log has to wait for a large one. */
const SYNC_BYTES = 4 << 20;
const WRITE_BYTES = 256 * 1024;
const NOTHING = new Uint8Array(0);

/** What is to be compacted. */
export interface CompactTask {
  readonly folder: string;
  /** The oldest files of the log, in their order. */
  readonly files: readonly LoadFile[];
  /** The header of the file that takes their place. */
  readonly header: NewFileHeader;
  readonly store: StoreHandle;
  /** A lane that is this thread's. */
  readonly lane: number;
  /** The highest clear of the whole log; what is not above it does not count. */
  readonly cleared: bigint;
  /** Bytes of old files that are read in a second at most. */
  readonly bytesPerSecond: number;
  /** The store is to be told where the values are that it may have to read. */
  readonly tier: boolean;
  /** Its first word is not 0 once the work is to be given up. */
  readonly stop: SharedArrayBuffer;
}

/** What came of it. */
export interface CompactResult {
  /** Nothing was done, because an old file is damaged. */
  readonly damage: DamagePlace | undefined;
  /** It was given up, because it was told to or the disk is full. */
  readonly stopped: boolean;
  readonly records: number;
  /** Bytes of the new file. */
  readonly bytes: number;
}

/** What compaction needs from outside. */
export interface CompactParts {
  readonly device: Device;
  readonly clock: Clock;
  /** Blocks the thread. */
  readonly pause: (ms: number) => void;
}

/** Copies what counts; the new file is on disk when it returns, but not part of the log. */
export function compactFiles(task: CompactTask, parts: CompactParts): CompactResult {
  try {
    const file = LogFile.create(parts.device, task.folder, task.header);
    try {
      return new Compaction(task, parts, file).run();
    } finally {
      file.close();
    }
  } catch (error) {
    // Errors lose their codes on the way to another thread.
    if (!isFull(error)) throw error;
    return { damage: undefined, stopped: true, records: 0, bytes: 0 };
  }
}

class Compaction {
  readonly #task: CompactTask;
  readonly #parts: CompactParts;
  readonly #file: LogFile;
  readonly #stop: Int32Array;
  readonly #living: Living;
  readonly #locator: Locator | undefined;
  readonly #startMs: number;
  #readBytes = 0;
  #unsynced = 0;

  constructor(task: CompactTask, parts: CompactParts, file: LogFile) {
    this.#task = task;
    this.#parts = parts;
    this.#file = file;
    this.#stop = new Int32Array(task.stop);
    const store = Store.attach(task.store);
    const grants = store.constant('GRANTS_ALL');
    const lane = store.openLane(task.lane);
    this.#living = new Living(lane, grants, parts);
    if (task.tier) {
      const locator = new Locator({ lane, grants, nowMs: () => parts.clock.nowMs() });
      file.onRecord = (walk, offset) => locator.note(walk, file.number, offset);
      this.#locator = locator;
    }
    this.#startMs = parts.clock.monotonicMs();
  }

  run(): CompactResult {
    this.#keepClear();
    for (const file of this.#task.files) {
      const damage = this.#copy(file);
      if (damage !== undefined || this.#stopped) return this.#result(damage);
    }
    this.#file.finish();
    this.#locator?.settle();
    return this.#result(undefined);
  }

  get #stopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  #result(damage: DamagePlace | undefined): CompactResult {
    const { summary, length } = this.#file;
    return { damage, stopped: this.#stopped, records: summary.records, bytes: length };
  }

  #keepClear(): void {
    const { cleared } = this.#task;
    if (cleared === 0n) return;
    const fields = { kind: 'clear', encoding: 0, version: cleared, expiryMs: 0 } as const;
    this.#file.add(encodeRecord({ ...fields, key: NOTHING, value: NOTHING }));
  }

  #copy({ number, end }: LoadFile): DamagePlace | undefined {
    const { folder } = this.#task;
    const scan = new FileScan(this.#parts.device, logPath(folder, number), end);
    try {
      scanBlocks(scan, (walk) => {
        if (this.#stopped) return;
        this.#copyBlock(scan, walk);
        this.#throttle(scan.recordsEnd - scan.recordsAt);
      });
      if (this.#stopped || judge(scan, false, end !== undefined) === 'whole') return undefined;
      const reason = scan.problem || 'the end of the file is missing';
      return { folder, file: logName(number), offset: scan.next, reason };
    } finally {
      scan.close();
    }
  }

  #copyBlock(scan: FileScan, walk: RecordWalk): void {
    const places = this.#living.among(scan.bytes, walk);
    for (const { at, size } of places) {
      this.#file.add(scan.bytes.subarray(at, at + size));
      this.#unsynced += size;
    }
    if (this.#file.pendingBytes >= WRITE_BYTES) this.#file.flush();
    if (this.#unsynced < SYNC_BYTES) return;
    this.#unsynced = 0;
    this.#file.flush();
    this.#file.sync();
    // Values are read from the new file from now on; if it comes to nothing they are absent.
    this.#locator?.settle();
  }

  /** Sleeps if more was read than the time allows. */
  #throttle(bytes: number): void {
    const { clock, pause } = this.#parts;
    this.#readBytes += bytes;
    const dueMs = (this.#readBytes / this.#task.bytesPerSecond) * 1000;
    const aheadMs = dueMs - (clock.monotonicMs() - this.#startMs);
    if (aheadMs >= 1) pause(aheadMs);
  }
}

/** Where a record lies in the bytes of its block. */
interface Place {
  readonly at: number;
  readonly size: number;
  readonly high: number;
  readonly low: number;
}

/** Asks the store which records hold the versions that it has. */
class Living {
  readonly #lane: StoreLane;
  readonly #grants: number;
  readonly #parts: CompactParts;
  #frame = new Uint8Array(1 << 16);
  #end = 0;
  #places: Place[] = [];
  #found: Place[] = [];

  constructor(lane: StoreLane, grants: number, parts: CompactParts) {
    this.#lane = lane;
    this.#grants = grants;
    this.#parts = parts;
  }

  /** Those of the puts that `walk` comes by which the store has. */
  among(bytes: Uint8Array, walk: RecordWalk): readonly Place[] {
    this.#places = [];
    this.#found = [];
    this.#end = 0;
    while (walk.next()) if (walk.kind === 'put') this.#ask(bytes, walk);
    if (this.#end > 0) this.#execute();
    return this.#found;
  }

  #ask(bytes: Uint8Array, walk: RecordWalk): void {
    const { at, size, keyAt, keyLength } = walk;
    const from = this.#end;
    const length = REQUEST_HEADER_BYTES + keyLength;
    if (from + length > this.#frame.length) this.#grow(from + length);
    const view = new DataView(this.#frame.buffer, from, REQUEST_HEADER_BYTES);
    view.setUint32(0, length, true);
    view.setUint32(4, this.#places.length, true);
    view.setUint32(8, OP_GET, true);
    const flags = FLAG_PEEK | FLAG_NO_VALUE | FLAG_WITH_META;
    view.setUint16(12, flags, true);
    view.setUint16(14, keyLength, true);
    view.setUint32(16, 0, true);
    this.#frame.set(bytes.subarray(keyAt, keyAt + keyLength), from + REQUEST_HEADER_BYTES);
    this.#end = from + length;
    this.#places.push({ at, size, high: walk.versionHigh(), low: walk.versionLow() });
  }

  #grow(need: number): void {
    const frame = new Uint8Array(Math.max(need, 2 * this.#frame.length));
    frame.set(this.#frame.subarray(0, this.#end));
    this.#frame = frame;
  }

  #execute(): void {
    const nowMs = this.#parts.clock.nowMs();
    const frame = this.#frame.subarray(0, this.#end);
    if (!this.#lane.push(0, this.#grants, nowMs, frame)) {
      throw new Error('a block of the log has more keys than a frame takes');
    }
    for (let result = -1; result !== DONE; ) {
      result = this.#lane.execute(this.#parts.clock.nowMs());
      while (this.#lane.next()) this.#readAnswers();
    }
  }

  #readAnswers(): void {
    const { memory, messageAt, messageLength } = this.#lane;
    const view = new DataView(memory.buffer, messageAt, messageLength);
    for (let at = 0; at < messageLength; at += view.getUint32(at, true)) {
      if (view.getUint8(at + ANSWER_STATUS_AT) !== STATUS.OK) continue;
      const place = this.#places[view.getUint32(at + ID_AT, true)];
      const low = view.getUint32(at + ANSWER_HEADER_BYTES, true);
      const high = view.getUint32(at + ANSWER_HEADER_BYTES + 4, true);
      if (place?.low === low && place.high === high) this.#found.push(place);
    }
  }
}
