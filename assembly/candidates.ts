/**
 * Candidates: what samples of the table left over, the lowest of which goes next. A policy that
 * tells items apart has a pool for each kind.
 *
 *   pool        0 how many u32 | 16 candidates, 16 bytes each
 *   candidate   0 entry u64 | 8 where it stands u32 | 12 its item's standing u32
 *
 * A candidate may have changed since: who takes one looks whether its entry is still the same.
 */
import { L_CANDIDATES, laneAt } from "./layout";

export const CANDIDATE_POOLS: u32 = 2;
/** Said of an item that is no candidate. */
export const NO_POOL: u32 = 2;
const CANDIDATES: u32 = 16;
const CANDIDATE_BYTES: u32 = 16;
const CANDIDATE_AT: u32 = 8;
const CANDIDATE_STANDING: u32 = 12;
const POOL_BYTES: u32 = (CANDIDATES + 1) * CANDIDATE_BYTES;

@inline
function poolAt(pool: u32): u32 {
  return laneAt + L_CANDIDATES + pool * POOL_BYTES;
}

@inline
function firstOf(pool: u32): u32 {
  return poolAt(pool) + CANDIDATE_BYTES;
}

@inline
function endOf(pool: u32): u32 {
  return firstOf(pool) + load<u32>(poolAt(pool)) * CANDIDATE_BYTES;
}

/** The entry a candidate was seen in. */
@inline
export function candidateEntry(slot: u32): u64 {
  return load<u64>(slot);
}

/** Where that entry is. */
@inline
export function candidateAt(slot: u32): u32 {
  return load<u32>(slot, CANDIDATE_AT);
}

/** Where its item stood. */
@inline
export function candidateStanding(slot: u32): u32 {
  return load<u32>(slot, CANDIDATE_STANDING);
}

/** Forgets the candidates there are. */
export function resetCandidates(): void {
  for (let pool: u32 = 0; pool < CANDIDATE_POOLS; pool++) store<u32>(poolAt(pool), 0);
}

/** Makes an entry a candidate if there is room, or it stands lower than another. */
export function offer(pool: u32, at: u32, entry: u64, stands: u32): void {
  const first = firstOf(pool);
  const end = endOf(pool);
  let worst = first;
  for (let slot = first; slot < end; slot += CANDIDATE_BYTES) {
    if (candidateAt(slot) == at) return;
    if (candidateStanding(slot) > candidateStanding(worst)) worst = slot;
  }
  let slot = end;
  if (end == first + CANDIDATES * CANDIDATE_BYTES) {
    if (candidateStanding(worst) <= stands) return;
    dropCandidate(pool, worst);
    slot -= CANDIDATE_BYTES;
  }
  store<u64>(slot, entry);
  store<u32>(slot, at, CANDIDATE_AT);
  store<u32>(slot, stands, CANDIDATE_STANDING);
  store<u32>(poolAt(pool), load<u32>(poolAt(pool)) + 1);
}

/** Takes a candidate out; the others keep their order, so that of equals the first goes first. */
export function dropCandidate(pool: u32, slot: u32): void {
  const next = slot + CANDIDATE_BYTES;
  memory.copy(slot, next, endOf(pool) - next);
  store<u32>(poolAt(pool), load<u32>(poolAt(pool)) - 1);
}

/** The candidate that stands lowest, 0 when there is none. */
export function lowestCandidate(pool: u32): u32 {
  const first = firstOf(pool);
  const end = endOf(pool);
  if (first == end) return 0;
  let lowest = first;
  for (let slot = first + CANDIDATE_BYTES; slot < end; slot += CANDIDATE_BYTES) {
    if (candidateStanding(slot) < candidateStanding(lowest)) lowest = slot;
  }
  return lowest;
}
