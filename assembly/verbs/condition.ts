/** The conditions a write may carry, in one place for every verb. */
import {
  FLAG_IF_ABSENT, FLAG_IF_PRESENT, FLAG_VERSION, STATUS_EXISTS, STATUS_NOT_FOUND, STATUS_OK,
  STATUS_VERSION_MISMATCH,
} from "../wire";
import { field, has } from "../request";
import { itemVersion } from "../item";

/** Whether the request's conditions hold over `current`, the live item of its key or 0. */
@inline
export function checkConditions(current: u32): u32 {
  if (!has(FLAG_IF_ABSENT | FLAG_IF_PRESENT | FLAG_VERSION)) return STATUS_OK;
  if (current == 0) return has(FLAG_IF_PRESENT | FLAG_VERSION) ? STATUS_NOT_FOUND : STATUS_OK;
  if (has(FLAG_IF_ABSENT)) return STATUS_EXISTS;
  if (has(FLAG_VERSION) && itemVersion(current) != field(FLAG_VERSION)) {
    return STATUS_VERSION_MISMATCH;
  }
  return STATUS_OK;
}
