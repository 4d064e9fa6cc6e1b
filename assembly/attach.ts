import {
  H_LANES_ATTACHED, H_MAGIC, L_ATTACHED, L_COUNTERS, L_FEED_HEAD, L_FEED_PEERS_TAIL, L_FEED_TAIL,
  MAGIC, feedBytes_, feedRing, inboxAt_, inboxBytes_, itemsMax, laneAt, laneBlock, outboxAt_,
  outboxBytes_, readGeometry,
} from "./layout";
import { openSketch } from "./sketch";
import { resetCandidates } from "./candidates";
import { resetClaims } from "./segment";
import { resetExecution } from "./execute";
import { resetVictims } from "./victims";
import { resetWindow } from "./window";

/** Makes this instance, which is this thread, lane `n` of the arena; a lane has one thread. */
export function attach(n: u32): void {
  assert(load<u32>(H_MAGIC) == MAGIC);
  readGeometry(n);
  resetExecution();
  resetClaims();
  resetVictims();
  resetCandidates();
  resetWindow();
  openSketch(itemsMax);
  if (atomic.xchg<u32>(laneAt, 1, L_ATTACHED) == 0) atomic.add<u32>(H_LANES_ATTACHED, 1);
}

/** Lets an instance that holds no lane read counters and gauges. */
export function observe(): void {
  assert(load<u32>(H_MAGIC) == MAGIC);
  readGeometry(0);
}

/** Where this lane's frames go in. */
export function inboxAt(): u32 {
  return inboxAt_;
}

export function inboxBytes(): u32 {
  return inboxBytes_;
}

/** Where this lane's answers come out. */
export function outboxAt(): u32 {
  return outboxAt_;
}

export function outboxBytes(): u32 {
  return outboxBytes_;
}

/** Where lane `n`'s feed ring lies, and the words of its head and tails. */
export function feedAt(n: u32): u32 {
  return feedRing(n);
}

export function feedBytes(): u32 {
  return feedBytes_;
}

export function feedHeadAt(n: u32): u32 {
  return laneBlock(n) + L_FEED_HEAD;
}

export function feedTailAt(n: u32): u32 {
  return laneBlock(n) + L_FEED_TAIL;
}

export function feedPeersTailAt(n: u32): u32 {
  return laneBlock(n) + L_FEED_PEERS_TAIL;
}

/** Where lane `n` counts: u64 words in the order of `counters.ts`. */
export function countersAt(n: u32): u32 {
  return laneBlock(n) + L_COUNTERS;
}
