import { describe } from 'vitest';
import type { ArenaOptions } from '../../../src/arena/arena.js';
import { Rig } from './rig.js';

/** Makes a rig over a fresh arena of the build under test. */
export type Open = (options?: Partial<ArenaOptions>) => Rig;

/** Describes the core twice: with its checks compiled in, and as it is shipped. */
export function describeBuilds(name: string, tests: (open: Open) => void): void {
  for (const build of ['debug', 'release'] as const) {
    describe(`${name} (${build})`, () => {
      tests((options = {}) => new Rig({ ...options, build }));
    });
  }
}
