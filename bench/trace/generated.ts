/**
 * Streams that are made instead of recorded: each for something that policies are good or bad at.
 * The same seed makes the same stream on every machine.
 */
import { type Random, seededRandom } from '../../src/base/random.js';
import { permutation, ZIPF_SKEW } from '../draws.js';
import { zipfRanks } from '../zipf.js';
import { type Stream, streamOf } from './stream.js';

/** The names of the generated streams. */
export const GENERATED = ['zipf', 'scan-zipf', 'loop', 'shifting', 'ttl-mix'] as const;
/** The name of a generated stream. */
export type Generated = (typeof GENERATED)[number];

/** What a stream is made from. */
export interface Recipe {
  readonly requests: number;
  /** Keys to choose from; streams that scan or rename ask for more. */
  readonly keys: number;
  readonly seed: number;
}

/** What is made when nothing else is asked for. */
export const RECIPE_DEFAULT: Recipe = { requests: 1_000_000, keys: 100_000, seed: 1 };

/** Of each period of a scan-polluted stream so many requests are a scan. */
const SCAN_PERIOD = 10_000;
const SCAN_REQUESTS = 3000;
/** The hot set moves on so often, by this part of the keys. */
const SHIFTS = 20;
const SHIFT_PART = 10;
/** A loop goes so many times round all of its keys, at least. */
const ROUNDS_MIN = 3;
/** The lifetimes of a mix, as parts of the stream; the last one never ends. */
const LIFETIME_PARTS = [100, 20, 4, 1];

/** Popular keys are scattered over all numbers, as hashes would do it. */
function popular({ keys, seed }: Recipe, random: Random): () => number {
  const rank = zipfRanks(keys, ZIPF_SKEW, random);
  const scattered = permutation(keys, seed);
  return () => scattered[rank()] as number;
}

/** Every request draws a key by Zipf's law. */
function zipf(recipe: Recipe, random: Random): Stream {
  const draw = popular(recipe, random);
  const ids = Uint32Array.from({ length: recipe.requests }, draw);
  return streamOf('zipf', ids);
}

/** The same, and again and again a run over keys that were never there and never come back. */
function scanZipf(recipe: Recipe, random: Random): Stream {
  const draw = popular(recipe, random);
  let once = recipe.keys;
  const id = (at: number): number => (at % SCAN_PERIOD < SCAN_REQUESTS ? once++ : draw());
  return streamOf(
    'scan-zipf',
    Uint32Array.from({ length: recipe.requests }, (_, at) => id(at)),
  );
}

/** All keys in order, again and again: what an LRU that is smaller never hits. */
function loop({ requests, keys }: Recipe): Stream {
  const count = Math.max(1, Math.min(keys, Math.floor(requests / ROUNDS_MIN)));
  return streamOf(
    'loop',
    Uint32Array.from({ length: requests }, (_, at) => at % count),
  );
}

/** By Zipf's law, but what is popular changes, a tenth of the keys at a time. */
function shifting(recipe: Recipe, random: Random): Stream {
  const { requests, keys, seed } = recipe;
  const rank = zipfRanks(keys, ZIPF_SKEW, random);
  const scattered = permutation(keys, seed);
  const perShift = Math.ceil(requests / SHIFTS);
  const by = Math.ceil(keys / SHIFT_PART);
  const ids = Uint32Array.from({ length: requests }, (_, at) => {
    const shift = Math.floor(at / perShift) * by;
    return scattered[(rank() + shift) % keys] as number;
  });
  return streamOf('shifting', ids);
}

/**
 * By Zipf's law over keys of four lifetimes. When one has ended, the key has another name from then
 * on, and the old one is never asked for again: what is expired is dead weight until it is removed.
 */
function ttlMix(recipe: Recipe, random: Random): Stream {
  const { requests, keys } = recipe;
  const draw = popular(recipe, random);
  const lifetimeOf = (key: number): number =>
    Math.ceil(requests / (LIFETIME_PARTS[key % LIFETIME_PARTS.length] as number));
  const ids = new Float64Array(requests);
  const ends: number[] = [];
  const seen = new Set<number>();
  for (let at = 0; at < requests; at++) {
    const key = draw();
    const lifetime = lifetimeOf(key);
    // Lives of different keys end at different times.
    const life = Math.floor((at + key) / lifetime);
    const id = life * keys + key;
    ids[at] = id;
    if (!seen.has(id)) ends.push((life + 1) * lifetime - key);
    seen.add(id);
  }
  return { ...streamOf('ttl-mix', ids), expiries: Uint32Array.from(ends) };
}

const MAKERS: Readonly<Record<Generated, (recipe: Recipe, random: Random) => Stream>> = {
  zipf,
  'scan-zipf': scanZipf,
  loop,
  shifting,
  'ttl-mix': ttlMix,
};

/** Makes a stream. */
export function generate(name: Generated, recipe: Recipe): Stream {
  return MAKERS[name](recipe, seededRandom(recipe.seed));
}
