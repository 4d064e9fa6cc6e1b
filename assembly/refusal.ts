/**
 * Changes can be refused with a status, when whoever is to keep them cannot: the disk of the log is
 * full or has failed. What peers and the log itself merge is not refused.
 */
import { H_REFUSAL } from "./layout";

/** The status of changes, as the group read it; `STATUS_OK` when they are taken. */
export let refusal: u32 = 0;

@inline
export function readRefusal(): void {
  refusal = atomic.load<u32>(H_REFUSAL);
}

/** From the next group on, changes are refused with `status`; with `STATUS_OK` they are taken. */
export function refuseChanges(status: u32): void {
  atomic.store<u32>(H_REFUSAL, status);
}
