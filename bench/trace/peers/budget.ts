/**
 * The memory that all systems get, and how large a stream has to be made for it.
 *
 * memcached takes memory in pages of a megabyte, and the buffers of a few connections are some
 * percent of what Redis has at one megabyte. So a stream is copied until its items fill some
 * megabytes. The memory is whole pages, and beside them memcached's hash table, which has about as
 * many pointers as there are items in the pages, as it has at any size.
 */
import type { Copies } from '../copies.js';
import { ITEM_HEADER_BYTES, KEY_BYTES, VALUE_BYTES } from '../store/shape.js';
import type { Stream } from '../stream.js';

/** What Orlop needs for an item at least: header, key, value, and its entry in table and ghost. */
export const BYTES_PER_ITEM = ITEM_HEADER_BYTES + KEY_BYTES + VALUE_BYTES + 18;

/** Bytes of a page of memcached. */
export const PAGE_BYTES = 1024 * 1024;
/** A chunk for such an item in memcached. */
const CHUNK_BYTES = 120;
/** Its hash table doubles when it has so many items for each pointer. */
const HASH_LOAD_MAX = 1.5;
const HASH_POWER_MIN = 12;
const POINTER_BYTES = 8;

/** What is asked for. */
export interface Limits {
  /** The memory that is wanted at least, in bytes. */
  readonly memoryBytes: number;
  /** Requests of all copies together at most. */
  readonly requests: number;
}

/** The memory of a comparison and the copies that fill it. */
export interface Budget {
  readonly copies: Copies;
  /** Requests of each copy: all of the stream, or as many of the first as the limit allows. */
  readonly requestsPerCopy: number;
  readonly pages: number;
  /** The hash table of memcached has two to this power of pointers. */
  readonly hashPower: number;
  /** What each system has for its items. */
  readonly memoryBytes: number;
}

/** The power that memcached's table has with so many pages of items, once it has grown. */
function hashPowerFor(pages: number): number {
  const items = (pages * PAGE_BYTES) / CHUNK_BYTES;
  let power = HASH_POWER_MIN;
  while (items > HASH_LOAD_MAX * 2 ** power) power++;
  return power;
}

/** So many pages and the hash table for what fits into them. */
function bytesOf(pages: number): number {
  return pages * PAGE_BYTES + POINTER_BYTES * 2 ** hashPowerFor(pages);
}

/** The most pages that, with their hash table, are not more than `bytes`; at least one. */
function pagesIn(bytes: number): number {
  let pages = Math.max(1, Math.floor(bytes / PAGE_BYTES));
  while (pages > 1 && bytesOf(pages) > bytes) pages--;
  return pages;
}

/** The budget for a stream of which `capacity` items are to fit into each copy's share. */
export function budgetFor(stream: Stream, capacity: number, limits: Limits): Budget {
  const perCopy = capacity * BYTES_PER_ITEM;
  const wanted = Math.max(limits.memoryBytes, perCopy);
  // One more page or one less, whichever is nearer.
  const pages = pagesIn(wanted + PAGE_BYTES / 2);
  const memoryBytes = bytesOf(pages);
  const count = Math.max(1, Math.round(memoryBytes / perCopy));
  const requestsPerCopy = Math.min(
    stream.keys.length,
    Math.max(1, Math.floor(limits.requests / count)),
  );
  return {
    copies: { count, keyCount: stream.keyCount, requests: requestsPerCopy * count },
    requestsPerCopy,
    pages,
    hashPower: hashPowerFor(pages),
    memoryBytes,
  };
}
