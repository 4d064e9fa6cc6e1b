/**
 * Policies decide what survives. Segments, table and arena are the same under each; a policy is
 * asked where a new item goes, told of every hit, and says what leaves:
 *
 *   by segments  fifo, s3fifo, sieve: the queue is the segments in the order of their ages. A
 *                cleaner walks the next one and asks for a verdict on each item it meets.
 *   by ranks     lru, lfu: the item with the lowest standing in a sample leaves, wherever it lies,
 *                and cleaners only move what stays closer together.
 *   by both      tinylfu: samples find who is lowest, and a walk over segments who is oldest in
 *                the window; cleaners only move, too.
 *
 * Each has a file of its own that names its paper.
 */
import { ITEM_RANK } from "./item";
import { LFU_BEGIN, LFU_SAMPLE, lfuAfterHit, lfuCounter, lfuHit, lfuPass } from "./lfu";
import { LRU_SAMPLE, lruEvicted, lruHit, lruStanding } from "./lru";
import { CURSOR_MAIN, sealCursor } from "./allocator";
import { POOL_MAIN, POOL_SMALL, freeHint } from "./segment";
import { poolOfItem } from "./entry";
import { S3FIFO_RANK_MAX, s3fifoHit, s3fifoPool, s3fifoRankKept, s3fifoStays } from "./s3fifo";
import {
  TINYLFU_NEW, TINYLFU_SAMPLE, evictTinylfu, tinylfuBegin, tinylfuCandidatePool, tinylfuEnd,
  tinylfuHit, tinylfuPool, tinylfuRankAfter, tinylfuStanding, tinylfuWritten,
} from "./tinylfu";
import { evictSampled } from "./sample";
import { isStub } from "./stub";
import { ghostAdd } from "./ghost";
import { policy, segments } from "./layout";
import { readRecency, stampUse } from "./recency";
import { sieveHit, sieveIsAtHead, sieveMove } from "./sieve";

export const POLICY_FIFO: u32 = 0;
export const POLICY_S3FIFO: u32 = 1;
export const POLICY_LRU: u32 = 2;
export const POLICY_LFU: u32 = 3;
export const POLICY_SIEVE: u32 = 4;
export const POLICY_TINYLFU: u32 = 5;
export const POLICIES: u32 = 6;

export const VERDICT_EVICT: u32 = 0;
export const VERDICT_KEEP: u32 = 1;

@inline
export function itemRank(item: u32): u32 {
  return u32(load<u8>(item, ITEM_RANK));
}

/** Whether items leave by their ranks, wherever they lie. */
@inline
export function ordersByRank(): bool {
  return policy == POLICY_LRU || policy == POLICY_LFU || policy == POLICY_TINYLFU;
}

/** Whether ranks say in which region an item is, and regions are counted (`regions.ts`). */
@inline
export function hasRegions(): bool {
  return policy == POLICY_TINYLFU;
}

/** Evicts one item by rank; returns the bytes it took in its segment, 0 when none was found. */
export function evictByRank(): u32 {
  return policy == POLICY_TINYLFU ? evictTinylfu() : evictSampled();
}

/** The pool of candidates (`candidates.ts`) for an item that a sample met, or NO_POOL. */
@inline
export function candidatePool(item: u32): u32 {
  return policy == POLICY_TINYLFU ? tinylfuCandidatePool(item) : 0;
}

/** Items to look at for one that leaves by rank. */
@inline
export function sampleSize(): u32 {
  if (policy == POLICY_LFU) return LFU_SAMPLE;
  return policy == POLICY_TINYLFU ? TINYLFU_SAMPLE : LRU_SAMPLE;
}

/** The pool of a key that has no entry. */
@inline
export function poolForNew(hash: u64): u32 {
  if (policy == POLICY_S3FIFO) return s3fifoPool(hash);
  return policy == POLICY_TINYLFU ? POOL_SMALL : POOL_MAIN;
}

/** The pool of what takes the place of an item, with `rank`. */
@inline
export function poolAfter(item: u32, rank: u32): u32 {
  return policy == POLICY_TINYLFU ? tinylfuPool(rank) : poolOfItem(item) & 1;
}

/** The rank of an item that replaces none. */
@inline
export function rankOfNew(): u32 {
  if (policy == POLICY_LRU) return stampUse();
  if (policy == POLICY_TINYLFU) return TINYLFU_NEW;
  return policy == POLICY_LFU ? LFU_BEGIN : 0;
}

/** Told of an item that was hit by a read. */
@inline
export function onHit(hash: u64, item: u32): void {
  if (policy == POLICY_S3FIFO) s3fifoHit(item);
  else if (policy == POLICY_LRU) lruHit(item);
  else if (policy == POLICY_LFU) lfuHit(item);
  else if (policy == POLICY_SIEVE) sieveHit(item);
  else if (policy == POLICY_TINYLFU) tinylfuHit(hash, item);
}

/** Told that a value was written for a key that readers did not find, or did. */
@inline
export function onWritten(hash: u64, isNew: bool): void {
  if (policy == POLICY_TINYLFU) tinylfuWritten(hash, isNew);
}

/** The rank of the item that replaces `item`: an overwrite keeps its place and counts as a hit. */
@inline
export function rankAfter(item: u32): u32 {
  if (policy == POLICY_S3FIFO) return min<u32>(itemRank(item) + 1, S3FIFO_RANK_MAX);
  if (policy == POLICY_LRU) return stampUse();
  if (policy == POLICY_LFU) return isStub(item) ? LFU_BEGIN : lfuAfterHit(itemRank(item));
  if (policy == POLICY_TINYLFU) return tinylfuRankAfter(itemRank(item));
  return policy == POLICY_SIEVE ? 1 : 0;
}

/** After a new item was put into the table, where the number of items is bounded. */
@inline
export function onAdded(): void {
  if (policy == POLICY_SIEVE && sieveIsAtHead() && freeHint() > segments / 4) {
    sealCursor(CURSOR_MAIN);
  }
}

/** Before a group of requests. */
@inline
export function beginGroup(): void {
  if (policy == POLICY_LRU) readRecency();
  else if (policy == POLICY_TINYLFU) tinylfuBegin();
}

/** After a group of so many. */
@inline
export function endGroup(requests: u32): void {
  if (policy == POLICY_LFU) lfuPass(requests);
  else if (policy == POLICY_TINYLFU) tinylfuEnd(requests);
}

/** Where an item stands among others, 0 to 255: the lowest goes first. */
export function standing(item: u32): u32 {
  if (isStub(item)) return 0;
  if (policy == POLICY_LRU) return lruStanding(item);
  if (policy == POLICY_TINYLFU) return tinylfuStanding(item);
  return policy == POLICY_LFU ? lfuCounter(itemRank(item)) : itemRank(item);
}

/** Whether a cleaner keeps an item it meets in `pool`. */
@inline
export function verdict(item: u32, pool: u32): u32 {
  if (policy == POLICY_S3FIFO) return u32(s3fifoStays(itemRank(item), pool));
  return policy == POLICY_SIEVE ? u32(itemRank(item) != 0) : VERDICT_EVICT;
}

/** The rank a kept item starts its next round with. */
@inline
export function rankKept(item: u32, pool: u32): u32 {
  return policy == POLICY_S3FIFO ? s3fifoRankKept(itemRank(item), pool) : 0;
}

/** Whether what stays of a segment keeps its place in the queue, or goes to its end. */
@inline
export function keepsPlace(): bool {
  return policy == POLICY_SIEVE;
}

/** Told of the age of a segment that a cleaner takes to evict from it. */
@inline
export function onTaken(age: u64): void {
  if (policy == POLICY_SIEVE) sieveMove(age);
}

/** Whether what leaves `pool` is remembered by the ghost. */
@inline
export function isHaunted(pool: u32): bool {
  return policy == POLICY_S3FIFO && pool == POOL_SMALL;
}

/** Told of each item that left `pool` by eviction, and of the rank it had. */
@inline
export function onEvicted(hash: u64, pool: u32, rank: u32): void {
  if (isHaunted(pool)) ghostAdd(hash);
  else if (policy == POLICY_LRU) lruEvicted(rank);
}
