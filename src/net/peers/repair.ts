/**
 * Repair: gets from another node what this one owns and lacks, or has only in an older version. It
 * makes up for everything that did not come by itself: changes that were given up, a memory that
 * was lost, partitions that this node has come to own.
 *
 *   keys and versions of the peer ─▶ own store: versions ─▶ older or absent ─▶ peer: items ─▶ merge
 *
 * Which keys to look at is found by digests (`comparison.ts`) where both have most of them, and by
 * going through all that the other has (a *haul*, here) where this node has next to nothing.
 *
 * What is absent here is taken only above the version up to which this node has forgotten keys of
 * its slot, so nothing comes back that was deleted, expired or evicted. The cursor is the peer's,
 * and it holds as long as that runs: a haul that is interrupted goes on where it stopped.
 */
import type { Timers } from '../../base/timers.js';
import { STATUS } from '../../protocol/status.js';
import { timeOf } from './clocks.js';
import { type Ask, entriesOf, type Listed, walk } from './pages.js';
import { question, repairOf, type Said, saidBy } from './said.js';

/** What a repair works with. */
export interface RepairParts {
  readonly timers: Timers;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** What is further ahead of this node's clock is left where it is; by default nothing is. */
  readonly maxSkewMs?: number;
  /** Asks the other node. */
  readonly askPeer: Ask;
  /** Asks this node's own store. */
  readonly askOwn: Ask;
}

/** What is to be got from another node, and how fast. */
export interface Haul {
  /** Where to begin: 0n, or where an earlier one stopped. */
  readonly cursor: bigint;
  /** Which keys are looked at. */
  readonly isMine: (key: Uint8Array) => boolean;
  /** What was forgotten here does not matter: the partitions were another's until now. */
  readonly anew?: boolean | undefined;
  /** Is told of each page; how long to wait before the next one, in milliseconds. */
  readonly onPage: (page: HaulPage) => number;
  /** Whether to go on. */
  readonly wanted: () => boolean;
}

/** What was got: how many items and tombstones were new here, and their bytes. */
export interface Fetched {
  readonly repaired: number;
  readonly bytes: number;
  /** Whether some keys are still to be looked at: somebody did not answer. */
  readonly missed: boolean;
  /**
   * When the first of what was left where it is, since it comes from too far ahead, may be taken:
   * in Unix milliseconds; infinite when nothing was left.
   */
  readonly aheadMs: number;
}

/** What a page of another node's keys has come to. */
export interface HaulPage extends Fetched {
  /** Where the next page begins. */
  readonly cursor: bigint;
  readonly keys: number;
}

/** How a repair ended. */
export interface HaulReport {
  /** Whether it has seen all keys of the other node. */
  readonly complete: boolean;
  /** Where to go on if it has not. */
  readonly cursor: bigint;
}

const PAGE_KEYS = 512;
/** Items that are asked for at once, as long as they are small. */
const FETCH_KEYS = 64;
/** Bytes of a batch after which the next items are asked for one by one. */
const FETCH_BYTES = 1024 * 1024;

/** Gets what is lacking; never throws. */
export function haulFrom(parts: RepairParts, haul: Haul, done: (report: HaulReport) => void): void {
  const { wanted, isMine, onPage, anew = false } = haul;
  let at = haul.cursor;
  walk({
    ...{ timers: parts.timers, ask: parts.askPeer, cursor: haul.cursor, pageKeys: PAGE_KEYS },
    wanted,
    onPage: (page, next) => {
      const entries = entriesOf(page);
      const mine = entries.filter(({ key }) => isMine(key));
      fetchLacking(parts, { listed: mine, anew, wanted }, (fetched) => {
        if (!wanted() || fetched.missed) {
          done({ complete: false, cursor: at });
          return;
        }
        at = page.cursor;
        next(onPage({ cursor: at, keys: entries.length, ...fetched }));
      });
    },
    done: (complete, cursor) => done({ complete, cursor }),
  });
}

/** Keys that another node has, and how this one looks at them. */
export interface Lack {
  readonly listed: readonly Listed[];
  readonly anew: boolean;
  /** Whether this node has something else under the same version. */
  readonly isTie?: (listed: Listed) => boolean;
  readonly wanted: () => boolean;
}

/** Gets those of some keys that this node has not, or only older. */
export function fetchLacking(
  parts: RepairParts,
  { listed, anew, isTie = () => false, wanted }: Lack,
  done: (fetched: Fetched) => void,
): void {
  gather(listed, askedOwn(parts), (said) => {
    const lacking = listed.filter((one, at) => lacks(said[at], one.version, anew) || isTie(one));
    const missed = said.includes(undefined);
    fetchAll(parts, lacking, wanted, (fetched) => done(missed ? { ...fetched, missed } : fetched));
  });
}

/** Calls `ask` for each of some things at once, and then back with what came of all. */
export function gather<T, R>(
  all: readonly T[],
  ask: (one: T, settle: (result: R) => void) => void,
  done: (results: R[]) => void,
): void {
  const results: R[] = new Array(all.length);
  let left = all.length;
  if (left === 0) done(results);
  for (const [at, one] of all.entries()) {
    ask(one, (result) => {
      results[at] = result;
      if (--left === 0) done(results);
    });
  }
}

function askedOwn({ askOwn }: RepairParts) {
  return ({ key }: Listed, settle: (said: Said | undefined) => void): void => {
    askOwn(question(key, false), (answer) => settle(answer && saidBy('', answer)));
  };
}

/** Whether a node that says so lacks a version of a key; `anew`: whatever it has forgotten. */
export function lacks(said: Said | undefined, version: bigint, anew: boolean): boolean {
  if (said === undefined) return false;
  return version > (said.version ?? (anew ? 0n : said.forgotten));
}

/** Gets items and tombstones, a few at a time, large and missed ones by themselves. */
function fetchAll(
  parts: RepairParts,
  lacking: readonly Listed[],
  wanted: () => boolean,
  done: (fetched: Fetched) => void,
): void {
  const sum = { repaired: 0, bytes: 0, missed: false, aheadMs: Number.POSITIVE_INFINITY };
  const step = (left: readonly Listed[], count: number): void => {
    if (left.length === 0 || !wanted()) {
      done({ ...sum, missed: left.length > 0 });
      return;
    }
    const some = left.slice(0, count);
    const fetch = ({ key }: Listed, settle: (got: Got | undefined) => void): void =>
      fetchOne(parts, key, settle);
    gather(some, fetch, (got) => {
      let bytes = 0;
      for (const one of got) {
        bytes += one?.bytes ?? 0;
        if (one?.bytes !== undefined) sum.repaired++;
        sum.aheadMs = Math.min(sum.aheadMs, one?.aheadMs ?? Number.POSITIVE_INFINITY);
      }
      sum.bytes += bytes;
      const missed = some.filter((_, at) => got[at] === undefined);
      const rest = [...missed, ...left.slice(count)];
      if (count === 1 && missed.length > 0) done({ ...sum, missed: true });
      else if (missed.length > 0 || bytes > FETCH_BYTES) step(rest, 1);
      else step(rest, Math.min(FETCH_KEYS, count * 2));
    });
  };
  step(lacking, FETCH_KEYS);
}

/** What became of one item or tombstone. */
interface Got {
  /** Its bytes, if it was new here. */
  readonly bytes?: number;
  /** When it may be taken that comes from too far ahead, Unix ms. */
  readonly aheadMs?: number;
}

/** Says that this node can't have an item, or has it; all else may be otherwise the next time. */
const SETTLED: readonly number[] = [STATUS.EXISTS, STATUS.TOO_LARGE, STATUS.NO_SPACE];

/** Gets one item or tombstone; nothing is told when somebody did not answer. */
function fetchOne(
  { askPeer, askOwn, nowMs, maxSkewMs = Number.POSITIVE_INFINITY }: RepairParts,
  key: Uint8Array,
  settle: (got: Got | undefined) => void,
): void {
  askPeer(question(key, true), (answer) => {
    const said = answer && saidBy('', answer);
    if (said?.version === undefined) {
      settle(said && {});
      return;
    }
    const dueMs = timeOf(said.version) - maxSkewMs;
    if (dueMs > nowMs()) {
      settle({ aheadMs: dueMs });
      return;
    }
    askOwn(repairOf(key, said, nowMs()), (merged) => {
      if (merged?.status === STATUS.OK) settle({ bytes: key.length + said.value.length });
      else settle(SETTLED.includes(merged?.status ?? -1) ? {} : undefined);
    });
  });
}
