/** What `tinylfu` keeps in an arena, read from outside: counts, ranks, the sketch, the climber. */
import type { Arena } from '../../../src/arena/arena.js';

const WORD_BYTES = 8;
const LINE_BYTES = 64;

/** Items in each region: out, window, probation, protected. */
export type Regions = readonly number[];

function words(arena: Arena): BigInt64Array {
  return new BigInt64Array(arena.handle.memory.buffer);
}

function geometry(arena: Arena, name: string): number {
  return new Uint32Array(arena.handle.memory.buffer)[arena.constant(name) / 4] ?? 0;
}

/** How many items all lanes together say are in each region. */
export function countedRegions(arena: Arena): Regions {
  const lanes = geometry(arena, 'H_LANES');
  const all = words(arena);
  return Array.from({ length: arena.constant('REGIONS') }, (_, region) => {
    let items = 0n;
    for (let lane = 0; lane < lanes; lane++) {
      const block = geometry(arena, 'H_LANES_AT') + lane * arena.constant('LANE_BYTES');
      items += all[(block + arena.constant('L_REGIONS')) / WORD_BYTES + region] ?? 0n;
    }
    return Number(items);
  });
}

/** How many items the ranks of all items in the table say are in each region. */
export function rankedRegions(arena: Arena): Regions {
  const regions = Array.from({ length: arena.constant('REGIONS') }, () => 0);
  const bytes = new Uint8Array(arena.handle.memory.buffer);
  const bucketBytes = arena.constant('BUCKET_BYTES');
  const count = (entry: bigint): void => {
    if (entry === 0n) return;
    const item = Number(entry & BigInt(arena.constant('ENTRY_POINTER_MASK'))) * 2;
    const rank = bytes[item + arena.constant('ITEM_RANK')] ?? 0;
    const region = rank >> arena.constant('REGION_SHIFT');
    regions[region] = (regions[region] ?? 0) + 1;
  };
  const seen = new Set<number>();
  for (let bucket = 0; bucket < geometry(arena, 'H_TABLE_BUCKETS'); bucket++) {
    const at = geometry(arena, 'H_TABLE_AT') + bucket * bucketBytes;
    for (const entry of entriesOf(arena, at, seen)) count(entry);
  }
  return regions;
}

/** The entries of a bucket and of the overflow buckets behind it that were not seen in others. */
function* entriesOf(arena: Arena, bucket: number, seen: Set<number>): Generator<bigint> {
  const all = words(arena);
  const link = arena.constant('BUCKET_LINK');
  for (let at = 0; at < link; at += WORD_BYTES) yield all[(bucket + at) / WORD_BYTES] ?? 0n;
  let over = Number(all[(bucket + link) / WORD_BYTES] ?? 0n);
  while (over !== 0 && !seen.has(over)) {
    seen.add(over);
    for (let at = 0; at < link; at += WORD_BYTES) yield all[(over + at) / WORD_BYTES] ?? 0n;
    over = Number(all[(over + link) / WORD_BYTES] ?? 0n);
  }
}

/** The part of the cache that is the window's, as far as it has been climbed; 0 = not yet. */
export function windowShare(arena: Arena): number {
  const at = arena.constant('H_CLIMB') + arena.constant('CLIMB_SHARE');
  return new Float64Array(arena.handle.memory.buffer)[at / WORD_BYTES] ?? 0;
}

/** A counter of the sketch that is not 0, and where it is. */
export interface SketchCount {
  readonly block: number;
  readonly quarter: number;
  readonly count: number;
}

/** The counters of the sketch that are not 0. */
export function sketchCounts(arena: Arena): SketchCount[] {
  const from = Math.ceil(geometry(arena, 'H_GHOST_AT') / LINE_BYTES) * LINE_BYTES;
  const end = geometry(arena, 'H_GHOST_AT') + geometry(arena, 'H_GHOST_BUCKETS') * WORD_BYTES;
  const bytes = new Uint8Array(arena.handle.memory.buffer);
  const counts: SketchCount[] = [];
  for (let at = from; at < end; at++) {
    const place = { block: Math.floor((at - from) / LINE_BYTES), quarter: ((at - from) % 64) >> 4 };
    const both = bytes[at] ?? 0;
    for (const count of [both & 15, both >> 4]) if (count > 0) counts.push({ ...place, count });
  }
  return counts;
}
