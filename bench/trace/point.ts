/** One stream with room for so many items: what the store misses, and what it should. */
import type { Policy } from '../../src/config/config.js';
import { optimalMisses, pureLfuMisses, referenceMisses } from './reference/references.js';
import { replayOnStore } from './store/storeReplay.js';
import type { Stream } from './stream.js';

/** A row of the results, as `--json` prints it. */
export interface TraceRow {
  /** Only there when several traces are replayed. */
  readonly trace?: string;
  readonly policy: Policy;
  readonly threads: number;
  readonly capacity: number;
  readonly requests: number;
  readonly misses: number;
  readonly referenceMisses: number;
}

/** What is measured at each point. */
export interface Plan {
  readonly policies: readonly Policy[];
  readonly threads: readonly number[];
  /** Hits in the small pool after which `s3fifo` keeps an item, in the store and the reference. */
  readonly promotion: number;
}

/** Misses of simulations that no policy of the store is measured against. */
export interface Landmarks {
  readonly opt: number;
  /** LFU that counts without ageing. */
  readonly pureLfu: number;
  readonly lru: number;
  /** S3-FIFO that promotes at two hits, as its authors do. */
  readonly s3fifoAtTwo: number;
}

/** Everything about one stream and one capacity. */
export interface Point {
  readonly stream: Stream;
  readonly capacity: number;
  readonly landmarks: Landmarks;
  readonly rows: readonly TraceRow[];
  /** Items that something else than the policy removed; with ample memory there should be none. */
  readonly otherEvictions: number;
}

const PROMOTION_OF_AUTHORS = 2;

/** The landmarks of a stream with room for `capacity` items. */
export function landmarksOf(stream: Stream, capacity: number): Landmarks {
  return {
    opt: optimalMisses(stream, capacity),
    pureLfu: pureLfuMisses(stream, capacity),
    lru: referenceMisses('lru', stream, capacity),
    s3fifoAtTwo: referenceMisses('s3fifo', stream, capacity, PROMOTION_OF_AUTHORS),
  };
}

/** Replays a stream with each policy and number of threads; `done` is told of each replay. */
export async function measurePoint(
  stream: Stream,
  capacity: number,
  plan: Plan,
  done: (row: TraceRow, seconds: number) => void,
): Promise<Point> {
  const rows: TraceRow[] = [];
  let otherEvictions = 0;
  for (const policy of plan.policies) {
    const reference = referenceMisses(policy, stream, capacity, plan.promotion);
    for (const threads of plan.threads) {
      const replay = await replayOnStore(stream, {
        policy,
        capacity,
        threads,
        promotion: plan.promotion,
      });
      const { requests, misses, evicted, seconds } = replay;
      const row = { policy, threads, capacity, requests, misses, referenceMisses: reference };
      rows.push({ trace: stream.name, ...row });
      otherEvictions += evicted.chain + evicted.forced;
      done(row, seconds);
    }
  }
  return { stream, capacity, landmarks: landmarksOf(stream, capacity), rows, otherEvictions };
}
