import type { StoreLane } from '../arena/storeLane.js';

/** A thread's place in a cache: its lane, until it is given up. */
export interface Seat {
  readonly lane: StoreLane;
  /** True once the place is given up; nobody may use the lane then. */
  readonly closed: boolean;
  /** Gives the place up, once and for all. */
  close(): void;
}
