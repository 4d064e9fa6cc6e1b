/**
 * The writer takes the changes that all threads publish and makes them last. It works in rounds:
 * notice what every feed has, pack it into blocks, write them, sync when it is due. All changes of
 * a round share its sync, whoever made them: under `always`, while one round is being synced the
 * changes of the next pile up in the feeds, so the slower the device, the more share a sync.
 *
 * What can go wrong, and what is done about it:
 *
 * - The device is full: what could not be written stays where it is, nothing more is taken out of
 *   the feeds, and each later round tries again. Changes are refused meanwhile, reads are not.
 * - A write or a sync fails: nobody can say what is on disk. After a failed sync the kernel may
 *   have thrown the data away and report success the next time, so there is no next time: the
 *   writer has failed for good, and nothing is confirmed from then on.
 * - A change may be visible whose record is not published yet, because its thread was stopped in
 *   between. Who saw the change must wait for it: such a round is written, but does not count as
 *   the one that made tickets durable; the next one will.
 */
import type { FeedReader } from '../arena/feedReader.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Fsync } from '../config/config.js';
import { type Device, isFull } from './device.js';
import { SALT_BYTES } from './fileHeader.js';
import { replaceManifest } from './folder.js';
import type { Locator } from './locator.js';
import { LogFile } from './logFile.js';
import type { Manifest } from './manifest.js';
import { type Replacement, replaceFiles } from './replacement.js';
import {
  CLOSED,
  FAILED,
  FULL,
  type LogState,
  RUNNING,
  refusalIn,
  type Signals,
} from './signals.js';

/** Under `everysec`, a sync begins this long after the last one began. */
export const SYNC_PERIOD_MS = 1000;
/** So many bytes are packed before they are written. */
const WRITE_BYTES = 256 * 1024;

/** So many rounds are tried for one in which no thread was stopped in the middle of a change. */
const DIVIDE_TRIES = 100;

/** What the writer tells the node. */
export type WriterNews =
  | { readonly kind: 'full'; readonly reason: string }
  | { readonly kind: 'room' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'rotated'; readonly number: number };

/** What a writer works with. */
export interface WriterParts {
  readonly device: Device;
  readonly clock: Clock;
  readonly random: Random;
  readonly folder: string;
  /** One for each lane of each arena. */
  readonly feeds: readonly FeedReader[];
  readonly signals: Signals;
  readonly fsync: Fsync;
  /** A file that has grown to this size is ended, and the next one begun. */
  readonly fileBytes: number;
  /** What the files of earlier starts have together, in bytes. */
  readonly earlierBytes: number;
  /** Is told where values are that may have to be read from the log. */
  readonly locator?: Locator | undefined;
  /** Has changes refused with a status, or taken with 0; without it they are always taken. */
  readonly refuse?: (status: number) => void;
  readonly tell: (news: WriterNews) => void;
}

/** Writes the log of a node; see the top of this file. */
export class Writer {
  readonly #parts: WriterParts;
  #manifest: Manifest;
  #file: LogFile;
  /** The current file is ended, but there is no next one yet. */
  #ended = false;
  #syncedMs: number;
  /** The round of which everything is written, though perhaps not synced. */
  #written = 0;
  #failed = false;
  #full = false;
  #settled = true;
  /** Of the files that were ended. */
  #endedBytes: number;
  #endedRecords = 0;
  /** The records of the round in work, while a file is being divided off. */
  #echo: Uint8Array[] | undefined;

  /** Begins a new file. Throws what the device throws. */
  constructor(parts: WriterParts, manifest: Manifest) {
    this.#parts = parts;
    this.#manifest = manifest;
    this.#endedBytes = parts.earlierBytes;
    this.#file = this.#nextFile();
    this.#syncedMs = parts.clock.monotonicMs();
    this.#count();
  }

  /** Which files are the log now. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  #nextFile(): LogFile {
    const { device, folder, random, clock, locator, fsync, fileBytes } = this.#parts;
    const { node, next, floor, files } = this.#manifest;
    const named = { purpose: 'feed', number: next, node } as const;
    const header = { ...named, salt: random.bytes(SALT_BYTES), madeMs: clock.nowMs() };
    // Only then is every sync waited for.
    const aheadTo = fsync === 'always' ? fileBytes : 0;
    const file = LogFile.create(device, folder, header, aheadTo);
    const manifest = { node, next: next + 1, floor, files: [...files, { number: next }] };
    try {
      replaceManifest(device, folder, manifest);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#manifest = manifest;
    if (locator !== undefined) {
      file.onRecord = (walk, offset) => locator.note(walk, file.number, offset);
    }
    return file;
  }

  /** Whether a write or a sync failed, after which nothing is written any more. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether the device was full the last time. */
  get full(): boolean {
    return this.#full;
  }

  /** Whether somebody may wait for a change that the last round could not take. */
  get owes(): boolean {
    return !this.#settled;
  }

  /** One round; how many bytes of records it took. Never throws. */
  round(): number {
    if (this.#failed) return 0;
    try {
      const taken = this.#takeRound();
      this.#noteRoom();
      return taken;
    } catch (error) {
      if (isFull(error)) this.#noteFull(error);
      else this.#fail(error);
      return 0;
    } finally {
      this.#count();
    }
  }

  #takeRound(): number {
    const { signals, feeds } = this.#parts;
    // What an earlier round could not write comes before anything new.
    this.#makeProgress();
    const round = signals.begin();
    signals.add('rounds', 1);
    this.#settled = true;
    for (const feed of feeds) if (!feed.mark()) this.#settled = false;
    let taken = 0;
    for (const feed of feeds) taken += this.#drain(feed);
    this.#flush();
    if (this.#settled) this.#written = round;
    this.#syncIfDue();
    if (this.#file.length >= this.#parts.fileBytes) this.#rotate();
    return taken;
  }

  /** Writes what is left from a round that found the device full. */
  #makeProgress(): void {
    this.#flush();
    if (this.#ended) this.#rotate();
  }

  /** Memory can let go of a value only once it knows where the record lies: so it is told now. */
  #flush(): void {
    this.#file.flush();
    this.#parts.locator?.settle();
  }

  /** Packs everything that was noticed of a feed, and gives its room back. */
  #drain(feed: FeedReader): number {
    let taken = 0;
    while (feed.run(this.#file.roomBytes)) {
      const { runAt, runBytes, memory } = feed;
      const at = this.#file.reserve(runBytes);
      this.#file.bytes.set(memory.subarray(runAt, runAt + runBytes), at);
      this.#file.took(runBytes);
      taken += runBytes;
      this.#echo?.push(memory.slice(runAt, runAt + runBytes));
      feed.release();
      if (this.#file.pendingBytes >= WRITE_BYTES) this.#flush();
    }
    feed.release();
    this.#parts.signals.add('bytes', taken);
    return taken;
  }

  #syncIfDue(): void {
    const { fsync, clock } = this.#parts;
    if (fsync === 'never') return;
    if (fsync === 'everysec' && clock.monotonicMs() - this.#syncedMs < SYNC_PERIOD_MS) return;
    this.#sync();
  }

  #sync(): void {
    const { signals, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#syncedMs = startMs;
    if (this.#file.synced !== this.#file.length) {
      this.#file.sync();
      const tookMs = clock.monotonicMs() - startMs;
      signals.add('syncs', 1);
      signals.add('syncMs', tookMs);
      signals.set('syncMsMax', Math.max(signals.figure('syncMsMax'), tookMs));
    }
    this.#confirm();
  }

  /** What was counted is there before anybody is told: who is, may ask for the figures at once. */
  #confirm(): void {
    this.#count();
    this.#parts.signals.finish(this.#written);
  }

  /** Ends the file and begins the next; called again where it stopped if the device is full. */
  #rotate(): void {
    this.#ended = true;
    this.#file.finish();
    const ended = this.#file;
    this.#file = this.#nextFile();
    this.#ended = false;
    this.#endedBytes += ended.length;
    this.#endedRecords += ended.summary.records;
    this.#confirm();
    this.#parts.tell({ kind: 'rotated', number: this.#file.number });
    ended.close();
  }

  /**
   * Ends the current file in such a way that compaction may drop records from those up to it. False
   * when that is not possible now.
   *
   * Of a key, a later file must not hold an older version than an earlier file. But threads publish
   * independently of each other: of two that wrote the same key, the later may be taken by this
   * round and the earlier by the next. Not by one after that, if the next is settled; so what a
   * settled round took is written to both files.
   */
  divide(): boolean {
    return this.#attempt(() => {
      // Whatever has piled up is not written twice.
      this.#takeRound();
      for (let tries = 0; tries < DIVIDE_TRIES; tries++) {
        this.#echo = [];
        this.#takeRound();
        if (!this.#settled) continue;
        this.#rotate();
        for (const records of this.#echo) this.#file.add(records);
        this.#flush();
        return true;
      }
      return false;
    });
  }

  /** A number for a file that somebody else writes. */
  reserve(): number {
    const number = this.#manifest.next;
    this.#manifest = { ...this.#manifest, next: number + 1 };
    return number;
  }

  /** Puts a compacted file in the place of those it was made from; false when that failed. */
  install(change: Replacement): boolean {
    return this.#attempt(() => {
      // What the dropped records gave way to may have been published, but not be on disk yet.
      for (let tries = 0; tries < DIVIDE_TRIES; tries++) {
        this.#takeRound();
        if (this.#settled) break;
      }
      if (!this.#settled) return false;
      this.#sync();
      const { device, folder } = this.#parts;
      const manifest = replaceFiles(this.#manifest, change);
      replaceManifest(device, folder, manifest);
      this.#manifest = manifest;
      this.#endedBytes += change.bytesAdded - change.bytesDropped;
      return true;
    });
  }

  /** Does something to the log; false when the device was full or failed. */
  #attempt(work: () => boolean): boolean {
    if (this.#failed || this.#full) return false;
    try {
      return work();
    } catch (error) {
      if (isFull(error)) this.#noteFull(error);
      else this.#fail(error);
      return false;
    } finally {
      this.#echo = undefined;
      this.#count();
    }
  }

  #noteFull(error: unknown): void {
    if (this.#full) return;
    const { signals, tell } = this.#parts;
    this.#full = true;
    signals.add('fulls', 1);
    this.#become(FULL);
    tell({ kind: 'full', reason: messageOf(error) });
  }

  #noteRoom(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#become(RUNNING);
    this.#parts.tell({ kind: 'room' });
  }

  #become(state: LogState): void {
    this.#parts.refuse?.(refusalIn(state));
    this.#parts.signals.state = state;
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#become(FAILED);
    this.#parts.tell({ kind: 'failed', reason: messageOf(error) });
  }

  #count(): void {
    const { signals, feeds } = this.#parts;
    let pending = this.#file.pendingBytes;
    for (const feed of feeds) pending += feed.pendingBytes;
    signals.set('pendingBytes', pending);
    signals.set('files', this.#manifest.files.length);
    signals.set('logBytes', this.#endedBytes + this.#file.length);
    signals.set('records', this.#endedRecords + this.#file.summary.records);
  }

  /**
   * Writes what is still published, ends the file in order and lets go of it; false when that did
   * not succeed. The threads that publish must have ended.
   */
  close(): boolean {
    while (!this.#failed && !this.#full && this.round() > 0);
    if (this.#failed || this.#full) {
      this.#file.close();
      return false;
    }
    try {
      this.#file.finish();
      this.#confirm();
      this.#become(CLOSED);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#file.close();
    }
  }
}
