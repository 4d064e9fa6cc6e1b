/**
 * What a node does with its own when it comes back and others lead what it led: it goes through all
 * that it has, and where it has something newer than who leads the key, it takes over what that one
 * has. Nobody else was told of it, or those who were have become successors of it themselves.
 *
 * Everything is a merge, so what is to go is outdone, not removed: by the leader's value under the
 * version that comes next, or by a tombstone under the same version, which wins. So the log of this
 * node says the same when it is read again, and whatever the leader changes from now on is newer.
 */
import type { Timers } from '../../base/timers.js';
import { type Ask, entriesOf, type Versioned, walk } from './pages.js';
import { gather } from './repair.js';
import { isMerged, question, repairOf, type Said, saidBy } from './said.js';

/** What shedding works with. */
export interface ShedParts {
  readonly timers: Timers;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  readonly askOwn: Ask;
  readonly askPeer: (id: string) => Ask;
}

/** What is gone through. */
export interface ShedOrder {
  /** Who has the say about a key; nobody for those that are left alone. */
  readonly leaderOf: (key: Uint8Array) => string | undefined;
  readonly goesOn: () => boolean;
}

/** How it ended. */
export interface ShedEnd {
  /** Whether all keys were gone through. */
  readonly complete: boolean;
  /** How many were outdone. */
  readonly shed: number;
}

/** What came of a key: nothing when its leader did not answer. */
type Outcome = 'kept' | 'outdone' | undefined;

const PAGE_KEYS = 64;
const PAUSE_MS = 1;

/** Goes through all keys of this node; never throws. */
export function shedOwn(parts: ShedParts, order: ShedOrder, done: (end: ShedEnd) => void): void {
  let shed = 0;
  walk({
    ...{ timers: parts.timers, ask: parts.askOwn, cursor: 0n, pageKeys: PAGE_KEYS },
    wanted: order.goesOn,
    onPage: (page, next) => {
      const each = (one: Versioned, settle: (outcome: Outcome) => void): void =>
        shedOne(parts, order.leaderOf(one.key), one, settle);
      gather(entriesOf(page), each, (outcomes) => {
        shed += outcomes.filter((outcome) => outcome === 'outdone').length;
        if (outcomes.includes(undefined)) done({ complete: false, shed });
        else next(PAUSE_MS);
      });
    },
    done: (complete) => done({ complete, shed }),
  });
}

function shedOne(
  parts: ShedParts,
  leader: string | undefined,
  { key, version }: Versioned,
  settle: (outcome: Outcome) => void,
): void {
  if (leader === undefined) {
    settle('kept');
    return;
  }
  const ask = parts.askPeer(leader);
  // What this node has was read before: if the leader has less, it was not the leader's.
  ask(question(key, false), (first) => {
    const there = first && saidBy(leader, first);
    if (there === undefined) settle(undefined);
    else if ((there.version ?? 0n) >= version) settle('kept');
    else
      ask(question(key, true), (answer) =>
        outdo(parts, { key, version }, answer && saidBy(leader, answer), settle),
      );
  });
}

function outdo(
  { askOwn, nowMs }: ShedParts,
  { key, version }: Versioned,
  said: Said | undefined,
  settle: (outcome: Outcome) => void,
): void {
  if (said === undefined) {
    settle(undefined);
    return;
  }
  askOwn(repairOf(key, outdoing(said, version), nowMs()), (merged) => {
    settle(isMerged(merged) ? 'outdone' : undefined);
  });
}

/** What `said` has, so that it comes after what has `version`. */
function outdoing(said: Said, version: bigint): Said {
  const isThere = said.version !== undefined && !said.tombstone;
  if (said.version !== undefined && said.version > version) return said;
  if (isThere) return { ...said, version: version + 1n };
  return { ...said, version, tombstone: true };
}
