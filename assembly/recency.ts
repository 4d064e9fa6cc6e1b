/**
 * When an item was used last, in the eight bits of its rank.
 *
 * A list in the order of use would take eight bytes of each item and a write to three of them with
 * every read. Redis keeps a coarse clock instead and stamps items with it; so does this, and as
 * eight bits are few the clock is made to fit: a tick is so many uses that the items that leave are
 * about half the circle old. Then a tick is less than a hundredth of the time an item stays, and an
 * item has to go unnoticed for as long again before its stamp comes round and looks young. The
 * sweep and every sample look out for that: what they find that old is kept at AGE_MAX.
 *
 *   clock    63       32 31              0      a lane tells it of its uses a batch at a time
 *            +----------+----------------+
 *            | tick     | uses in it     |
 *            +----------+----------------+
 *   quantum  uses to a tick, in 256ths
 */
import { H_RECENCY_CLOCK, H_RECENCY_QUANTUM } from "./layout";
import { ITEM_RANK } from "./item";
import { countHeld } from "./stub";

export const AGE_MAX: u32 = 224;
/** The age in ticks that those who leave should have, within these bounds. */
const AGE_AIM: u64 = 112;
/** An age that says that the circle will be too short before anything is evicted. */
const AGE_ALARM: u32 = 160;
/** Ticks between two corrections for that reason. */
const ALARM_TICKS: u32 = 64;
const QUANTUM_SHIFT: u32 = 8;
const QUANTUM_MAX: u64 = 0xf0000000;
const BATCH_MAX: u32 = 64;

/** The tick as this lane knows it, the uses it has not told of, and how many it may keep. */
let tick: u32 = 0;
let untold: u32 = 0;
let batch: u32 = 0;
/** The ages of what this lane evicted since it last corrected the quantum. */
let agesSeen: u32 = 0;
let agesSum: u64 = 0;

@inline
function quantum(): u32 {
  return max<u32>(1, atomic.load<u32>(H_RECENCY_QUANTUM) >> QUANTUM_SHIFT);
}

/** Notes where the clock stands; before each group. */
@inline
export function readRecency(): void {
  tick = u32(atomic.load<u64>(H_RECENCY_CLOCK) >> 32);
}

/** The stamp of this moment, counting one use. */
@inline
export function stampUse(): u32 {
  if (++untold > batch) tell();
  return tick & 0xff;
}

/** Tells the shared clock of this lane's uses. */
function tell(): void {
  const q = quantum();
  const clock = atomic.add<u64>(H_RECENCY_CLOCK, u64(untold)) + untold;
  untold = 0;
  batch = min<u32>(q >> 4, BATCH_MAX);
  tick = u32(clock >> 32);
  if (u32(clock) < q) return;
  const next = tick + u32(clock) / q;
  if (atomic.cmpxchg<u64>(H_RECENCY_CLOCK, clock, u64(next) << 32) == clock) tick = next;
}

/** Ticks since an item was used, by its stamp. */
@inline
export function ageOfStamp(stamp: u32): u32 {
  return (tick - stamp) & 0xff;
}

/** The stamp of something `age` ticks old. */
@inline
export function stampOfAge(age: u32): u32 {
  return (tick - age) & 0xff;
}

/** Keeps an old item from looking young again; `bits` says which bits of its rank are the stamp. */
@inline
export function holdAge(item: u32): u32 {
  const age = ageOfStamp(u32(load<u8>(item, ITEM_RANK)));
  if (age <= AGE_MAX) return age;
  store<u8>(item, u8(stampOfAge(AGE_MAX)), ITEM_RANK);
  return AGE_MAX;
}

/** Learns from the age of an item that is evicted. */
export function learnAge(age: u32): void {
  agesSum += age;
  if (++agesSeen * 8 < u32(min<u64>(countHeld(), 1 << 20)) + 8) return;
  const mean = agesSum / agesSeen;
  agesSum = 0;
  agesSeen = 0;
  // An eighth of the items has left, so an eighth of the deviation is put right.
  scale(max<u64>(min<u64>(256 * mean / AGE_AIM, 512), 128));
}

/** Moves the quantum an eighth of the way to `ratio` (in 256ths) of itself. */
function scale(ratio: u64): void {
  const old = u64(atomic.load<u32>(H_RECENCY_QUANTUM));
  const fresh = old * (7 * 256 + ratio) / (8 * 256) + 1;
  atomic.store<u32>(H_RECENCY_QUANTUM, u32(min<u64>(max<u64>(fresh, 256), QUANTUM_MAX)));
}

/** The tick of the last alarm this lane raised. */
let alarmed: u32 = 0;

/** Makes ticks longer when items that nobody wants to evict grow too old. */
export function heedAge(age: u32): void {
  if (age < AGE_ALARM || tick - alarmed < ALARM_TICKS) return;
  alarmed = tick;
  const old = u64(atomic.load<u32>(H_RECENCY_QUANTUM));
  atomic.store<u32>(H_RECENCY_QUANTUM, u32(min<u64>(old * 2, QUANTUM_MAX)));
}
