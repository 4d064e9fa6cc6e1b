/** Tells the time; handed in wherever time matters, so that tests and the simulator own it. */
export interface Clock {
  /** Wall-clock time in Unix milliseconds; it may step when the machine's clock is set. */
  nowMs(): number;
  /** Time since an arbitrary start in milliseconds with a fraction; it never goes back. */
  monotonicMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
