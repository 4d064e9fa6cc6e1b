/**
 * Wants: what the requests of one `execute` have to get from the disk. The core does not wait: it
 * writes down what is wanted, and the host reads the list before it puts anything into the inbox.
 *
 *   wants   0 how many u32 | 4 zero u32 | wants
 *   want    0 connection u32 | 4 request u32, in the inbox | 8 location u64 | 16 version u64
 *           24 expiry u64, Unix ms, 0 = never | 32 length of the value u32
 *           36 kind u8 | 37 held u8 | 38 zeros
 *
 * A read is *answered* by the host: what it has to be answered with is settled when it runs, by
 * version and location, whatever becomes of the key meanwhile. Any other request that needs the
 * value is *held*: it has not run, `execute` returns WAIT, and it runs once the value is back in
 * memory. The requests behind it wait for it, so that their order stays.
 */
import { COUNTER_TIER_ASKED, COUNTER_TIER_HELD, count } from "./counters";
import { L_WANTS, laneAt } from "./layout";
import { connectionInWork } from "./answer";
import { itemExpiryMs, itemKind, itemVersion } from "./item";
import { itemLocation, stubLength } from "./stub";
import { requestAt } from "./request";

export const WANTS_MAX: u32 = 20;
export const WANTS_AT: u32 = 8;
export const WANT_BYTES: u32 = 40;
export const WANT_REQUEST: u32 = 4;
export const WANT_LOCATION: u32 = 8;
export const WANT_VERSION: u32 = 16;
export const WANT_EXPIRY: u32 = 24;
export const WANT_LENGTH: u32 = 32;
export const WANT_KIND: u32 = 36;
export const WANT_HELD: u32 = 37;

let wants: u32 = 0;

/** Forgets what was wanted. */
@inline
export function beginWants(): void {
  if (wants == 0) return;
  wants = 0;
  store<u32>(laneAt, 0, L_WANTS);
}

/** Whether the host has to read the list before more is wanted. */
@inline
export function wantsFull(): bool {
  return wants == WANTS_MAX;
}

/** Where the list is. */
export function wantsAt(): u32 {
  return laneAt + L_WANTS;
}

/** Has the request in work answered with the value of a stub. */
export function wantAnswer(stub: u32): void {
  count(COUNTER_TIER_ASKED);
  append(stub, 0);
}

/** Has the value of a stub brought back for the request in work. */
export function wantHeld(stub: u32): void {
  if (wantsFull()) return;
  count(COUNTER_TIER_HELD);
  append(stub, 1);
}

function append(stub: u32, held: u32): void {
  const at = laneAt + L_WANTS + WANTS_AT + wants * WANT_BYTES;
  store<u32>(at, connectionInWork());
  store<u32>(at, requestAt, WANT_REQUEST);
  store<u64>(at, itemLocation(stub), WANT_LOCATION);
  store<u64>(at, itemVersion(stub), WANT_VERSION);
  store<u64>(at, itemExpiryMs(stub), WANT_EXPIRY);
  store<u32>(at, stubLength(stub), WANT_LENGTH);
  store<u32>(at, itemKind(stub) | (held << 8), WANT_KIND);
  store<u32>(laneAt, ++wants, L_WANTS);
}
