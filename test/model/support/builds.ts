import { describe } from 'vitest';
import type { StoreOptions } from '../../../src/arena/store.js';
import { MIB, Rig } from './rig.js';

/** Makes a rig over a fresh arena of the build under test. */
export type Open = (options?: Partial<StoreOptions>) => Rig;

/** Like `describeBuilds`, and once more in a store of three arenas. */
export function describeStores(name: string, tests: (open: Open) => void): void {
  describeBuilds(name, tests);
  describe(`${name} (three arenas)`, () => {
    tests((options = {}) => new Rig({ arenas: 3, memoryBytes: 24 * MIB, ...options }));
  });
}

/** Describes the core twice: with its checks compiled in, and as it is shipped. */
export function describeBuilds(name: string, tests: (open: Open) => void): void {
  for (const build of ['debug', 'release'] as const) {
    describe(`${name} (${build})`, () => {
      tests((options = {}) => new Rig({ ...options, build }));
    });
  }
}
