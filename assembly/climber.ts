/**
 * How large the window of W-TinyLFU is (Einziger, Eytan, Friedman, Manes: "Adaptive software cache
 * management", Middleware'18). No size is right for every load, so it climbs: after ten requests
 * for each item there is room for, the window grows or shrinks by a step, on in the same direction
 * as long as the hit ratio does not fall, else back. Steps grow shorter, and long again when the
 * hit ratio jumps. What the window takes it takes from the protected region.
 *
 *   climb, 64 bytes   0 requests so far at the last step u64 | 8 hits at it u64 | 16 step f64
 *                     24 hit ratio before it f64 | 32 the window's share f64
 *
 * Step and share are parts of the room there is; 0 is what they begin with. Whoever moves the
 * requests on by compare-and-swap takes the step.
 */
import { H_CLIMB, L_HITS, L_MISSES, itemsMax, laneAt, laneBlock, lanes } from "./layout";
import { countHeld } from "./stub";
import { isShort } from "./cleaner";

const CLIMB_HITS: u32 = 8;
const CLIMB_STEP: u32 = 16;
const CLIMB_RATIO: u32 = 24;
export const CLIMB_SHARE: u32 = 32;

const MAIN_SHARE: f64 = 0.99;
const PROTECTED_SHARE: f64 = 0.8;
const STEP: f64 = 0.0625;
const STEP_DECAY: f64 = 0.98;
/** A change of the hit ratio at which steps become long again. */
const RESTART_CHANGE: f64 = 0.05;
const REQUESTS_PER_ITEM: u32 = 10;
/** Where only the memory is bounded a step is not taken for fewer items than these. */
const ITEMS_MIN: u32 = 1024;

/** The room as of the last `readRoom`, in items: in all, in the window, in the protected region. */
export let room: u32 = 0;
export let windowRoom: u32 = 0;
export let protectedRoom: u32 = 0;
/** Whether the cache holds all it may. */
export let isFull: bool = false;

@inline
function readShared(at: u32): f64 {
  return reinterpret<f64>(atomic.load<u64>(H_CLIMB + at));
}

@inline
function writeShared(at: u32, value: f64): void {
  atomic.store<u64>(H_CLIMB + at, reinterpret<u64>(value));
}

/** Counts a request that found its key, or brought it. */
@inline
export function noteRequest(isHit: bool): void {
  const at = laneAt + (isHit ? L_HITS : L_MISSES);
  store<u64>(at, load<u64>(at) + 1);
}

/** All lanes' counts of one kind. */
function sum(counter: u32): u64 {
  let all: u64 = 0;
  for (let n: u32 = 0; n < lanes; n++) all += atomic.load<u64>(laneBlock(n) + counter);
  return all;
}

/** Looks how much room there is, and how it is divided. */
export function readRoom(): void {
  const items = u32(countHeld());
  const short = isShort();
  room = max<u32>(1, itemsMax == 0 || short ? items : itemsMax);
  isFull = short || (itemsMax != 0 && items >= itemsMax);
  divide();
}

function divide(): void {
  const first = room - u32(f64(room) * MAIN_SHARE);
  const share = readShared(CLIMB_SHARE);
  windowRoom = share == 0 ? first : max<u32>(1, u32(share * f64(room) + 0.5));
  const both = first + u32(f64(room - first) * PROTECTED_SHARE);
  protectedRoom = both - min<u32>(both, windowRoom);
}

/** Takes a step when enough was asked for since the last. */
export function climb(): void {
  const hits = sum(L_HITS);
  const requests = hits + sum(L_MISSES);
  const before = atomic.load<u64>(H_CLIMB);
  const items = itemsMax == 0 ? max<u32>(room, ITEMS_MIN) : room;
  if (requests < before + u64(items) * REQUESTS_PER_ITEM) return;
  if (atomic.cmpxchg<u64>(H_CLIMB, before, requests) != before) return;
  const hitsBefore = atomic.xchg<u64>(H_CLIMB + CLIMB_HITS, hits);
  takeStep(f64(hits - hitsBefore) / f64(requests - before));
}

function takeStep(ratio: f64): void {
  const change = ratio - readShared(CLIMB_RATIO);
  const step = readShared(CLIMB_STEP);
  const ahead = step == 0 ? -STEP : step;
  const amount = change >= 0 ? ahead : -ahead;
  const isJump = abs(change) >= RESTART_CHANGE;
  writeShared(CLIMB_STEP, isJump ? copysign(STEP, amount) : amount * STEP_DECAY);
  writeShared(CLIMB_RATIO, ratio);
  resize(i32(amount * f64(room)));
}

/** Moves the bound between window and protected region by so many items. */
function resize(by: i32): void {
  const most = by > 0 ? i32(protectedRoom) : i32(windowRoom) - 1;
  const window = i32(windowRoom) + (by > 0 ? min<i32>(by, most) : -min<i32>(-by, most));
  writeShared(CLIMB_SHARE, f64(window) / f64(room));
  divide();
}
