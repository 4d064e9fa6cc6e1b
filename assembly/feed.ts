/**
 * The feed: a ring in which a lane publishes what it changed, for whoever carries changes on (log,
 * replication, invalidation). Off until something consumes it, and then one load for each write.
 * There may be two consumers, the log and what carries changes to peers, each with a tail of its
 * own; room is what the slower of them has left.
 *
 *   record   0 size u32, padded to 8 | 4 kind u8 | 5 encoding u8 | 6 key length u16
 *            8 version u64 | 16 expiry u64, Unix ms, 0 = never | 24 value length u32
 *            28 origin u32 | 32 key | value
 *
 * The origin is 0 for what was changed here, and not 0 for what a peer told: nobody passes that on.
 *
 * Head and tail are byte positions that only grow, modulo 2^32; the ring's size is a power of two.
 * A record does not wrap: a FILLER takes what is left at the end of the ring, and of an empty ring
 * that starts over.
 *
 * The record is written before the change and its position published after it, so that a change is
 * never without its record. A write that finds no room is deferred unapplied. `prepared` tells
 * `takeOver` where the record of a thread that died in between ends; it is published if the table
 * shows that the change was made, and dropped otherwise. Its size is 0 until all of it is written:
 * what the ring held there before could be taken for a record, and came from a client.
 */
import {
  H_CLEAR_VERSION, H_FEED_ON, L_FEED_HEAD, L_FEED_PEERS_TAIL, L_FEED_PREPARED, L_FEED_TAIL,
  feedAt_, feedBytes_, feedRing, laneAt, laneBlock,
} from "./layout";
import {
  ITEM_TOMBSTONE, itemExpiryMs, itemFlags, itemKeyAt, itemKeyLength, itemKind, itemVersion,
} from "./item";
import { compareValue, valueLength } from "./entry";
import { copyValue } from "./answer";
import { COUNTER_FEED_DEFERRED, COUNTER_FEED_RECORDS, count } from "./counters";
import { entryItem, find, foundEntry } from "./table";
import { hashKey } from "./hash";

export const RECORD_HEADER_BYTES: u32 = 32;
export const RECORD_FILLER: u32 = 0;
export const RECORD_PUT: u32 = 1;
export const RECORD_REMOVE: u32 = 2;
export const RECORD_CLEAR: u32 = 3;

/** The consumers, as bits of `feedOn`. */
export const FEED_LOG: u32 = 1;
export const FEED_PEERS: u32 = 2;

/** An empty ring starts over behind so many bytes. */
export const FEED_FRONT_BYTES: u32 = 1 << 20;

const RECORD_KIND: u32 = 4;
const RECORD_KEY_LENGTH: u32 = 6;
const RECORD_VERSION: u32 = 8;
const RECORD_EXPIRY: u32 = 16;
const RECORD_VALUE_LENGTH: u32 = 24;

/**
 * Whether this lane publishes; read once for each group, so that what one request prepares it also
 * publishes.
 */
let feeding: bool = false;
/** Whether one of the consumers is the one for peers; read together with it. */
let peering: bool = false;
/** Whether the record in work was told by a peer. */
let origin: u32 = 0;

@inline
export function readFeeding(): void {
  const on = atomic.load<u32>(H_FEED_ON);
  feeding = on != 0;
  peering = (on & FEED_PEERS) != 0;
}

/** Whether changes go to peers, as the group read it. */
@inline
export function isPeering(): bool {
  return peering;
}

/** Has the records that follow say who told them: 0 for this node. */
@inline
export function setOrigin(from: u32): void {
  origin = from;
}

/** Whether changes are published, as the group read it. */
@inline
export function isFeeding(): bool {
  return feeding;
}

/** Says for whom changes are published, as bits; for anybody there must be a ring. */
export function feedOn(on: u32): void {
  assert(on == 0 || feedBytes_ != 0);
  atomic.store<u32>(H_FEED_ON, on);
}

/**
 * Where the slower of the consumers is. A consumer that begins is let in first and moves its tail
 * to the head then, so the consumers are asked for anew with each record: what was written without
 * it in mind lies before that head.
 */
@inline
function slowerTail(head: u32): u32 {
  const on = atomic.load<u32>(H_FEED_ON);
  const log = atomic.load<u32>(laneAt, L_FEED_TAIL);
  if ((on & FEED_PEERS) == 0) return log;
  const peers = atomic.load<u32>(laneAt, L_FEED_PEERS_TAIL);
  if ((on & FEED_LOG) == 0) return peers;
  return head - log > head - peers ? log : peers;
}

@inline
function recordBytes(keyLength: u32, length: u32): u32 {
  return (RECORD_HEADER_BYTES + keyLength + length + 7) & ~7;
}

/** Whether a record of this shape could ever be published. */
@inline
export function fitsFeed(keyLength: u32, length: u32): bool {
  return !feeding || recordBytes(keyLength, length) <= feedBytes_ / 2;
}

/**
 * Room for a record of `bytes`; returns its offset, or 0 when a consumer is behind.
 *
 * A ring that is empty starts over once it has come this far: as long as the consumers keep up,
 * only the front of the ring is ever touched, and it stays near.
 */
function reserveRecord(bytes: u32): u32 {
  let head = load<u32>(laneAt, L_FEED_HEAD);
  const tail = slowerTail(head);
  const at = head & (feedBytes_ - 1);
  const over = head == tail && at >= FEED_FRONT_BYTES && bytes <= at;
  const filler = over || at + bytes > feedBytes_ ? feedBytes_ - at : 0;
  if (head - tail + filler + bytes > feedBytes_) {
    count(COUNTER_FEED_DEFERRED);
    return 0;
  }
  if (filler != 0) {
    store<u64>(feedAt_ + at, u64(filler) | (u64(RECORD_FILLER) << 32));
    head += filler;
  }
  const record = feedAt_ + (head & (feedBytes_ - 1));
  store<u32>(record, 0);
  store<u32>(laneAt, head + bytes, L_FEED_PREPARED);
  return record;
}

function writeRecordHeader(
  at: u32, kind: u32, encoding: u32, keyLength: u32, version: u64, expiryMs: u64, length: u32,
): void {
  store<u32>(at, kind | (encoding << 8) | (keyLength << 16), RECORD_KIND);
  store<u64>(at, version, RECORD_VERSION);
  store<u64>(at, expiryMs, RECORD_EXPIRY);
  store<u64>(at, u64(length) | (u64(origin) << 32), RECORD_VALUE_LENGTH);
}

/** Writes the record of an item that is about to enter the table; false when there is no room. */
export function prepareItem(item: u32): bool {
  if (!feeding) return true;
  const keyLength = itemKeyLength(item);
  const length = valueLength(item);
  const bytes = recordBytes(keyLength, length);
  const at = reserveRecord(bytes);
  if (at == 0) return false;
  const kind = itemFlags(item) & ITEM_TOMBSTONE ? RECORD_REMOVE : RECORD_PUT;
  const encoding = itemKind(item);
  const expiry = itemExpiryMs(item);
  writeRecordHeader(at, kind, encoding, keyLength, itemVersion(item), expiry, length);
  memory.copy(at + RECORD_HEADER_BYTES, itemKeyAt(item), keyLength);
  copyValue(at + RECORD_HEADER_BYTES + keyLength, item, length);
  store<u32>(at, bytes);
  return true;
}

/** Writes the record of a removal that is about to happen; false when there is no room. */
export function prepareRemoval(keyAt: u32, keyLength: u32, version: u64): bool {
  if (!feeding) return true;
  const bytes = recordBytes(keyLength, 0);
  const at = reserveRecord(bytes);
  if (at == 0) return false;
  writeRecordHeader(at, RECORD_REMOVE, 0, keyLength, version, 0, 0);
  memory.copy(at + RECORD_HEADER_BYTES, keyAt, keyLength);
  store<u32>(at, bytes);
  return true;
}

/** Makes sure the record of a clear has room; false when there is none. */
export function prepareClear(): bool {
  return !feeding || reserveRecord(RECORD_HEADER_BYTES) != 0;
}

/** Writes the record of a clear that is about to happen where `prepareClear` made room. */
export function writeClear(version: u64): void {
  if (!feeding) return;
  const end = load<u32>(laneAt, L_FEED_PREPARED);
  const at = feedAt_ + ((end - RECORD_HEADER_BYTES) & (feedBytes_ - 1));
  writeRecordHeader(at, RECORD_CLEAR, 0, 0, version, 0, 0);
  store<u32>(at, RECORD_HEADER_BYTES);
}

/** Publishes the prepared record: the change was made. */
@inline
export function publishRecord(): void {
  if (!feeding) return;
  count(COUNTER_FEED_RECORDS);
  atomic.store<u32>(laneAt, load<u32>(laneAt, L_FEED_PREPARED), L_FEED_HEAD);
}

/** Forgets the prepared record: the change was not made. */
@inline
export function dropRecord(): void {
  store<u32>(laneAt, load<u32>(laneAt, L_FEED_HEAD), L_FEED_PREPARED);
}

/** Publishes what lane `n`, now dead, had prepared, if the table shows that it was applied. */
export function recoverFeed(n: u32): void {
  const block = laneBlock(n);
  let position = load<u32>(block, L_FEED_HEAD);
  const end = load<u32>(block, L_FEED_PREPARED);
  while (i32(end - position) > 0) {
    const at = feedRing(n) + (position & (feedBytes_ - 1));
    const bytes = load<u32>(at);
    if (bytes == 0 || !wasApplied(at)) break;
    position += bytes;
    atomic.store<u32>(block, position, L_FEED_HEAD);
  }
  store<u32>(block, position, L_FEED_PREPARED);
}

/**
 * Whether the table shows what the record at `at` tells, or something later. A write that was not
 * made gave its version back: another may have taken it since, so what is there at the record's own
 * version must be what the record says.
 */
function wasApplied(at: u32): bool {
  const kind = u32(load<u8>(at, RECORD_KIND));
  if (kind == RECORD_FILLER) return true;
  if (kind == RECORD_CLEAR) {
    return atomic.load<u64>(H_CLEAR_VERSION) >= load<u64>(at, RECORD_VERSION);
  }
  const keyAt = at + RECORD_HEADER_BYTES;
  const keyLength = u32(load<u16>(at, RECORD_KEY_LENGTH));
  const present = find(hashKey(keyAt, keyLength), keyAt, keyLength);
  if (!present) return kind == RECORD_REMOVE;
  const item = entryItem(foundEntry);
  const version = load<u64>(at, RECORD_VERSION);
  if (itemVersion(item) != version) return itemVersion(item) > version;
  return tellsOf(at, item);
}

/** Whether the record at `at`, which has the key and the version of `item`, tells of it. */
function tellsOf(at: u32, item: u32): bool {
  const kind = itemFlags(item) & ITEM_TOMBSTONE ? RECORD_REMOVE : RECORD_PUT;
  const head = kind | (itemKind(item) << 8) | (itemKeyLength(item) << 16);
  const length = load<u32>(at, RECORD_VALUE_LENGTH);
  if (load<u32>(at, RECORD_KIND) != head || length != valueLength(item)) return false;
  if (load<u64>(at, RECORD_EXPIRY) != itemExpiryMs(item)) return false;
  return compareValue(at + RECORD_HEADER_BYTES + itemKeyLength(item), item, length) == 0;
}
