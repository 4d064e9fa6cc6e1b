/**
 * What a dead thread leaves is taken over by another, once the host has seen it exit: nothing it
 * held is locked, so there is only memory to give back. Its epoch is withdrawn; the pages it had
 * taken and the record it had prepared are settled by what the table shows; the segments it was
 * filling are sealed and the one it was cleaning is put back.
 */
import { H_LANES_ATTACHED, L_ATTACHED, laneBlock, segments } from "./layout";
import {
  SEGMENT_CLEANING, SEGMENT_PAGES, SEGMENT_SEALED, isFilledBy, segmentHeader, segmentWord,
  wordLane, wordOf, wordPool, wordStamp, wordState,
} from "./segment";
import { abandonCleaning } from "./cleaner";
import { pin, unpin, unpinLane } from "./epoch";
import { readClearVersion, setClock } from "./version";
import { recoverFeed } from "./feed";
import { recoverLeaving } from "./entry";
import { recoverPages } from "./pages";
import { sealLane } from "./allocator";

/** Takes over from the dead thread that held lane `n`; the lane can then be attached anew. */
export function takeOver(n: u32, now: f64): void {
  setClock(u64(now));
  pin();
  readClearVersion();
  recoverPages(n);
  recoverLeaving(n);
  recoverFeed(n);
  sealLane(n);
  abandonCleaning(n);
  for (let s: u32 = 0; s < segments; s++) putBack(segmentHeader(s), n);
  unpinLane(n);
  if (atomic.xchg<u32>(laneBlock(n), 0, L_ATTACHED) != 0) atomic.sub<u32>(H_LANES_ATTACHED, 1);
  unpin();
}

/**
 * Puts a segment that lane `n` was cleaning or claiming back. One without an age was on its way to
 * or from pages, and is closed from there once it is idle. One that it had claimed and not begun to
 * fill has no items.
 */
function putBack(header: u32, n: u32): void {
  const word = segmentWord(header);
  const isCleaned = wordState(word) == SEGMENT_CLEANING && wordLane(word) == n;
  if (!isCleaned && !isFilledBy(word, n)) return;
  const age = wordStamp(word);
  const state = age == 0 ? SEGMENT_PAGES : SEGMENT_SEALED;
  atomic.store<u64>(header, wordOf(state, 0, wordPool(word), age));
}
