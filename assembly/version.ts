/**
 * Versions: a 64-bit hybrid logical clock, 42 bits of Unix milliseconds above 22 of counter.
 *
 *   63                              22 21               0
 *   +---------------------------------+------------------+
 *   | milliseconds since 1970         | counter          |
 *   +---------------------------------+------------------+
 *
 * An overwrite takes max(clock, old + 1) under the compare-and-swap that publishes it, so the
 * versions of a key only grow. A key that is removed and comes back must not start lower: replaying
 * the log would then lose the newer write. Keeping the version of every removed key would cost more
 * than the key, so an arena keeps FLOORS floors, shared by hash. Whoever removes an entry first
 * raises its floor to the removed version; an insert takes max(clock, floor + 1), and reads the
 * floor again before it commits.
 */
import { ITEM_MERGED, itemFlags, itemVersion } from "./item";
import {
  FLOORS, H_CLEAR_VERSION, L_NOW, L_VERSION_MAX, floorsAt, laneAt, laneBlock, lanes,
} from "./layout";

export const VERSION_COUNTER_BITS: u64 = 22;
/** Records of a later version are refused: fifty days of milliseconds stay above it. */
export const VERSION_MAX: u64 = u64.MAX_VALUE - (1 << 54);
/** Those of clears may be later, for a clear lies above everything there is. */
export const CLEAR_VERSION_MAX: u64 = u64.MAX_VALUE - (1 << 53);

/** The bits of a version that tell the moments of a span apart: 64 ms. */
const FLOOR_SPAN: u64 = (1 << (22 + 6)) - 1;

/** The group's clock, Unix ms; the host hands it in. */
export let nowMs: u64 = 0;
/** The least version the group's clock allows. */
export let clockVersion: u64 = 0;
/** Items at or below it were cleared. */
export let clearVersion: u64 = 0;
/** The floor of the merged item that `readFloor` was called for last. */
let mergedFloor: u64 = 0;

/** Takes the host's clock for the operations that follow and announces it to clears. */
export function setClock(now: u64): void {
  nowMs = now;
  clockVersion = now << VERSION_COUNTER_BITS;
  atomic.store<u64>(laneAt, now, L_NOW);
}

/** Reads the clear again; call after pinning. */
@inline
export function readClearVersion(): void {
  clearVersion = atomic.load<u64>(H_CLEAR_VERSION);
}

@inline
export function floorOf(hash: u64): u32 {
  return floorsAt + ((u32(hash >> 20) & (FLOORS - 1)) << 3);
}

@inline
export function floorVersion(hash: u64): u64 {
  return atomic.load<u64>(floorOf(hash));
}

/** Raises the version at `at` to `version`. */
export function raise(at: u32, version: u64): void {
  let was = atomic.load<u64>(at);
  while (was < version) {
    const seen = atomic.cmpxchg<u64>(at, was, version);
    if (seen == was) return;
    was = seen;
  }
}

/**
 * Raises the floor of `hash`'s stripe to `version`; before the entry is removed. What leaves by
 * eviction is old, and each a little younger than the one before: floors are raised to the end of
 * a span of time, where that has passed, so that most evictions find theirs high enough.
 */
@inline
export function raiseFloor(hash: u64, version: u64): void {
  const at = floorOf(hash);
  if (atomic.load<u64>(at) >= version) return;
  const end = version | FLOOR_SPAN;
  raise(at, end < clockVersion ? end : version);
}

/** Notes that this lane gave out `version`, so that a clear lies above it. */
@inline
function given(version: u64): u64 {
  if (version > load<u64>(laneAt, L_VERSION_MAX)) store<u64>(laneAt, version, L_VERSION_MAX);
  return version;
}

/**
 * Reads what a write over `item` has to know before it asks whether the item is alive. A merged
 * item may be older than a removal before it, which only the floor remembers. A floor may have been
 * raised above a clear that the group has not read; a successor up there would survive the clear
 * that its value does not, so the clear is read after the floor.
 */
@inline
export function readFloor(item: u32, hash: u64): void {
  if ((itemFlags(item) & ITEM_MERGED) == 0) return;
  mergedFloor = floorVersion(hash);
  readClearVersion();
}

/** The version of a write over `item`, for which `readFloor` was called. */
@inline
export function versionAfter(item: u32): u64 {
  const merged = (itemFlags(item) & ITEM_MERGED) != 0;
  const old = merged ? max<u64>(itemVersion(item), mergedFloor) : itemVersion(item);
  return given(max<u64>(clockVersion, max<u64>(old, clearVersion) + 1));
}

/** The version of a write of a key that has no entry. */
@inline
export function versionOfInsert(hash: u64): u64 {
  return given(max<u64>(clockVersion, max<u64>(floorVersion(hash), clearVersion) + 1));
}

/** Notes the version of a merged record. */
@inline
export function noteMerged(version: u64): void {
  given(version);
}

/** The last version that any clock a lane has announced allows. */
export function latestClock(): u64 {
  let top = clockVersion;
  for (let n: u32 = 0; n < lanes; n++) {
    const announced = atomic.load<u64>(laneBlock(n), L_NOW);
    top = max<u64>(top, ((announced + 1) << VERSION_COUNTER_BITS) - 1);
  }
  return top;
}

/** The highest version given out or cleared. */
function highestGiven(): u64 {
  let top = atomic.load<u64>(H_CLEAR_VERSION);
  for (let n: u32 = 0; n < lanes; n++) {
    top = max<u64>(top, atomic.load<u64>(laneBlock(n), L_VERSION_MAX));
  }
  return top;
}

/**
 * The version of a clear that begins now.
 *
 * A thread in the middle of a group may still hold the old clear, read an item that this one
 * removes and write its successor. That successor must fall too, so a clear is put a millisecond
 * above every clock a thread has announced, and is raised until no announced clock reaches it: who
 * announces later reads the clear after it, and writes above it.
 */
export function versionOfClear(): u64 {
  const highest = max<u64>(latestClock(), highestGiven());
  return ((highest >> VERSION_COUNTER_BITS) + 1) << VERSION_COUNTER_BITS;
}

/**
 * Clears up to `version`; false when a clock has reached it meanwhile: take a higher one. Versions
 * above it that were given out meanwhile are of those who have read it: they stay.
 */
export function clearUpTo(version: u64): bool {
  raise(H_CLEAR_VERSION, version);
  readClearVersion();
  return latestClock() < version;
}
