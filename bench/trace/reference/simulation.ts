/** What the exact simulations of policies have in common. */

/** A cache of so many objects of the same size, used as cache-aside: a miss stores its key. */
export interface Simulation {
  /** Asks for `key`, a number below that of the stream's keys; true when it was there. */
  request(key: number): boolean;
}

/** How many of the requests for `keys` miss. */
export function countMisses(simulation: Simulation, keys: Uint32Array): number {
  let misses = 0;
  for (let i = 0; i < keys.length; i++) if (!simulation.request(keys[i] as number)) misses++;
  return misses;
}
