import type { Lane } from '../arena/lane.js';

/** A thread's place in a cache: its lane, until it is given up. */
export interface Seat {
  readonly lane: Lane;
  /** True once the place is given up; nobody may use the lane then. */
  readonly closed: boolean;
  /** Gives the place up, once and for all. */
  close(): void;
}
