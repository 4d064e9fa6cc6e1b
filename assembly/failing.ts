/**
 * Memory that is not there when it is asked for, on purpose: a test says which of the next
 * allocations fails and looks what becomes of it. Only in the build with checks; in the other this
 * is a constant.
 */
import { H_ALLOCATIONS, H_FAILING } from "./layout";

/** Whether the allocation that is about to be made is to fail. */
@inline
export function failsOnPurpose(): bool {
  return ASC_NO_ASSERT ? false : isTheOne();
}

function isTheOne(): bool {
  atomic.add<u32>(H_ALLOCATIONS, 1);
  const left = atomic.load<u32>(H_FAILING);
  if (left == 0) return false;
  atomic.store<u32>(H_FAILING, left - 1);
  return left == 1;
}
