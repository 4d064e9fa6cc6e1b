/**
 * Comes to the start of a run, and waits until `startsAt` threads have, over all runs: the first
 * word of `barrier` counts them.
 */
export function waitForOthers(barrier: Int32Array, startsAt: number): void {
  Atomics.add(barrier, 0, 1);
  Atomics.notify(barrier, 0);
  for (;;) {
    const here = Atomics.load(barrier, 0);
    if (here >= startsAt) return;
    Atomics.wait(barrier, 0, here);
  }
}
