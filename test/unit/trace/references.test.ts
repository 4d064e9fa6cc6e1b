import { describe, expect, test } from 'vitest';
import { Fifo } from '../../../bench/trace/reference/fifo.js';
import { Lfu } from '../../../bench/trace/reference/lfu.js';
import { Lru } from '../../../bench/trace/reference/lru.js';
import { Opt } from '../../../bench/trace/reference/opt.js';
import { RedisLfu } from '../../../bench/trace/reference/redisLfu.js';
import { referenceMisses } from '../../../bench/trace/reference/references.js';
import { S3Fifo } from '../../../bench/trace/reference/s3fifo.js';
import { Sieve } from '../../../bench/trace/reference/sieve.js';
import { countMisses, type Simulation } from '../../../bench/trace/reference/simulation.js';
import { Sketch } from '../../../bench/trace/reference/sketch.js';
import { TinyLfu } from '../../../bench/trace/reference/tinylfu.js';
import { zipfRanks } from '../../../bench/zipf.js';
import { type Random, seededRandom } from '../../../src/base/random.js';
import * as oracles from './oracles.js';
import { SketchOracle, tinyLfu } from './tinylfuOracle.js';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed + 1);
const CHANCE_SEED = 77;

/** Popular keys, runs of keys, and now and then other popular keys. */
function drawStream(random: Random, keys: number, length: number): number[] {
  const rank = zipfRanks(keys, 0.4 + random.fraction() / 2, random);
  let shift = 0;
  const stream: number[] = [];
  while (stream.length < length) {
    if (random.below(60) === 0) shift = random.below(keys);
    const run = random.below(20) === 0 ? random.below(keys) : 1;
    const key = (rank() + shift) % keys;
    for (let i = 0; i < run; i++) stream.push((key + i) % keys);
  }
  return stream.slice(0, length);
}

interface Pair {
  readonly simulation: (capacity: number, keys: number) => Simulation;
  readonly oracle: (capacity: number) => oracles.Oracle;
}

const PAIRS: Readonly<Record<string, Pair>> = {
  LRU: { simulation: (c, k) => new Lru(c, k), oracle: oracles.lru },
  FIFO: { simulation: (c, k) => new Fifo(c, k), oracle: oracles.fifo },
  LFU: { simulation: (c, k) => new Lfu(c, k), oracle: oracles.lfu },
  SIEVE: { simulation: (c, k) => new Sieve(c, k), oracle: oracles.sieve },
  'S3-FIFO, one hit': {
    simulation: (c, k) => new S3Fifo(c, k, 1),
    oracle: (c) => oracles.s3fifo(c, 1),
  },
  'S3-FIFO, two hits': {
    simulation: (c, k) => new S3Fifo(c, k, 2),
    oracle: (c) => oracles.s3fifo(c, 2),
  },
  'LFU of Redis': {
    simulation: (c, k) => new RedisLfu(c, k, seededRandom(CHANCE_SEED)),
    oracle: (c) => oracles.redisLfu(c, seededRandom(CHANCE_SEED)),
  },
  'W-TinyLFU': {
    simulation: (c, k) => new TinyLfu(c, k, seededRandom(CHANCE_SEED)),
    oracle: (c) => tinyLfu(c, seededRandom(CHANCE_SEED)),
  },
};

describe('the references', () => {
  test.each(Object.entries(PAIRS))('%s hits exactly where a plain one does', (_, pair) => {
    for (const seed of SEEDS) {
      const random = seededRandom(seed);
      const keys = 2 + random.below(80);
      const capacity = 1 + random.below(Math.min(30, keys));
      const stream = drawStream(random, keys, 2000);
      const simulation = pair.simulation(capacity, keys);
      const oracle = pair.oracle(capacity);
      const got = stream.map((key) => simulation.request(key));
      const wanted = stream.map((key) => oracle(key));
      const different = got.findIndex((isHit, at) => isHit !== wanted[at]);
      expect(different, `seed ${seed}, ${keys} keys, room for ${capacity}`).toBe(-1);
    }
  });

  test('OPT misses as rarely as the best of all choices', () => {
    for (const seed of SEEDS) {
      const random = seededRandom(seed);
      const keys = 2 + random.below(6);
      const capacity = 1 + random.below(4);
      const stream = Array.from({ length: 40 }, () => random.below(keys));
      const got = countMisses(
        new Opt(capacity, keys, Uint32Array.from(stream)),
        Uint32Array.from(stream),
      );
      expect(got, `seed ${seed}`).toBe(oracles.fewestMisses(stream, capacity));
    }
  });

  test('OPT misses as often as one that looks ahead for every choice', () => {
    for (const seed of SEEDS) {
      const random = seededRandom(seed);
      const keys = 50 + random.below(100);
      const stream = drawStream(random, keys, 1500);
      const capacity = 1 + random.below(40);
      const got = countMisses(
        new Opt(capacity, keys, Uint32Array.from(stream)),
        Uint32Array.from(stream),
      );
      expect(got, `seed ${seed}`).toBe(oracles.belady(stream, capacity));
    }
  });

  test('the sketch counts as the one with 64-bit words', () => {
    for (const seed of SEEDS) {
      const random = seededRandom(seed);
      const capacity = 1 + random.below(300);
      const salt = random.below(2 ** 32);
      const sketch = new Sketch(capacity, salt);
      const oracle = new SketchOracle(capacity, salt);
      for (const key of drawStream(random, 200, 3000)) {
        sketch.increment(key);
        oracle.increment(key);
        expect(sketch.frequency(key), `seed ${seed}`).toBe(oracle.frequency(key));
      }
    }
  });

  test('a reference with chance in it answers the same each time', () => {
    const keys = Uint32Array.from(drawStream(seededRandom(5), 400, 20_000));
    const stream = { name: 'drawn', keys, keyCount: 400 };
    for (const policy of ['lfu', 'tinylfu'] as const) {
      const misses = referenceMisses(policy, stream, 40);
      expect(misses).toBe(referenceMisses(policy, stream, 40));
      expect(misses).toBeGreaterThan(countMisses(new Opt(40, 400, keys), keys));
      expect(misses).toBeLessThan(keys.length);
    }
  });
});
