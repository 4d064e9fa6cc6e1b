import type { Core } from './core.js';

/** The verbs that the core counts, as the counters name them. */
export const VERBS = [
  'get',
  'set',
  'delete',
  'touch',
  'incr',
  'merge',
  'scan',
  'clear',
  'ping',
] as const;

/** A verb that the core counts. */
export type Verb = (typeof VERBS)[number];

/** How the operations of one verb ended; for `get` a hit is `ok`. */
export interface VerbCounts {
  readonly ok: number;
  /** The key was absent, present or at another version than asked for. */
  readonly miss: number;
  readonly error: number;
}

/** How many items were removed to make room, by what asked for it. */
export interface EvictionCounts {
  /** The policy chose them. */
  readonly policy: number;
  /** Their line of the table had to take another key. */
  readonly chain: number;
  /** A segment had to go while survivors had no place. */
  readonly forced: number;
}

/** Segments of an arena by what they hold. */
export interface SegmentCounts {
  readonly total: number;
  readonly free: number;
  readonly small: number;
  readonly main: number;
  readonly lines: number;
  readonly pages: number;
  /** Those of items whose value only the disk has. */
  readonly stubs: number;
  /** The size of one, in bytes. */
  readonly bytes: number;
}

/** Items whose value only the disk has, and what became of them. */
export interface TierCounts {
  readonly items: number;
  /** What their records have on disk. */
  readonly bytes: number;
  /** Evictions that left the value readable. */
  readonly left: number;
  /** Reads, and other requests, that wanted such a value. */
  readonly asked: number;
  readonly held: number;
  /** Values that were put back into memory. */
  readonly promoted: number;
  /** Items that were forgotten, because there were too many or the disk had them no more. */
  readonly dropped: number;
}

/** Where the memory of an arena is, in bytes. */
export interface MemoryUse {
  readonly storeBytes: number;
  readonly tableBytes: number;
  readonly ghostBytes: number;
  readonly usedBytes: number;
  readonly deadBytes: number;
  /** The least store that would hold the same lanes and values. */
  readonly minStoreBytes: number;
}

/** Counters since the arena was made, and what it holds now. */
export interface ArenaStats {
  readonly verbs: Readonly<Record<Verb, VerbCounts>>;
  readonly hits: number;
  readonly misses: number;
  readonly items: number;
  /** Those of the items that are tombstones. */
  readonly tombstones: number;
  /** Headers, keys and values of the items, in bytes. */
  readonly itemBytes: number;
  readonly itemsAdded: number;
  readonly itemsRemoved: number;
  readonly evicted: EvictionCounts;
  readonly expired: number;
  /** Operations that were refused because other threads held the memory for too long. */
  readonly busy: number;
  readonly segmentsReclaimed: number;
  /** Items that the cleaner copied because they were worth keeping. */
  readonly moved: number;
  /** Writes that had to be tried again because the feed was full. */
  readonly feedDeferred: number;
  readonly segments: SegmentCounts;
  readonly memory: MemoryUse;
  readonly tier: TierCounts;
}

const WORD_BYTES = 8;

type Read = (name: string) => number;

function counterReader(core: Core, words: BigUint64Array, lanes: number): Read {
  return (name) => {
    const index = core.constant(`COUNTER_${name}`);
    let sum = 0n;
    for (let lane = 0; lane < lanes; lane++) {
      const block = (core.functions.countersAt(lane) >>> 0) / WORD_BYTES;
      sum += Atomics.load(words, block + index);
    }
    return Number(BigInt.asIntN(64, sum));
  };
}

function gaugeReader(core: Core, words: BigUint64Array): Read {
  const block = (core.functions.census() >>> 0) / WORD_BYTES;
  return (name) => Number(Atomics.load(words, block + core.constant(`GAUGE_${name}`)));
}

function readVerb(verb: Verb, counter: Read): VerbCounts {
  const name = verb.toUpperCase();
  return {
    ok: counter(`${name}_OK`),
    miss: counter(`${name}_MISS`),
    error: counter(`${name}_ERROR`),
  };
}

function readVerbs(counter: Read): Record<Verb, VerbCounts> {
  const pairs = VERBS.map((verb) => [verb, readVerb(verb, counter)] as const);
  return Object.fromEntries(pairs) as Record<Verb, VerbCounts>;
}

function readSegments(gauge: Read): SegmentCounts {
  return {
    total: gauge('SEGMENTS'),
    free: gauge('SEGMENTS_FREE'),
    small: gauge('SEGMENTS_SMALL'),
    main: gauge('SEGMENTS_MAIN'),
    lines: gauge('SEGMENTS_LINES'),
    pages: gauge('SEGMENTS_PAGES'),
    stubs: gauge('SEGMENTS_STUBS'),
    bytes: gauge('SEGMENT_BYTES'),
  };
}

function readMemory(gauge: Read): MemoryUse {
  return {
    storeBytes: gauge('STORE_BYTES'),
    tableBytes: gauge('TABLE_BYTES'),
    ghostBytes: gauge('GHOST_BYTES'),
    usedBytes: gauge('USED_BYTES'),
    deadBytes: gauge('DEAD_BYTES'),
    minStoreBytes: gauge('MIN_STORE_BYTES'),
  };
}

function readTier(counter: Read): TierCounts {
  const left = (what: string): number =>
    Math.max(0, counter(`${what}_ADDED`) - counter(`${what}_REMOVED`));
  return {
    items: left('STUBS'),
    bytes: left('STUB_BYTES'),
    left: counter('TIER_LEFT'),
    asked: counter('TIER_ASKED'),
    held: counter('TIER_HELD'),
    promoted: counter('TIER_PROMOTED'),
    dropped: counter('TIER_DROPPED'),
  };
}

/**
 * Sums the counters of all lanes and takes a census. Lanes go on counting meanwhile, so figures
 * that belong together may differ by what happened in between.
 */
export function readStats(core: Core, words: BigUint64Array, lanes: number): ArenaStats {
  const counter = counterReader(core, words, lanes);
  const gauge = gaugeReader(core, words);
  const verbs = readVerbs(counter);
  const itemsAdded = counter('ITEMS_ADDED');
  const itemsRemoved = counter('ITEMS_REMOVED');
  return {
    verbs,
    hits: verbs.get.ok,
    misses: verbs.get.miss,
    items: Math.max(0, itemsAdded - itemsRemoved),
    tombstones: Math.max(0, counter('TOMBSTONES_ADDED') - counter('TOMBSTONES_REMOVED')),
    itemBytes: Math.max(0, counter('BYTES_ADDED') - counter('BYTES_REMOVED')),
    itemsAdded,
    itemsRemoved,
    evicted: {
      policy: counter('EVICTED_POLICY'),
      chain: counter('EVICTED_CHAIN'),
      forced: counter('EVICTED_FORCED'),
    },
    expired: counter('EXPIRED'),
    busy: counter('BUSY'),
    segmentsReclaimed: counter('SEGMENTS_RECLAIMED'),
    moved: counter('MOVED'),
    feedDeferred: counter('FEED_DEFERRED'),
    segments: readSegments(gauge),
    memory: readMemory(gauge),
    tier: readTier(counter),
  };
}

/** The sum of numbers that are called the same, however deep they lie. */
function sumOf<T extends object>(all: readonly T[]): T {
  const [first] = all;
  const pairs = Object.entries(first ?? {}).map(([name, value]) => {
    const values = all.map((one) => (one as Record<string, unknown>)[name]);
    const sum =
      typeof value === 'number'
        ? (values as number[]).reduce((total, each) => total + each, 0)
        : sumOf(values as object[]);
    return [name, sum];
  });
  return Object.fromEntries(pairs) as T;
}

/**
 * The statistics of several arenas as those of one. A clear goes through every arena and is counted
 * as the first has counted it; the size of a segment is that of each.
 */
export function sumStats(all: readonly ArenaStats[]): ArenaStats {
  const [first] = all;
  if (first === undefined) throw new Error('there is no arena');
  if (all.length === 1) return first;
  const sum = sumOf<ArenaStats>(all);
  return {
    ...sum,
    verbs: { ...sum.verbs, clear: first.verbs.clear },
    segments: { ...sum.segments, bytes: first.segments.bytes },
  };
}
