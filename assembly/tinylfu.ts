/**
 * W-TinyLFU (Einziger, Friedman, Manes: "TinyLFU: a highly efficient cache admission policy", ACM
 * Transactions on Storage, 2017), as Caffeine has it. New items live in a window. What leaves it
 * enters the main part only if it was asked for more often than the item that would have to go:
 *
 *     new --> window --> probation <--> protected
 *                            |
 *                            `--> candidate against victim, by the sketch; the loser leaves
 *
 * A hit on probation promotes; when the protected region is full its least recently used item goes
 * back on probation. Caffeine keeps three linked lists behind a lock and a buffer of hits. Here
 * nothing is linked: `window.ts` finds the oldest of the window by walking segments, the others are
 * sampled (`sample.ts`), the victim among those on probation and the one to demote among the
 * protected; `regions.ts` tells who is where, `sketch.ts` who was asked for how often, and
 * `climber.ts` how large the window is. A hit writes a byte of the item, if it was not written
 * lately, and a count in the sketch until that is full.
 *
 * Regions are brought to their sizes where items are evicted, and, while the cache fills, after
 * each group of requests; a promotion does not pay for the demotion it calls for. The work of one
 * eviction is bounded, and what is left is done by the next.
 */
import {
  AGE_MAX, RANK_WINDOW, RANK_WINDOW_HIT, REGION_OUT, REGION_PROBATION, REGION_PROTECTED,
  REGION_WINDOW, ageOfItem, countRegion, learnAge, notePlaced, notePromoted, rankProbation,
  rankProtected, readClocks, regionOf, regionOfItem, swapRank,
} from "./regions";
import { POOL_MAIN, POOL_SMALL, segmentWord, wordPool } from "./segment";
import { NO_POOL, candidateEntry, dropCandidate } from "./candidates";
import { climb, isFull, noteRequest, protectedRoom, readRoom, room, windowRoom } from "./climber";
import { endedBytes, leaveWindow, sayFilled } from "./window";
import { entryItem, findItem, foundAt, foundEntry, isTentative } from "./table";
import { evictCandidate, evictEntry, lowestOf, sample } from "./sample";
import { sketchAdd, sketchFrequency, sketchPass } from "./sketch";
import { awaitsDisk } from "./stub";
import { ITEM_RANK, segmentOfItem } from "./item";
import { attachedLanes } from "./allocator";
import { chanceBelow } from "./chance";
import { hashOfItem } from "./hash";
import { itemsMax } from "./layout";

/** Items to look at for a victim, and for one to demote. */
export const TINYLFU_SAMPLE: u32 = 16;
/** Pools of candidates (`candidates.ts`). */
const POOL_VICTIMS: u32 = 0;
const POOL_DEMOTED: u32 = 1;

const SAMPLES_MAX: u32 = 16;
const TRIES_MAX: u32 = 16;
/** What one eviction may put right beside. */
const DEMOTED_MAX: u32 = 16;
const LEAVES_MAX: u32 = 8;
/** Items a lane may bring into the window before others leave it, where items are not bounded. */
const GROUP: u32 = 64;
/** Evictions for which the window may hold a little too much. */
const CROWDED_MAX: u32 = 256;
/** From this frequency on a candidate that loses is admitted by chance, against attackers. */
const LUCKY_FREQUENCY: u32 = 6;
const LUCKY_ONE_IN: u32 = 128;
/** Where items stand that are neither victims nor to be demoted. */
const STANDING_WINDOW: u32 = 64;
const STANDING_PROTECTED: u32 = 128;

/** Evictions since the window was last not too full. */
let crowded: u32 = 0;

/** The rank of an item that replaces none. */
export const TINYLFU_NEW: u32 = RANK_WINDOW;

/** Told of a hit. */
export function tinylfuHit(hash: u64, item: u32): void {
  noteRequest(true);
  sketchAdd(hash);
  const rank = u32(load<u8>(item, ITEM_RANK));
  const after = rankAfterHit(rank);
  if (after == rank || !swapRank(item, rank, after)) return;
  if (regionOf(rank) == REGION_PROBATION) notePromoted(protectedRoom);
}

/** Told that a value was written for a key that was not there, or was. */
export function tinylfuWritten(hash: u64, isNew: bool): void {
  noteRequest(!isNew);
  sketchAdd(hash);
  sayFilled();
}

@inline
function rankAfterHit(rank: u32): u32 {
  const region = regionOf(rank);
  if (region == REGION_OUT) return rank;
  return region == REGION_WINDOW ? RANK_WINDOW_HIT : rankProtected();
}

/** The rank of the item that replaces one. */
export function tinylfuRankAfter(rank: u32): u32 {
  const region = regionOf(rank);
  if (region == REGION_OUT) return RANK_WINDOW;
  if (region == REGION_PROBATION) notePromoted(protectedRoom);
  return rankAfterHit(rank);
}

/** The pool in whose segments an item of this rank is written. */
@inline
export function tinylfuPool(rank: u32): u32 {
  return regionOf(rank) == REGION_WINDOW ? POOL_SMALL : POOL_MAIN;
}

/** Before a group of requests. */
export function tinylfuBegin(): void {
  readClocks();
}

/** After a group of so many. */
export function tinylfuEnd(requests: u32): void {
  readRoom();
  sketchPass(room);
  climb();
  if (isFull) return;
  for (let n: u32 = 0; n < requests * 2 && countRegion(REGION_WINDOW) > windowRoom; n++) {
    if (leaveWindow() == 0) return;
    notePlaced();
  }
}

/** Where an item stands, 0 to 255. */
export function tinylfuStanding(item: u32): u32 {
  const region = regionOfItem(item);
  if (region == REGION_WINDOW || region == REGION_OUT) return STANDING_WINDOW;
  const stands = AGE_MAX - ageOfItem(item);
  return region == REGION_PROTECTED ? STANDING_PROTECTED + stands : stands;
}

/**
 * The pool of candidates for an item that a sample met. One of the window that no walk will find,
 * because its segment was handed over before it was whole, goes on probation.
 */
export function tinylfuCandidatePool(item: u32): u32 {
  const rank = u32(load<u8>(item, ITEM_RANK));
  const region = regionOf(rank);
  if (region == REGION_PROBATION) return POOL_VICTIMS;
  if (region == REGION_PROTECTED) return POOL_DEMOTED;
  if (region == REGION_WINDOW && wordPool(segmentWord(segmentOfItem(item))) == POOL_MAIN) {
    swapRank(item, rank, rankProbation());
  }
  return NO_POOL;
}

/** Evicts one item; returns the bytes it took in its segment, 0 when none was found. */
export function evictTinylfu(): u32 {
  readRoom();
  const ended = sample();
  demote();
  if (ended != 0) return ended;
  if (!shrinkWindow()) return endedBytes;
  for (let n: u32 = 0; n < TRIES_MAX; n++) {
    const bytes = countRegion(REGION_WINDOW) >= windowRoom ? admitNext() : evictVictim();
    if (bytes != 0) return bytes;
  }
  return 0;
}

/** Puts the protected items of longest disuse on probation while there are too many. */
function demote(): void {
  for (let n: u32 = 0; n < DEMOTED_MAX; n++) {
    if (countRegion(REGION_PROTECTED) <= protectedRoom) return;
    if (n > 0) sample();
    const slot = findCandidate(POOL_DEMOTED);
    if (slot == 0) return;
    const item = entryItem(candidateEntry(slot));
    dropCandidate(POOL_DEMOTED, slot);
    const rank = u32(load<u8>(item, ITEM_RANK));
    if (regionOf(rank) != REGION_PROTECTED) continue;
    const age = ageOfItem(item);
    if (!swapRank(item, u32(load<u8>(item, ITEM_RANK)), rankProbation())) continue;
    learnAge(age, protectedRoom);
    notePlaced();
  }
}

/** Lets what is too much in the window go on probation; false when room was made instead. */
function shrinkWindow(): bool {
  const slack = itemsMax == 0 ? attachedLanes() * GROUP : attachedLanes() - 1;
  for (let n: u32 = 0; n < LEAVES_MAX && isTooMuch(slack); n++) {
    if (leaveWindow() == 0) return endedBytes == 0;
    notePlaced();
  }
  return true;
}

/**
 * Whether the window holds more than it should. Between an eviction and the insert it was for other
 * lanes see one less or one more; that is taken for too much only when it stays.
 */
function isTooMuch(slack: u32): bool {
  const items = countRegion(REGION_WINDOW);
  if (items <= windowRoom) crowded = 0;
  else if (++crowded > CROWDED_MAX) {
    crowded = 0;
    return true;
  }
  return items > windowRoom + slack;
}

/** A candidate of a pool, looked for in some more samples if there is none; 0 = none. */
function findCandidate(pool: u32): u32 {
  let slot = lowestOf(pool);
  for (let n: u32 = 0; n < SAMPLES_MAX && slot == 0; n++) {
    sample();
    slot = lowestOf(pool);
  }
  return slot;
}

/** Lets the oldest of the window and the victim compete; returns the bytes of who left. */
function admitNext(): u32 {
  const item = leaveWindow();
  if (item == 0) return endedBytes != 0 ? endedBytes : evictVictim();
  const slot = findCandidate(POOL_VICTIMS);
  const victim = slot == 0 ? item : entryItem(candidateEntry(slot));
  if (victim == item || !isAdmitted(item, victim)) return evictItem(item);
  notePlaced();
  return evictCandidate(POOL_VICTIMS, slot);
}

function isAdmitted(item: u32, victim: u32): bool {
  // What the disk does not have yet could not be read again.
  if (awaitsDisk(item)) return true;
  const frequency = sketchFrequency(hashOfItem(item));
  if (frequency > sketchFrequency(hashOfItem(victim))) return true;
  return frequency >= LUCKY_FREQUENCY && chanceBelow(LUCKY_ONE_IN) == 0;
}

/** Evicts an item wherever its entry is; 0 when it has left meanwhile. */
function evictItem(item: u32): u32 {
  if (!findItem(hashOfItem(item), item) || isTentative(foundEntry)) return 0;
  return evictEntry(foundAt, foundEntry);
}

/** Evicts who has been on probation longest, else who would be demoted, else of the window. */
function evictVictim(): u32 {
  const victim = findCandidate(POOL_VICTIMS);
  if (victim != 0) return evictCandidate(POOL_VICTIMS, victim);
  const unused = findCandidate(POOL_DEMOTED);
  if (unused != 0) return evictCandidate(POOL_DEMOTED, unused);
  const item = leaveWindow();
  return item == 0 ? endedBytes : evictItem(item);
}
