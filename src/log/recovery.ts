/**
 * Brings what a log holds back into a store.
 *
 * Every record is merged by its version, so files are read in any order and by many threads at
 * once. That gives the newest version of each key as long as nothing is evicted on the way: if the
 * newest version of a key were evicted, an older one that is read later would find its place free,
 * and a value that was overwritten or deleted long ago would be back. An index of the versions of
 * all keys would prevent that, at 16 bytes a key of a log that may be many times larger than the
 * memory. So nothing is evicted: only as much is loaded as fits, the newest first. The files'
 * summaries tell how many bytes were written when; from them follows a time since when everything
 * fits. When that is loaded, and overwritten versions have made it less than was feared, the time
 * before that is loaded, as far as it fits, and so on. Of a key whose newest version is older than
 * what was loaded there is nothing in memory, never something older.
 *
 *   ages    │··········│·····│───────────────────────│ now
 *                round 3    2    round 1: fits in memory even if no key was written twice
 *
 * With a tier, memory holds values up to a share of it, and of those before that only where they
 * lie, as far as there is room: these rounds load stubs, and tombstones for what is too short for
 * one.
 *
 * Deletes are loaded as tombstones, and values that have expired too: they hide what is older.
 * If something is evicted after all, because values needed more memory than they have bytes, the
 * store is of no use: everything starts over with a fresh one and less of it.
 */
import type { Store } from '../arena/store.js';
import type { Clock } from '../base/clock.js';
import type { Timers } from '../base/timers.js';
import { LogDamage } from './damage.js';
import type { LoadResult, LoadTask, LoadValues } from './load.js';
import { LoadBoard } from './loadBoard.js';
import type { OpenedFile, OpenedLog } from './opening.js';
import { type Totals, totalsOf } from './totals.js';

/** As much of what looks free is filled at most. */
const FILL = 0.95;
/** Segments that each lane keeps for itself: two it fills, and one that should stay free. */
const SEGMENTS_PER_LANE = 3;
/** A further round has to promise this share of what the first had. */
const WORTH = 0.03;
const ROUNDS_MAX = 8;
/** With a tier, values that do not all fit take this share of the room. */
const VALUES_SHARE = 0.4;
/** What a stub or a tombstone takes of the room at most, unless keys are long, in bytes. */
const STUB_BYTES = 112;
/** When something was evicted, the next try takes this share of what the last took for free. */
const RETREAT = 0.7;
const TRIES_MAX = 12;
/** Tombstones are kept so long; loading should be over by then, and nobody sweeps before. */
const TOMBSTONE_MS = 600_000;
const PROGRESS_MS = 1000;

/** How far loading has come. */
export interface Progress {
  /** Of the bytes of all files, from 0 to 1. */
  readonly share: number;
  readonly records: number;
}

/** What was loaded. */
export interface Recovered {
  readonly store: Store;
  readonly files: number;
  readonly bytes: number;
  /** Records read, and those of them that were newer than what there was. */
  readonly records: number;
  readonly taken: number;
  /** Records that the store can't hold under its settings. */
  readonly refused: number;
  /** What is older than this was not loaded, Unix ms; 0 when everything was. */
  readonly sinceMs: number;
  readonly tookMs: number;
}

/** What recovery works with. */
export interface RecoveryParts {
  readonly opened: OpenedLog;
  /** A store that is empty and that nobody uses. */
  readonly makeStore: () => Store;
  /** Lanes that nobody holds, one for each thread that loads. */
  readonly lanes: readonly number[];
  /** Whether values may stay on disk. */
  readonly tier: boolean;
  /** Runs a task on a thread. */
  readonly load: (task: LoadTask) => Promise<LoadResult>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onProgress: (progress: Progress) => void;
}

/** Loads a log into a fresh store. Throws `LogDamage`. */
export async function recover(parts: RecoveryParts): Promise<Recovered> {
  const startMs = parts.clock.monotonicMs();
  const totals = totalsOf(parts.opened.files.map(({ summary }) => summary));
  for (let [tries, fill] = [0, FILL]; tries < TRIES_MAX; tries++, fill *= RETREAT) {
    const attempt = new Attempt(parts, totals, fill);
    if (!(await attempt.run())) continue;
    const { floor } = parts.opened.manifest;
    const highest = totals.highest > floor ? totals.highest : floor;
    attempt.store.restoreVersions(highest, totals.cleared);
    return { ...attempt.result(), tookMs: parts.clock.monotonicMs() - startMs };
  }
  throw new Error('the log could not be loaded without evicting a part of it');
}

/** Bytes of records that a store certainly takes without evicting anything. */
function roomIn(store: Store, fill: number): number {
  const { segments } = store.stats();
  const free = segments.free - SEGMENTS_PER_LANE * store.lanes * store.arenas.length;
  return Math.max(0, free * segments.bytes * fill);
}

/** One try, which takes a share of what looks free for free. */
class Attempt {
  readonly store: Store;
  readonly #parts: RecoveryParts;
  readonly #totals: Totals;
  readonly #fill: number;
  #sinceMs = 0;
  #bytes = 0;
  #records = 0;
  #taken = 0;
  #refused = 0;

  constructor(parts: RecoveryParts, totals: Totals, fill: number) {
    this.#parts = parts;
    this.#totals = totals;
    this.#fill = fill;
    this.store = parts.makeStore();
  }

  /** Loads; false when something was evicted. */
  async run(): Promise<boolean> {
    const { bytes, recency } = this.#totals;
    const roomBytes = roomIn(this.store, this.#fill);
    const wholeBytes = this.#parts.tier && bytes > roomBytes ? roomBytes * VALUES_SHARE : roomBytes;
    const reservedBytes = roomBytes - wholeBytes;
    let freeBytes = wholeBytes;
    let beforeMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const everything = round === 0 && bytes <= freeBytes;
      const sinceMs = everything ? 0 : recency.fitsFromMs(freeBytes, beforeMs);
      if (sinceMs >= beforeMs) break;
      await this.#load(sinceMs, beforeMs, this.#parts.tier ? 'placed' : 'all');
      if (this.#evicted()) return false;
      this.#sinceMs = sinceMs;
      beforeMs = sinceMs;
      freeBytes = roomIn(this.store, this.#fill) - reservedBytes;
      if (beforeMs === 0 || freeBytes < wholeBytes * WORTH) break;
    }
    if (this.#parts.tier && beforeMs > 0) await this.#leave(beforeMs);
    return !this.#evicted();
  }

  /** Loads where values lie that were written before, as far back as there is room for that. */
  async #leave(beforeMs: number): Promise<void> {
    const { bytes, changes, recency } = this.#totals;
    const stubs = roomIn(this.store, this.#fill) / STUB_BYTES;
    const sinceMs = recency.fitsFromMs((stubs * bytes) / Math.max(1, changes), beforeMs);
    if (sinceMs < beforeMs) await this.#load(sinceMs, beforeMs, 'left');
  }

  #evicted(): boolean {
    const { evicted, tier } = this.store.stats();
    const { policy, chain, forced } = evicted;
    return policy + chain + forced + tier.dropped > 0;
  }

  async #load(sinceMs: number, beforeMs: number, values: LoadValues): Promise<void> {
    const { opened, lanes, load, clock, timers, onProgress } = this.#parts;
    const files = opened.files.filter((file) => hasAny(file, sinceMs, beforeMs));
    if (files.length === 0) return;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const board = LoadBoard.create(lanes.length);
    const ticker = timers.every(PROGRESS_MS, () => {
      const share = Math.min(1, board.sum('bytes') / Math.max(1, bytes));
      onProgress({ share, records: board.sum('records') });
    });
    const tombstoneMs = clock.nowMs() + TOMBSTONE_MS;
    const { folder } = opened;
    const { cleared } = this.#totals;
    const shared = { folder, files, store: this.store.handle, board: board.buffer, cleared };
    const range = { sinceMs, beforeMs, values, tombstoneMs };
    try {
      const tasks = lanes.map((lane, thread) => load({ ...shared, ...range, lane, thread }));
      refuseDamage(await Promise.all(tasks));
    } finally {
      ticker.cancel();
    }
    const main = this.store.openLane(0);
    for (const lane of lanes) main.takeOver(lane, clock.nowMs());
    this.#bytes += board.sum('bytes');
    this.#records += board.sum('records');
    this.#taken += board.sum('taken');
    this.#refused += board.sum('refused');
  }

  result(): Omit<Recovered, 'tookMs'> {
    const { opened } = this.#parts;
    return {
      store: this.store,
      files: opened.files.length,
      bytes: this.#bytes,
      records: this.#records,
      taken: this.#taken,
      refused: this.#refused,
      sinceMs: this.#sinceMs,
    };
  }
}

/** Whether a file may hold records with a time in this span. */
function hasAny({ summary }: OpenedFile, sinceMs: number, beforeMs: number): boolean {
  if (summary.puts + summary.removes === 0) return false;
  return timeOf(summary.highest) >= sinceMs && timeOf(summary.lowest) < beforeMs;
}

const timeOf = (version: bigint): number => Number(version >> 22n);

function refuseDamage(results: readonly LoadResult[]): void {
  for (const { damage } of results) if (damage !== undefined) throw new LogDamage(damage);
}
