import { ON_DISK } from "./outcome";
import { wantHeld } from "../wants";

/** Ends a request that needs the value of a stub and is to run once that is back in memory. */
export function awaitValue(stub: u32): u32 {
  wantHeld(stub);
  return ON_DISK;
}
