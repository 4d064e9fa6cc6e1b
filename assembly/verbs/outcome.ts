/** How a verb ended. */

/** It ran and was answered. */
export const DONE: u32 = 0;
/** It found no memory, or no room in the feed, and changed nothing: run it again later. */
export const DEFERRED: u32 = 1;
/** It needs the value of a stub, said so (`wants.ts`) and changed nothing: run it again later. */
export const ON_DISK: u32 = 2;
