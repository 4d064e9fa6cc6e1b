/** Which exact simulation each policy of the store is measured against. */
import { seededRandom } from '../../../src/base/random.js';
import type { Policy } from '../../../src/config/config.js';
import { median } from '../../report.js';
import type { Stream } from '../stream.js';
import { Fifo } from './fifo.js';
import { Lfu } from './lfu.js';
import { Lru } from './lru.js';
import { Opt } from './opt.js';
import { RedisLfu } from './redisLfu.js';
import { S3Fifo } from './s3fifo.js';
import { Sieve } from './sieve.js';
import { countMisses, type Simulation } from './simulation.js';
import { TinyLfu } from './tinylfu.js';

/** Hits in the small queue that the store's `s3fifo` asks for when it is not told otherwise. */
const PROMOTION_DEFAULT = 1;

/** A simulation with chance in it is run so often, and the median counts. */
const RUNS = 5;

/** What some simulations need to know: what chance starts from, and when `s3fifo` promotes. */
interface Choice {
  readonly seed: number;
  readonly promotion: number;
}

type Simulate = (stream: Stream, capacity: number, choice: Choice) => Simulation;

const SIMULATIONS: Readonly<Record<Policy, Simulate>> = {
  s3fifo: ({ keyCount }, capacity, { promotion }) => new S3Fifo(capacity, keyCount, promotion),
  lru: ({ keyCount }, capacity) => new Lru(capacity, keyCount),
  lfu: ({ keyCount }, capacity, { seed }) => new RedisLfu(capacity, keyCount, seededRandom(seed)),
  tinylfu: ({ keyCount }, capacity, { seed }) =>
    new TinyLfu(capacity, keyCount, seededRandom(seed)),
  sieve: ({ keyCount }, capacity) => new Sieve(capacity, keyCount),
  fifo: ({ keyCount }, capacity) => new Fifo(capacity, keyCount),
};

const HAVE_CHANCE: readonly Policy[] = ['lfu', 'tinylfu'];

/**
 * How many requests miss in the reference of `policy` with room for `capacity` keys; `promotion`
 * matters only to `s3fifo`.
 */
export function referenceMisses(
  policy: Policy,
  stream: Stream,
  capacity: number,
  promotion = PROMOTION_DEFAULT,
): number {
  const runs = HAVE_CHANCE.includes(policy) ? RUNS : 1;
  const misses = Array.from({ length: runs }, (_, run) =>
    countMisses(SIMULATIONS[policy](stream, capacity, { seed: run + 1, promotion }), stream.keys),
  );
  return median(misses);
}

/** How many requests miss at least, whatever a cache for `capacity` keys does. */
export function optimalMisses({ keys, keyCount }: Stream, capacity: number): number {
  return countMisses(new Opt(capacity, keyCount, keys), keys);
}

/** How many requests miss when the least used key goes, counted without ageing. */
export function pureLfuMisses({ keys, keyCount }: Stream, capacity: number): number {
  return countMisses(new Lfu(capacity, keyCount), keys);
}
