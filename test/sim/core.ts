import { Store } from '../../src/arena/store.js';
import type { Host } from './host.js';

const MIB = 1024 * 1024;
const KIB = 1024;

/**
 * The store of a simulated node: the release core over a small memory, its hash keyed from the
 * seed. It is given the time with each call, so the clock of its host is all the time it knows.
 */
export function storeOf(host: Host, feedBytes = 256 * KIB): Store {
  return Store.create({
    ...{ memoryBytes: 8 * MIB, maxValueBytes: 64 * KIB, lanes: 1, feedBytes },
    ...{ build: 'release', random: host.random },
  });
}
