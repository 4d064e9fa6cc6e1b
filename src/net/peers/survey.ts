/**
 * Surveys: a store gone through in pieces that nobody notices, to learn the digests of the keys
 * that it shares with a peer, or which keys lie in some leaves. It runs on the main thread, a
 * millisecond at a time with pauses twice as long, and the threads that serve know nothing of it.
 */
import type { Clock } from '../../base/clock.js';
import { slotOf } from '../../base/slot.js';
import type { Timers } from '../../base/timers.js';
import { u64Of } from '../../protocol/bytes.js';
import type { Digests } from '../../replication/digests.js';
import { type Ask, type Listed, type Visitor, visit, walk } from './pages.js';

/** Whether two nodes share a key: it is in `bytes` from `start` up to `end`, and in `slot`. */
export type Shared = (slot: number, bytes: Uint8Array, start: number, end: number) => boolean;

/** What a survey works with. */
export interface SurveyParts {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly ask: Ask;
  readonly isShared: Shared;
  readonly wanted: () => boolean;
}

/** About a millisecond's work. */
const PAGE_KEYS = 2048;
const PAUSE_MIN_MS = 1;
const PAUSE_MAX_MS = 20;

/** Called with each shared key: its slot, and what `visit` tells of it. */
type SharedVisitor = (slot: number, ...told: Parameters<Visitor>) => void;

function goThrough(
  parts: SurveyParts,
  visitor: SharedVisitor,
  done: (complete: boolean) => void,
): void {
  const { timers, clock, ask, isShared, wanted } = parts;
  walk({
    ...{ timers, ask, wanted, done, cursor: 0n, pageKeys: PAGE_KEYS },
    onPage: (page, next) => {
      const beganMs = clock.monotonicMs();
      visit(page, (bytes, start, end, low, high, mark) => {
        const slot = slotOf(bytes, start, end);
        if (isShared(slot, bytes, start, end)) visitor(slot, bytes, start, end, low, high, mark);
      });
      const tookMs = clock.monotonicMs() - beganMs;
      next(Math.max(PAUSE_MIN_MS, Math.min(PAUSE_MAX_MS, 2 * tookMs)));
    },
  });
}

/** Adds all shared keys to digests; `done` is told whether it has seen them all. */
export function surveyDigests(
  parts: SurveyParts,
  digests: Digests,
  done: (complete: boolean) => void,
): void {
  const visitor: SharedVisitor = (slot, bytes, start, end, low, high, mark) =>
    digests.add(slot, bytes, start, end, low, high, mark);
  goThrough(parts, visitor, done);
}

/** The keys in some leaves with their versions; of more than `most` not all, but more than that. */
export function surveyKeys(
  parts: SurveyParts,
  { digests, leaves, most }: { digests: Digests; leaves: ReadonlySet<number>; most: number },
  done: (keys: readonly Listed[] | undefined) => void,
): void {
  const keys: Listed[] = [];
  const wanted = (): boolean => keys.length <= most && parts.wanted();
  const visitor: SharedVisitor = (slot, bytes, start, end, low, high, mark) => {
    if (keys.length > most || !leaves.has(digests.leafOf(slot, bytes, start, end))) return;
    keys.push({ key: bytes.slice(start, end), version: u64Of(low, high), mark });
  };
  goThrough({ ...parts, wanted }, visitor, (complete) => {
    done(complete || keys.length > most ? keys : undefined);
  });
}
