/**
 * The three regions of W-TinyLFU and who is in which. A list for each would take eight bytes of
 * each item and a lock; here the rank of an item says where it is and about since when:
 *
 *   rank   7      6 5               0
 *          +--------+---------------+
 *          | region | stamp         |    0 is out: the item has left the table
 *          +--------+---------------+
 *
 *   window      the stamp is 1 when the item was hit since it was placed, else 0
 *   probation   the time it came, on a clock that counts what comes to stay
 *   protected   the time of its last use, on a clock that counts promotions
 *
 * Each lane counts what it brought into a region and took from it, so the sum over all lanes is how
 * many are there, provided that each move is counted once: a rank is only ever changed by
 * compare-and-swap, and who takes an item from the table swaps its rank for OUT and counts what it
 * got. A move that was late finds OUT and fails.
 *
 * Both clocks count what moves through their region, not requests. So by the time an item has come
 * to the end of its region the clock has gone on by about as much as the region holds, whatever the
 * load is, and six bits tell the oldest few hundredths of it from the rest.
 *
 *   clock, 16 bytes    0 tick (32) | counted in it (32), u64
 *                      8 how many to a tick u32, in 256ths; 0 = not known
 */
import {
  H_PROBATION_CLOCK, H_PROTECTED_CLOCK, L_REGIONS, laneAt, laneBlock, lanes,
} from "./layout";
import { ITEM_RANK } from "./item";

export const REGION_OUT: u32 = 0;
export const REGION_WINDOW: u32 = 1;
export const REGION_PROBATION: u32 = 2;
export const REGION_PROTECTED: u32 = 3;
export const REGIONS: u32 = 4;

export const REGION_SHIFT: u32 = 6;
const STAMP_MASK: u32 = 63;
/** The ranks of an item in the window. */
export const RANK_WINDOW: u32 = 1 << 6;
export const RANK_WINDOW_HIT: u32 = (1 << 6) | 1;

/** An item found older than this is kept at it, so that its stamp does not look young again. */
export const AGE_MAX: u32 = 56;
/** The age protected items should have when they are demoted. */
const AGE_AIM: u32 = 36;
/** Ticks in which a region is renewed: what is older in the protected one has no use for more. */
const TICKS_PROBATION: u32 = 22;
const TICKS_PROTECTED: u32 = 50;
const QUANTUM: u32 = 8;
const QUANTUM_SHIFT: u32 = 8;
const QUANTUM_MIN: u32 = 1 << 8;

/** The clocks as this lane knows them. */
let probationTick: u32 = 0;
let protectedTick: u32 = 0;
/** The ages of what this lane demoted since it last corrected the protected clock. */
let agesSeen: u32 = 0;
let agesSum: u32 = 0;

@inline
export function regionOf(rank: u32): u32 {
  return rank >> REGION_SHIFT;
}

@inline
export function regionOfItem(item: u32): u32 {
  return regionOf(u32(load<u8>(item, ITEM_RANK)));
}

@inline
function bump(region: u32, by: i64): void {
  const at = laneAt + L_REGIONS + (region << 3);
  store<i64>(at, load<i64>(at) + by);
}

/** About how many items are in a region. */
export function countRegion(region: u32): u32 {
  let items: i64 = 0;
  for (let n: u32 = 0; n < lanes; n++) {
    items += atomic.load<i64>(laneBlock(n) + L_REGIONS + (region << 3));
  }
  return u32(max<i64>(items, 0));
}

/** Counts an item that entered the table with this rank. */
@inline
export function joinRegion(rank: u32): void {
  bump(regionOf(rank), 1);
}

/** Counts an item that left the table. */
@inline
export function quitRegion(item: u32): void {
  bump(regionOf(u32(atomic.xchg<u8>(item, 0, ITEM_RANK))), -1);
}

/** Changes a rank unless somebody else has; whether it was changed. */
@inline
export function swapRank(item: u32, from: u32, to: u32): bool {
  if (u32(atomic.cmpxchg<u8>(item, u8(from), u8(to), ITEM_RANK)) != from) return false;
  if (regionOf(from) != regionOf(to)) {
    bump(regionOf(from), -1);
    bump(regionOf(to), 1);
  }
  return true;
}

/** Notes where the clocks stand; before each group. */
export function readClocks(): void {
  probationTick = u32(atomic.load<u64>(H_PROBATION_CLOCK) >> 32);
  protectedTick = u32(atomic.load<u64>(H_PROTECTED_CLOCK) >> 32);
}

/** The rank of an item that enters probation now. */
@inline
export function rankProbation(): u32 {
  return (REGION_PROBATION << REGION_SHIFT) | (probationTick & STAMP_MASK);
}

/** The rank of a protected item that is used now. */
@inline
export function rankProtected(): u32 {
  return (REGION_PROTECTED << REGION_SHIFT) | (protectedTick & STAMP_MASK);
}

/** Counts one on a clock with `quantum` 256ths to a tick; returns the tick. */
@inline
function advance(clock: u32, quantum: u32): u32 {
  const now = atomic.add<u64>(clock, 1) + 1;
  const tick = u32(now >> 32);
  if (u64(u32(now)) << QUANTUM_SHIFT < quantum) return tick;
  const next = u64(tick + 1) << 32;
  return atomic.cmpxchg<u64>(clock, now, next) == now ? tick + 1 : tick;
}

/** Counts an item that came into probation to stay. */
export function notePlaced(): void {
  const quantum = (countRegion(REGION_PROBATION) << QUANTUM_SHIFT) / TICKS_PROBATION;
  probationTick = advance(H_PROBATION_CLOCK, quantum);
}

/** Uses to a tick of the protected clock, in 256ths; `room` is what the region may hold. */
function protectedQuantum(room: u32): u32 {
  const known = atomic.load<u32>(H_PROTECTED_CLOCK, QUANTUM);
  const longest = max<u32>(QUANTUM_MIN, (room << QUANTUM_SHIFT) / TICKS_PROTECTED);
  return known == 0 ? longest : min<u32>(known, longest);
}

/** Counts a promotion. */
export function notePromoted(room: u32): void {
  protectedTick = advance(H_PROTECTED_CLOCK, protectedQuantum(room));
}

/** Ticks since the time an item's rank tells, at most AGE_MAX; neither out nor in the window. */
export function ageOfItem(item: u32): u32 {
  const rank = u32(load<u8>(item, ITEM_RANK));
  const tick = regionOf(rank) == REGION_PROTECTED ? protectedTick : probationTick;
  const age = (tick - rank) & STAMP_MASK;
  if (age <= AGE_MAX) return age;
  // A clock that others have moved on meanwhile would make what is new look old.
  if (age == STAMP_MASK) return 0;
  swapRank(item, rank, (rank & ~STAMP_MASK) | ((tick - AGE_MAX) & STAMP_MASK));
  return AGE_MAX;
}

/** Learns from the age of an item that is demoted, so that six bits are used well. */
export function learnAge(age: u32, room: u32): void {
  agesSum += age;
  if (++agesSeen * 8 < countRegion(REGION_PROTECTED) + 8) return;
  const mean = agesSum / agesSeen;
  agesSeen = 0;
  agesSum = 0;
  const old = u64(protectedQuantum(room));
  // An eighth of the region was renewed, so an eighth of the deviation is put right.
  const ratio = max<u32>(min<u32>(256 * mean / AGE_AIM, 512), 128);
  const fresh = max<u64>(QUANTUM_MIN, old * (7 * 256 + ratio) / (8 * 256));
  atomic.store<u32>(H_PROTECTED_CLOCK, u32(fresh), QUANTUM);
}
